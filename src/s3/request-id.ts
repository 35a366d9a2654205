// The IDs that answers and logs tell requests by: random, drawn many at a time, for one draw costs as much as a signature.
import { randomBytes } from 'node:crypto';

const ID_BYTES = 8;
const DRAWN_AT_ONCE = 512;

let drawn = Buffer.alloc(0);
let used = 0;

/** 16 upper-case hexadecimal digits. */
export function requestId(): string {
  if (used === drawn.length) {
    drawn = randomBytes(ID_BYTES * DRAWN_AT_ONCE);
    used = 0;
  }
  used += ID_BYTES;
  return drawn.toString('hex', used - ID_BYTES, used).toUpperCase();
}
