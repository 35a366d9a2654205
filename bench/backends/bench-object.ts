// The one object of the backend bench, the same bytes in both directions: a chunk over and over.
import { createCRC64 } from 'hash-wasm';

const CHUNK = Buffer.alloc(64 * 1024, 'dfstore');

/** Its bytes from `fromBytes` on, at most a chunk of them; empty at its end. */
export function chunkAt(fromBytes: number, sizeBytes: number): Buffer {
  return CHUNK.subarray(0, Math.max(0, Math.min(CHUNK.length, sizeBytes - fromBytes)));
}

/** As OSS tells it. */
export async function crc64Of(sizeBytes: number): Promise<string> {
  const hasher = await createCRC64();
  hasher.init();
  for (let at = 0; at < sizeBytes; at += CHUNK.length) hasher.update(chunkAt(at, sizeBytes));
  return BigInt(`0x${hasher.digest('hex')}`).toString();
}
