// Room kept for the hour when other programs have filled the disk: a file that is given up so that the index can be
// opened again and objects be deleted. It is made anew when the root is opened with enough room.
import { randomBytes } from 'node:crypto';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendError } from '../backend.ts';
import { diskError, errorCode } from './disk-error.ts';
import type { Layout } from './layout.ts';

/** Several times what LevelDB writes when it opens (its log is at most 4 MiB). */
const BALLAST_MAX_BYTES = 16 * 1024 * 1024;

export class Ballast {
  readonly #path: string;
  readonly #layout: Layout;
  readonly #reserveBytes: number;

  constructor(layout: Layout, options: { readonly reserveBytes: number }) {
    this.#layout = layout;
    this.#path = join(layout.index, '..', 'ballast');
    this.#reserveBytes = options.reserveBytes;
  }

  /** Does nothing when it is there, or when the disk is too full for it. */
  async take(): Promise<void> {
    const sizeBytes = Math.min(BALLAST_MAX_BYTES, Math.floor(this.#reserveBytes / 4));
    const { bavail, bsize } = await statfs(this.#layout.tmp);
    if (sizeBytes === 0 || bavail * bsize < this.#reserveBytes + sizeBytes) return;
    try {
      // Random, because file systems store zeros as nothing.
      await writeFile(this.#path, randomBytes(sizeBytes), { flag: 'wx' });
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }

  /** Tries once more without the ballast when the disk was full. */
  async orWithout<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (diskError(error).code !== 'OutOfSpace') throw error;
      await rm(this.#path, { force: true });
      return work();
    }
  }
}

/** Rejects with OutOfSpace when less than the reserve is left. */
export async function requireSpace(layout: Layout, reserveBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(layout.tmp);
  if (bavail * bsize >= reserveBytes) return;
  const message = `Less than the reserve of ${reserveBytes} bytes is free below ${layout.root}: free space.`;
  throw new BackendError('OutOfSpace', message);
}
