// HMAC-SHA-256 (RFC 2104) as two one-shot hashes. An Hmac of node's is an object with native memory behind it: for the
// short texts that are signed, making it and collecting it again costs several times what the hashing does.
import { hash, timingSafeEqual } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/** A key with both its paddings applied. */
export interface HmacKey {
  readonly inner: Uint8Array;
  readonly outer: Uint8Array;
}

export function hmacKey(secret: Uint8Array): HmacKey {
  const short = secret.length > BLOCK_BYTES ? hash('sha256', secret, 'buffer') : secret;
  const padded = (padding: number) => Uint8Array.from({ length: BLOCK_BYTES }, (_, at) => (short[at] ?? 0) ^ padding);
  return { inner: padded(0x36), outer: padded(0x5c) };
}

/** Written over by each call; nothing here waits in between. */
const innerRoom = Buffer.allocUnsafeSlow(BLOCK_BYTES + 1024);
const outerRoom = Buffer.allocUnsafeSlow(BLOCK_BYTES + DIGEST_BYTES);

/** Of text that is latin1, a byte a character. */
export function hmacHex(key: HmacKey, text: string): string {
  const length = BLOCK_BYTES + text.length;
  const message = length <= innerRoom.length ? innerRoom.subarray(0, length) : Buffer.allocUnsafe(length);
  message.set(key.inner);
  message.write(text, BLOCK_BYTES, 'latin1');
  outerRoom.set(key.outer);
  outerRoom.write(hash('sha256', message, 'binary'), BLOCK_BYTES, 'latin1');
  return hash('sha256', outerRoom, 'hex');
}

const expectedRoom = Buffer.allocUnsafeSlow(2 * DIGEST_BYTES);
const givenRoom = Buffer.allocUnsafeSlow(2 * DIGEST_BYTES);

/** In constant time for signatures of the right length. */
export function sameSignature(expected: string, given: string): boolean {
  if (expected.length !== given.length) return false;
  // Those of Version 2 are shorter, and rare.
  if (expected.length !== expectedRoom.length) {
    return timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(given, 'latin1'));
  }
  expectedRoom.write(expected, 'latin1');
  givenRoom.write(given, 'latin1');
  return timingSafeEqual(expectedRoom, givenRoom);
}
