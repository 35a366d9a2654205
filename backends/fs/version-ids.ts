// Ids of versions, and their place among the versions of a key. An id begins with its version's order, so a version is
// found by its id without a search; the rest of it is not to be guessed.
import { randomBytes } from 'node:crypto';

/** Orders sort as text, the newest first. 14 hexadecimal digits. */
const ORDER_DIGITS = 14;

export class VersionOrders {
  #last = 0;

  /** Before every order given so far and before `newest`, whatever the clock says. */
  next(now: Date, newest: string | undefined): string {
    const least = newest === undefined ? 0 : sequenceOf(newest) + 1;
    this.#last = Math.max(this.#last + 1, least, now.getTime() * 1_000);
    return orderOf(this.#last);
  }
}

/** Of an object that was written before its bucket had versions. */
export function orderAt(lastModified: number): string {
  return orderOf(lastModified * 1_000);
}

export function newVersionId(order: string): string {
  return order + randomBytes(9).toString('hex');
}

/** Undefined: no version has such an id. */
export function orderOfVersionId(versionId: string): string | undefined {
  return /^[0-9a-f]{32}$/.test(versionId) ? versionId.slice(0, ORDER_DIGITS) : undefined;
}

function orderOf(sequence: number): string {
  return (Number.MAX_SAFE_INTEGER - sequence).toString(16).padStart(ORDER_DIGITS, '0');
}

function sequenceOf(order: string): number {
  return Number.MAX_SAFE_INTEGER - Number.parseInt(order, 16);
}
