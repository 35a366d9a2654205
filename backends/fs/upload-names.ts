// Ids of multipart uploads: in the order in which they were begun, and not to be guessed.
import { randomBytes } from 'node:crypto';

export class UploadIds {
  #last = 0;

  /** Greater than every id given before, as text. */
  next(now: Date): string {
    this.#last = Math.max(this.#last + 1, now.getTime() * 1_000);
    return `${this.#last.toString(36).padStart(12, '0')}${randomBytes(12).toString('hex')}`;
  }
}

export function isUploadId(text: string): boolean {
  return /^[0-9a-z]{36}$/.test(text);
}

/** What follows the bucket in an upload's row name. */
export function uploadOfRow(name: string): { key: string; uploadId: string } {
  const end = name.indexOf('\0');
  return { key: name.slice(0, end), uploadId: name.slice(end + 1) };
}
