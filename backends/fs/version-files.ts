// Files of versions on their way between an object's place in its bucket and the versions' directory. Each step can be
// repeated after a crash: a file that is not where it would come from has been moved already.
import { rename, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './disk-error.ts';
import { type FileStamp, makeDirectories, stampAt, syncParent } from './durable-file.ts';
import type { Layout } from './layout.ts';

export class VersionFiles {
  readonly #layout: Layout;
  readonly #fsync: boolean;

  constructor(layout: Layout, options: { readonly fsync: boolean }) {
    this.#layout = layout;
    this.#fsync = options.fsync;
  }

  /** From an object's place to one below the versions' directory. */
  async keep(object: string, path: string, stamp: FileStamp): Promise<void> {
    const target = this.#layout.version(path);
    if ((await stampAt(target)) === stamp || (await stampAt(object)) !== stamp) return;
    await makeDirectories(this.#layout.versions, dirname(path), this.#fsync);
    await this.#rename(object, target);
  }

  /** Back again, in place of whatever file is there. Rejects as rename does where a directory is. */
  async restore(path: string, stamp: FileStamp, object: string): Promise<void> {
    const source = this.#layout.version(path);
    if ((await stampAt(source)) !== stamp) return;
    await this.#rename(source, object);
    // Where both were names of one file, as a copy makes them, its rename left the first.
    await rm(source, { force: true });
  }

  async drop(path: string): Promise<void> {
    const file = this.#layout.version(path);
    try {
      await unlink(file);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      throw error;
    }
    if (this.#fsync) await syncParent(file);
  }

  async #rename(from: string, to: string): Promise<void> {
    await rename(from, to);
    if (!this.#fsync) return;
    await syncParent(to);
    await syncParent(from);
  }
}
