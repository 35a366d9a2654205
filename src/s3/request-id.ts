// The IDs that answers and logs tell requests by: random, drawn many at a time, for one draw costs as much as a signature.
import { randomBytes } from 'node:crypto';

const ID_DIGITS = 16;
const DRAWN_AT_ONCE = 512;

let drawn = '';
let used = 0;

/** 16 upper-case hexadecimal digits. */
export function requestId(): string {
  if (used === drawn.length) {
    drawn = randomBytes((ID_DIGITS / 2) * DRAWN_AT_ONCE)
      .toString('hex')
      .toUpperCase();
    used = 0;
  }
  used += ID_DIGITS;
  return drawn.slice(used - ID_DIGITS, used);
}
