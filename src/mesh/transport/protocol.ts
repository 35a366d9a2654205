// What both ends of the mesh port write on the wire: POST /mesh/v1/<call> with a JSON body. Within a version, headers,
// JSON fields and calls may be added: what is not known is passed over, and a call that is not known is answered 404.
import { type CallName, MeshError, type MeshErrorCode } from '../transport.ts';

/** Major and minor; another major is refused. */
export const MESH_VERSION = '1.0';

export const HEADERS = {
  version: 'x-dfstore-mesh',
  /** Who sends this. */
  from: 'x-dfstore-from',
  /** Whom the request is for, and which run of it. */
  to: 'x-dfstore-to',
  /** Hash of the sender's list of trackers. */
  members: 'x-dfstore-members',
  proof: 'x-dfstore-proof',
} as const;

export const TYPES = {
  ask: 'application/json',
  lines: 'application/x-ndjson',
  bytes: 'application/octet-stream',
} as const;

export type AnswerType = (typeof TYPES)[keyof typeof TYPES];

const PREFIX = '/mesh/v1/';

export function pathOf(call: CallName): string {
  return PREFIX + call;
}

/** Undefined: not a path of this protocol. The name may be one that nobody here knows. */
export function callOf(url: string): string | undefined {
  return url.startsWith(PREFIX) ? url.slice(PREFIX.length) : undefined;
}

export function isSupportedVersion(version: string | undefined): boolean {
  return version !== undefined && /^1(\.\d{1,4})?$/.test(version);
}

/** The request was for an earlier run of this gateway: its sender learns of this one, and asks again. */
export const OTHER_RUN = 421;

const STATUS: Readonly<Record<MeshErrorCode, number>> = {
  Malformed: 400,
  Refused: 403,
  NotHeld: 404,
  Closed: 410,
  Unproved: 422,
  Busy: 503,
  Unreachable: 504,
};

export function statusOf(code: MeshErrorCode): number {
  return STATUS[code];
}

/** Of an answer that is not 200: what its JSON says, or what its status means where the JSON says nothing known. */
export function errorOf(status: number, body: unknown, who: string): MeshError {
  const { code, message } = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const known = typeof code === 'string' && Object.hasOwn(STATUS, code) ? (code as MeshErrorCode) : codeOf(status);
  const said = typeof message === 'string' ? message.slice(0, 500) : `It answered with status ${status}.`;
  return new MeshError(known, `${who}: ${said}`);
}

function codeOf(status: number): MeshErrorCode {
  const [code] = Object.entries(STATUS).find(([, of]) => of === status) ?? [];
  if (code !== undefined) return code as MeshErrorCode;
  return status >= 500 ? 'Unreachable' : 'Malformed';
}
