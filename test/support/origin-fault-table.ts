// What an origin can do wrong and what the gateway's clients get of it: kept by test/stories/origin-faults.test.ts, told
// in docs/BACKENDS.md, which test/docs/backends.test.ts compares with this.
import type { BackendErrorCode } from '../../backends/backend.ts';
import type { ProxyFault } from './faulty-proxy.ts';

export type FaultedOperation = 'GetObject' | 'PutObject' | 'UploadPart' | 'CompleteMultipartUpload';

export type ClientGets =
  | { readonly status: number; readonly code: string }
  /** 200 and a connection that ends short. */
  | 'cut'
  /** The outcome without the fault. */
  | 'success';

export interface OriginFault {
  /** As in the documentation. */
  readonly name: string;
  /** One after another; the last one stays. */
  readonly onRead: readonly ProxyFault[];
  readonly onWrite: readonly ProxyFault[];
  readonly reader: ClientGets;
  readonly writer: ClientGets;
  /** What the log says it was. */
  readonly logged?: { readonly code: BackendErrorCode; readonly level: 'warn' | 'error'; readonly nativeCode?: string };
  /** The origin had all of it before it failed: then it is there, whole. */
  readonly stores?: boolean;
}

const UNAVAILABLE = { status: 503, code: 'ServiceUnavailable' } as const;
const FAILED = { status: 500, code: 'InternalError' } as const;

/** In an object of 1 MiB: behind the first blocks, so that the answer has begun. */
const MIDDLE = 600_000;

const SLOW: ProxyFault = { kind: 'slow', pieces: 8, everyMs: 100 };

export const ORIGIN_FAULTS: readonly OriginFault[] = [
  {
    name: 'says nothing',
    onRead: [{ kind: 'silent' }],
    onWrite: [{ kind: 'silent' }],
    reader: UNAVAILABLE,
    writer: UNAVAILABLE,
    logged: { code: 'Timeout', level: 'warn' },
  },
  {
    name: 'stalls in the middle of a body',
    onRead: [{ kind: 'stall-answer', afterBytes: MIDDLE }, { kind: 'silent' }],
    onWrite: [{ kind: 'stall-upload', afterBytes: 50 }],
    reader: 'cut',
    writer: UNAVAILABLE,
    logged: { code: 'Timeout', level: 'warn' },
  },
  {
    name: 'cuts the connection in the middle of a body',
    onRead: [
      { kind: 'cut-answer', afterBytes: MIDDLE },
      { kind: 'cut-answer', afterBytes: 1 },
    ],
    onWrite: [{ kind: 'cut-upload', afterBytes: 50 }],
    reader: 'cut',
    writer: UNAVAILABLE,
    logged: { code: 'Unavailable', level: 'warn' },
  },
  {
    name: 'cuts the connection in place of the answer',
    onRead: [{ kind: 'lose-answer' }],
    onWrite: [{ kind: 'lose-answer' }],
    reader: UNAVAILABLE,
    writer: UNAVAILABLE,
    logged: { code: 'Unavailable', level: 'warn' },
    stores: true,
  },
  {
    name: 'answers slowly',
    onRead: [SLOW],
    onWrite: [SLOW],
    reader: 'success',
    writer: 'success',
    stores: true,
  },
  refusal('500 InternalError', FAILED, { code: 'Internal', level: 'error', nativeCode: 'InternalError' }),
  refusal(
    '503 SlowDown',
    { status: 503, code: 'SlowDown' },
    { code: 'SlowDown', level: 'warn', nativeCode: 'SlowDown' },
  ),
  refusal('403 InvalidAccessKeyId', FAILED, {
    code: 'Misconfigured',
    level: 'error',
    nativeCode: 'InvalidAccessKeyId',
  }),
  refusal('403 SignatureDoesNotMatch', FAILED, {
    code: 'Misconfigured',
    level: 'error',
    nativeCode: 'SignatureDoesNotMatch',
  }),
  refusal('400 ExpiredToken', FAILED, { code: 'Misconfigured', level: 'error', nativeCode: 'ExpiredToken' }),
  refusal('403 RequestTimeTooSkewed', FAILED, {
    code: 'Misconfigured',
    level: 'error',
    nativeCode: 'RequestTimeTooSkewed',
  }),
  refusal(
    '403 AccessDenied',
    { status: 403, code: 'AccessDenied' },
    { code: 'AccessDenied', level: 'warn', nativeCode: 'AccessDenied' },
  ),
];

/** Origins that no request reaches. */
export const UNREACHABLE = [
  { name: 'has a name that does not resolve', bucket: 'nowhere' },
  { name: 'shows a certificate that is not trusted', bucket: 'untrusted' },
  { name: 'refuses connections', bucket: 'refused' },
] as const;

export const UNREACHABLE_GETS = UNAVAILABLE;
export const CIRCUIT_OPEN = 'has failed several times in a row (circuit open)';
export const DISK_FULL = 'is a directory on a full disk (fs)';
export const DISK_FULL_GETS = FAILED;

function refusal(answer: string, gets: ClientGets, logged: NonNullable<OriginFault['logged']>): OriginFault {
  const [status = '', code = ''] = answer.split(' ');
  const fault: ProxyFault = { kind: 'answer', status: Number(status), code };
  return { name: `answers ${answer}`, onRead: [fault], onWrite: [fault], reader: gets, writer: gets, logged };
}
