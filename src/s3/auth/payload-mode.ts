// What a request says of its body before the first byte: x-amz-content-sha256, in one of six spellings.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
import { hash } from 'node:crypto';
import { S3Error } from '../errors.ts';
import type { ChunkSeed } from './chunk-signatures.ts';

export type PayloadMode =
  /** The body's SHA-256 is in the signature. */
  | { readonly kind: 'single'; readonly sha256: Buffer }
  | { readonly kind: 'unsigned' }
  /** aws-chunked. With a seed each chunk is signed in a chain that begins there. */
  | { readonly kind: 'streaming'; readonly seed?: ChunkSeed | undefined; readonly trailer: boolean };

/** `seed` is undefined for an unsigned request, which no chain can begin with. */
export function payloadMode(word: string | undefined, seed: ChunkSeed | undefined): PayloadMode {
  switch (word) {
    case undefined:
    case 'UNSIGNED-PAYLOAD':
      return { kind: 'unsigned' };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'streaming', trailer: true };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'streaming', seed: signed(seed), trailer: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'streaming', seed: signed(seed), trailer: true };
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER':
      throw new S3Error('NotImplemented', 'Signature Version 4A is not implemented; sign with AWS4-HMAC-SHA256.');
    default:
      return { kind: 'single', sha256: digestOf(word) };
  }
}

function signed(seed: ChunkSeed | undefined): ChunkSeed {
  if (seed !== undefined) return seed;
  throw new S3Error('InvalidRequest', 'The chunks of an unsigned request cannot be signed.');
}

/** Of most reads. */
const OF_NOTHING = { hex: hash('sha256', '', 'hex'), digest: hash('sha256', '', 'buffer') };

function digestOf(word: string): Buffer {
  if (word === OF_NOTHING.hex) return OF_NOTHING.digest;
  if (/^[0-9a-f]{64}$/i.test(word)) return Buffer.from(word, 'hex');
  throw new S3Error(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, ' +
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    { details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: word } },
  );
}
