// A signer of its own for tests, written from AWS's description alone: text is UTF-8 here, and nothing is shared with
// what it tests. Requests come out as the gateway sees them.
import { createHash, createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import type { S3Request } from '../../../src/s3/request.ts';

export const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
export const SECRET_ACCESS_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
/** The instant of all of AWS's examples. */
export const EXAMPLE_TIME = '20130524T000000Z';
export const EXAMPLE_NOW = new Date('2013-05-24T00:00:00Z');
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export interface Unsigned {
  readonly method?: string;
  /** As sent. */
  readonly path?: string;
  readonly query?: readonly (readonly [string, string])[];
  /** Lower-case names; values as text, sent as UTF-8. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable;
}

interface Signing {
  readonly region?: string;
  readonly time?: string;
  readonly accessKeyId?: string;
  readonly secret?: string;
  /** Default: all headers. */
  readonly signedHeaders?: readonly string[];
  /** What to sign instead of what is sent. */
  readonly canonical?: { readonly path?: string; readonly host?: string };
}

/** The request as it arrives, unsigned. */
export function received(request: Unsigned): S3Request {
  const headers = { host: 's3.example.com', ...request.headers };
  return {
    id: 'test',
    method: request.method ?? 'GET',
    rawPath: request.path ?? '/',
    query: request.query ?? [],
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')]),
    ),
    bucket: undefined,
    key: undefined,
    remoteAddress: '127.0.0.1',
    secure: false,
    body: request.body ?? Readable.from([]),
    proceed: () => {},
  };
}

/** With a signature in its Authorization header. */
export function signedInHeader(request: Unsigned, signing: Signing = {}): S3Request {
  const time = signing.time ?? EXAMPLE_TIME;
  const headers = {
    host: 's3.example.com',
    'x-amz-date': time,
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    ...request.headers,
  };
  const names = [...(signing.signedHeaders ?? Object.keys(headers))].sort();
  const { scope, signature } = sign({ ...request, headers }, names, headers['x-amz-content-sha256'], time, signing);
  const credential = `${signing.accessKeyId ?? ACCESS_KEY_ID}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return received({ ...request, headers: { ...headers, authorization } });
}

/** With a signature in its query. `overrides` replace or (undefined) leave out parameters before it is signed. */
export function presigned(
  request: Unsigned,
  signing: Signing & { overrides?: Readonly<Record<string, string | undefined>> } = {},
): S3Request {
  const time = signing.time ?? EXAMPLE_TIME;
  const headers = { host: 's3.example.com', ...request.headers };
  const names = [...(signing.signedHeaders ?? Object.keys(headers))].sort();
  const parameters: Record<string, string | undefined> = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${signing.accessKeyId ?? ACCESS_KEY_ID}/${scopeOf(time, signing)}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': '86400',
    'X-Amz-SignedHeaders': names.join(';'),
    ...signing.overrides,
  };
  const query = [...(request.query ?? []), ...Object.entries(parameters)].filter(
    (pair): pair is readonly [string, string] => pair[1] !== undefined,
  );
  const payload = query.find(([name]) => name === 'X-Amz-Content-Sha256')?.[1] ?? 'UNSIGNED-PAYLOAD';
  const { signature } = sign({ ...request, headers, query }, names, payload, time, signing);
  return received({ ...request, headers, query: [...query, ['X-Amz-Signature', signature]] });
}

/** The chain of chunk signatures, as a client makes it. */
export function chunkSigner(seed: string, signing: Signing = {}) {
  const time = signing.time ?? EXAMPLE_TIME;
  const prefix = (kind: string) => `AWS4-HMAC-SHA256-${kind}\n${time}\n${scopeOf(time, signing)}\n`;
  let previous = seed;
  return {
    chunk(bytes: Uint8Array): string {
      previous = hmac(keyOf(time, signing), `${prefix('PAYLOAD')}${previous}\n${EMPTY_SHA256}\n${sha256(bytes)}`);
      return previous;
    },
    trailer(lines: string): string {
      return hmac(keyOf(time, signing), `${prefix('TRAILER')}${previous}\n${sha256(lines)}`);
    },
  };
}

/** The signature at the end of an Authorization header. */
export function signatureOf(request: S3Request): string {
  return request.headers.authorization?.slice(-64) ?? '';
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function sign(request: Unsigned, names: readonly string[], payload: string, time: string, signing: Signing) {
  const headers: Record<string, string> = { ...request.headers };
  if (signing.canonical?.host !== undefined) headers.host = signing.canonical.host;
  const canonical = [
    request.method ?? 'GET',
    signing.canonical?.path ?? request.path ?? '/',
    (request.query ?? [])
      .map((pair) => pair.map(percentEncode).join('='))
      .sort(byName)
      .join('&'),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().split(/ +/).join(' ')}`),
    '',
    names.join(';'),
    payload,
  ].join('\n');
  const scope = scopeOf(time, signing);
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
  return { scope, signature: hmac(keyOf(time, signing), text) };
}

function scopeOf(time: string, { region = 'us-east-1' }: Signing): string {
  return `${time.slice(0, 8)}/${region}/s3/aws4_request`;
}

function keyOf(time: string, { region = 'us-east-1', secret = SECRET_ACCESS_KEY }: Signing): Buffer {
  let key = Buffer.from(`AWS4${secret}`);
  for (const part of [time.slice(0, 8), region, 's3', 'aws4_request']) {
    key = createHmac('sha256', key).update(part).digest();
  }
  return key;
}

function hmac(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

function percentEncode(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9._~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** By name, then value: '=' would sort behind some characters of names. */
function byName(one: string, other: string): number {
  const [left, right] = [one.replace('=', '\0'), other.replace('=', '\0')];
  return left < right ? -1 : left > right ? 1 : 0;
}
