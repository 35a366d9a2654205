// Open files, the least recently used closed first: opening a file costs more than reading a small object from it.
// A file in use is closed when its last use ends. Files are opened for reading and writing where the disk allows.
import { errorCode, type Files } from './files.ts';

interface OpenFile {
  readonly fd: Promise<number>;
  users: number;
  /** No longer in the cache: the last user closes it. */
  dismissed: boolean;
}

export class FdCache {
  readonly #files: Pick<Files, 'open' | 'close'>;
  readonly #maxOpen: number;
  /** Map order is order of use. */
  readonly #open = new Map<string, OpenFile>();
  readonly #closing = new Set<Promise<void>>();

  constructor(deps: { files: Pick<Files, 'open' | 'close'> }, options: { maxOpen: number }) {
    this.#files = deps.files;
    this.#maxOpen = options.maxOpen;
  }

  /** `create`: the file is not there yet (and is opened again if it is in the cache). */
  async use<T>(path: string, create: boolean, act: (fd: number) => Promise<T>): Promise<T> {
    const file = this.#take(path, create);
    try {
      return await act(await file.fd);
    } finally {
      file.users -= 1;
      if (file.dismissed && file.users === 0) this.#close(file);
    }
  }

  /** Closes it as soon as it is not in use; the next use opens it anew. */
  dismiss(path: string): void {
    const file = this.#open.get(path);
    if (file === undefined) return;
    this.#open.delete(path);
    file.dismissed = true;
    if (file.users === 0) this.#close(file);
  }

  dismissAll(): void {
    for (const path of [...this.#open.keys()]) this.dismiss(path);
  }

  async close(): Promise<void> {
    this.dismissAll();
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  #take(path: string, create: boolean): OpenFile {
    const known = this.#open.get(path);
    const file = known ?? { fd: this.#openFile(path, create), users: 0, dismissed: false };
    this.#open.delete(path);
    this.#open.set(path, file);
    file.users += 1;
    if (known === undefined) {
      // A failed open is forgotten; whoever waits for the fd is told.
      file.fd.catch(() => {
        if (this.#open.get(path) === file) this.#open.delete(path);
        file.dismissed = true;
      });
      this.#shrink();
    }
    return file;
  }

  async #openFile(path: string, create: boolean): Promise<number> {
    if (create) return this.#files.open(path, 'create');
    try {
      return await this.#files.open(path, 'update');
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'EROFS' && code !== 'EACCES' && code !== 'EPERM') throw error;
      return this.#files.open(path, 'read');
    }
  }

  #shrink(): void {
    for (const [path] of this.#open) {
      if (this.#open.size <= this.#maxOpen) return;
      this.dismiss(path);
    }
  }

  #close(file: OpenFile): void {
    // A file that would not open has nothing to close; one that will not close was only read or is proved by digest.
    const closing = file.fd.then((fd) => this.#files.close(fd)).catch(() => undefined);
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }
}
