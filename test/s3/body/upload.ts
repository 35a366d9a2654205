// Uploads as clients send them, for tests: bodies framed and signed by the test's own hand, cut as a network cuts them.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ChecksumAlgorithm, UploadBody } from '../../../backends/backend.ts';
import { createHasher } from '../../../backends/checksums.ts';
import { Authenticator } from '../../../src/s3/auth/authenticate.ts';
import { credentialList } from '../../../src/s3/auth/credentials.ts';
import type { PayloadMode } from '../../../src/s3/auth/payload-mode.ts';
import { openUploadBody } from '../../../src/s3/body/upload-body.ts';
import type { S3Error } from '../../../src/s3/errors.ts';
import type { S3Request } from '../../../src/s3/request.ts';
import {
  ACCESS_KEY_ID,
  chunkSigner,
  EXAMPLE_NOW,
  SECRET_ACCESS_KEY,
  signatureOf,
  signedInHeader,
} from '../auth/signer.ts';

export type Streaming =
  | 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
  | 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
  | 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

export const STREAMING: readonly Streaming[] = [
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
];

export const OPTIONS = { wantsMd5: false, maxBytes: 1 << 30 };

const authenticator = new Authenticator(
  {
    credentials: credentialList([
      { name: 'test', account: 'test', accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
    ]),
    now: () => EXAMPLE_NOW,
  },
  { anonymous: [], maxSkewMs: 0 },
);

interface Upload {
  readonly request: S3Request;
  readonly payload: PayloadMode;
}

/** A PUT with these headers, signed, whose body comes as these buffers. */
export function upload(headers: Readonly<Record<string, string>>, body: Readable | readonly Uint8Array[] = []): Upload {
  const stream = body instanceof Readable ? body : source(body);
  const request = signedInHeader({ method: 'PUT', path: '/bucket/key', headers, body: stream });
  return { request, payload: authenticator.authenticate(request).payload };
}

/** A PUT with a plain body whose hash is in the signature. */
export function plainUpload(bytes: Buffer, headers: Readonly<Record<string, string>> = {}): Upload {
  return upload(
    { 'content-length': String(bytes.length), 'x-amz-content-sha256': hashHex('sha256', bytes), ...headers },
    [bytes],
  );
}

interface Framing {
  readonly mode: Streaming;
  /** The bytes of each chunk, without the last empty one. */
  readonly chunks: readonly Buffer[];
  /** Lower-case names and values; default: the CRC32, where the mode has trailers. */
  readonly trailers?: readonly (readonly [string, string])[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The head of a chunked upload and the bytes that follow it, whole. */
export function framed({ mode, chunks, headers, ...rest }: Framing): { headers: Record<string, string>; wire: Buffer } {
  const hasTrailer = mode.endsWith('-TRAILER');
  const bytes = Buffer.concat(chunks);
  const trailers = rest.trailers ?? (hasTrailer ? [['x-amz-checksum-crc32', checksum('CRC32', bytes)] as const] : []);
  const sent = {
    'x-amz-content-sha256': mode,
    'x-amz-decoded-content-length': String(bytes.length),
    ...(trailers.length > 0 && { 'x-amz-trailer': trailers.map(([name]) => name).join(',') }),
    ...headers,
  };
  const isSigned = mode !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
  const signer = isSigned ? chunkSigner(signatureOf(upload(sent).request)) : undefined;
  const wire: Uint8Array[] = [...chunks, Buffer.alloc(0)].flatMap((chunk) => {
    const extension = signer === undefined ? '' : `;chunk-signature=${signer.chunk(chunk)}`;
    const line = Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`);
    return chunk.length === 0 ? [line] : [line, chunk, Buffer.from('\r\n')];
  });
  if (hasTrailer) {
    wire.push(Buffer.from(trailers.map(([name, value]) => `${name}:${value}\r\n`).join('')));
    if (signer !== undefined) {
      const signature = signer.trailer(trailers.map(([name, value]) => `${name}:${value}\n`).join(''));
      wire.push(Buffer.from(`x-amz-trailer-signature:${signature}\r\n`));
    }
  }
  return { headers: sent, wire: Buffer.concat([...wire, Buffer.from('\r\n')]) };
}

export function framedUpload(framing: Framing, cuts: readonly number[] = []): Upload {
  const { headers, wire } = framed(framing);
  return upload(headers, cut(wire, cuts));
}

/** Bytes in pieces that end at these places. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((one, other) => one - other);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

/** A stream of exactly these buffers, as a socket gives them. */
export function source(buffers: readonly Uint8Array[]): Readable {
  const rest = buffers.filter((buffer) => buffer.length > 0).map((buffer) => Buffer.from(buffer));
  return new Readable({
    read() {
      this.push(rest.shift() ?? null);
    },
  });
}

export interface Outcome {
  /** All that was given out, whether or not the body came to its end. */
  readonly given: Buffer;
  readonly error: S3Error | undefined;
  readonly body: UploadBody | undefined;
}

/** What becomes of an upload: taken the moment it is given out, to its end or to its error. */
export async function outcome({ request, payload }: Upload, options = OPTIONS): Promise<Outcome> {
  const given: Buffer[] = [];
  let body: UploadBody | undefined;
  try {
    body = openUploadBody(request, payload, options);
    body.stream.on('data', (chunk: Buffer) => given.push(chunk));
    await finished(body.stream);
    return { given: Buffer.concat(given), error: undefined, body };
  } catch (error) {
    return { given: Buffer.concat(given), error: error as S3Error, body };
  }
}

export function checksum(algorithm: ChecksumAlgorithm | 'MD5', bytes: Uint8Array): string {
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  return hasher.digest().toString('base64');
}

export function hashHex(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex');
}
