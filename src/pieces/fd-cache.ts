// Open files, those that nobody used lately closed first: opening a file costs more than reading a small object from it.
// A file in use is closed when its last use ends. Files are opened for reading and writing where the disk allows.
import { errorCode, type Files } from './files.ts';

interface OpenFile {
  readonly opening: Promise<number>;
  /** Once it is open: most uses wait for nothing. */
  fd: number | undefined;
  /** Since it was last looked at for closing: then it stays until it is looked at again. */
  usedAgain: boolean;
  users: number;
  /** No longer in the cache: the last user closes it. */
  dismissed: boolean;
}

export class FdCache {
  readonly #files: Pick<Files, 'open' | 'close'>;
  readonly #maxOpen: number;
  /** In the order in which they are looked at for closing. */
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
      return await act(file.fd ?? (await file.opening));
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
    const file = this.#open.get(path) ?? this.#add(path, create);
    file.usedAgain = file.users > 0 || file.fd !== undefined;
    file.users += 1;
    if (file.fd === undefined) this.#shrink();
    return file;
  }

  #add(path: string, create: boolean): OpenFile {
    const opening = this.#openFile(path, create);
    const file: OpenFile = { opening, fd: undefined, usedAgain: false, users: 0, dismissed: false };
    this.#open.set(path, file);
    opening.then(
      (fd) => {
        file.fd = fd;
      },
      // A failed open is forgotten; whoever waits for the fd is told.
      () => {
        if (this.#open.get(path) === file) this.#open.delete(path);
        file.dismissed = true;
      },
    );
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
    // Files that are looked at again come last, so this ends: nobody uses one meanwhile.
    for (const [path, file] of this.#open) {
      if (this.#open.size <= this.#maxOpen) return;
      if (file.usedAgain) {
        file.usedAgain = false;
        this.#open.delete(path);
        this.#open.set(path, file);
      } else this.dismiss(path);
    }
  }

  #close(file: OpenFile): void {
    // A file that would not open has nothing to close; one that will not close was only read or is proved by digest.
    const closing = file.opening.then((fd) => this.#files.close(fd)).catch(() => undefined);
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }
}
