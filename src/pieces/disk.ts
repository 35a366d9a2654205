// One disk of the shelf: its files, its health, its own bytes and who goes first. A file holds one piece; its name is
// never used twice, so that whoever still reads an old file reads old bytes of the right version, never a mixture.
//
// Health: a disk that is full or read-only serves what it holds and takes nothing new; one that fails otherwise is out.
// probe() brings it back once it can be written to and read from again.
import { createHash, randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { S3Fifo } from './eviction.ts';
import { FdCache } from './fd-cache.ts';
import { errorCode, type Files } from './files.ts';
import type { PieceKey } from './piece.ts';
import type { PieceObserver } from './piece-store.ts';

export interface DiskOptions {
  readonly path: string;
  readonly capacityBytes: number;
  readonly maxOpenFiles: number;
}

export type DiskState = 'in' | 'reading' | 'out';

/** The format's version: another format lives in another directory. */
const DISK_FORMAT = 'v1';
const DIRECTORY = /^[0-9a-f]{2}$/;
/** Twelve digits for the run of the gateway that made it, then its number in that run. */
const FILE_NAME = /^[0-9a-f]{12}-[0-9a-f]{2,}$/;
/** Taking no more, but what is there can be read. */
const ONLY_READING = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);
/** The process is out of descriptors or memory: no fault of the disk. */
const NOT_THE_DISK = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

export class Disk {
  /** Names the disk in LevelDB: a hash of its path, so that rows of a disk no longer configured are told apart. */
  readonly id: string;
  readonly path: string;
  readonly capacityBytes: number;
  readonly policy: S3Fifo<PieceKey>;
  /** Allotted to our files, those on their way out included. */
  usedBytes = 0;
  /** Of usedBytes, what is being removed. */
  leavingBytes = 0;
  unitBytes = 4096;
  readonly #root: string;
  readonly #files: Files;
  readonly #fds: FdCache;
  readonly #observer: PieceObserver;
  readonly #run = randomBytes(6).toString('hex');
  #fileNumber = 0;
  #state: DiskState = 'in';
  #probing: Promise<void> | undefined;
  readonly #creating = new Map<string, Promise<void>>();
  readonly #removing = new Set<Promise<void>>();
  /** Files that would not be removed, with their bytes: tried again when the disk is back. */
  readonly #leftovers = new Map<string, number>();

  constructor(deps: { files: Files; observer: PieceObserver }, options: DiskOptions) {
    this.path = resolve(options.path);
    this.id = createHash('sha256').update(this.path).digest('hex').slice(0, 8);
    this.#root = join(this.path, DISK_FORMAT, 'pieces');
    this.capacityBytes = options.capacityBytes;
    this.policy = new S3Fifo({ capacityBytes: options.capacityBytes });
    this.#files = deps.files;
    this.#fds = new FdCache({ files: deps.files }, { maxOpen: options.maxOpenFiles });
    this.#observer = deps.observer;
  }

  get state(): DiskState {
    return this.#state;
  }

  get weight(): number {
    return this.capacityBytes;
  }

  /** Makes the root. A disk that cannot even do this starts out. */
  async open(): Promise<void> {
    try {
      await this.#files.makeDirectory(this.#root);
      this.unitBytes = await this.#files.unitBytes(this.path);
    } catch (error) {
      this.failed(error);
    }
  }

  /** What the file system allots for these bytes at the end of a file. */
  allotted(bytes: number): number {
    return Math.ceil(bytes / this.unitBytes) * this.unitBytes;
  }

  newFile(): string {
    this.#fileNumber += 1;
    return `${this.#run}-${this.#fileNumber.toString(16).padStart(2, '0')}`;
  }

  static isFileName(name: string): boolean {
    return FILE_NAME.test(name);
  }

  /** Of this run: younger than anything a look at the directory could call an orphan. */
  isOwn(file: string): boolean {
    return file.startsWith(`${this.#run}-`);
  }

  read(file: string, buffer: Uint8Array, position: number): Promise<number> {
    return this.#fds.use(this.#pathOf(file), false, (fd) => this.#files.read(fd, buffer, position));
  }

  /** Rejects when it is there already. */
  create(file: string): Promise<void> {
    const creating = this.#create(file).finally(() => this.#creating.delete(file));
    this.#creating.set(file, creating);
    return creating;
  }

  async #create(file: string): Promise<void> {
    const path = this.#pathOf(file);
    const open = (): Promise<void> => this.#fds.use(path, true, () => Promise.resolve());
    try {
      await open();
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      await this.#files.makeDirectory(dirname(path));
      await open();
    }
  }

  async write(file: string, bytes: Uint8Array, position: number): Promise<void> {
    await this.#fds.use(this.#pathOf(file), false, (fd) => this.#files.write(fd, bytes, position));
  }

  /** Cuts a file that is longer, and answers what the file system allots for it after. */
  async cutTo(file: string, sizeBytes: number): Promise<number> {
    const path = this.#pathOf(file);
    const facts = await this.#files.facts(path);
    if (facts.sizeBytes <= sizeBytes) return facts.allocatedBytes;
    await this.#files.truncate(path, sizeBytes);
    return (await this.#files.facts(path)).allocatedBytes;
  }

  /** Never rejects: what will not go is tried again when the disk is back, and counts as ours until then. */
  remove(file: string, allocatedBytes: number): Promise<void> {
    this.leavingBytes += allocatedBytes;
    const removing = this.#remove(file, allocatedBytes).finally(() => {
      this.leavingBytes -= allocatedBytes;
      this.#removing.delete(removing);
    });
    this.#removing.add(removing);
    return removing;
  }

  async removals(): Promise<void> {
    await Promise.all(this.#removing);
  }

  /** Says what became of the disk; false when the error is not the disk's. */
  failed(error: unknown): boolean {
    const code = errorCode(error);
    if (code !== undefined && NOT_THE_DISK.has(code)) return false;
    const reading = code !== undefined && ONLY_READING.has(code) && this.#state !== 'out';
    const state: DiskState = reading ? 'reading' : 'out';
    if (state === this.#state) return true;
    this.#state = state;
    this.#observer.diskFailed({ disk: this.path, reading, error });
    return true;
  }

  /** Tries a disk that failed: writes, reads, removes. */
  probe(): Promise<void> {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  async #probe(): Promise<void> {
    if (this.#state === 'in') return;
    const file = `${this.#run}-00`;
    const sent = randomBytes(this.unitBytes);
    try {
      this.#fds.dismissAll();
      await this.#files.makeDirectory(this.#root);
      await this.#removeProbe(file);
      await this.create(file);
      await this.write(file, sent, 0);
      const back = Buffer.alloc(sent.length);
      await this.read(file, back, 0);
      await this.#removeProbe(file);
      if (!sent.equals(back)) return;
    } catch {
      // Still failing: it was reported when it began. What the probe left behind is removed by the next one.
      return;
    }
    this.#state = 'in';
    this.#observer.diskHealed({ disk: this.path });
    for (const [leftover, bytes] of [...this.#leftovers]) {
      this.#leftovers.delete(leftover);
      await this.remove(leftover, bytes);
    }
  }

  /** All files, a directory at a time. */
  async *list(): AsyncGenerator<readonly string[], void, undefined> {
    for (const directory of await this.#files.list(this.#root)) {
      if (DIRECTORY.test(directory)) yield await this.#files.list(join(this.#root, directory));
    }
  }

  async close(): Promise<void> {
    await this.removals();
    await this.#fds.close();
  }

  async #remove(file: string, allocatedBytes: number): Promise<void> {
    const path = this.#pathOf(file);
    // A file that is just being made would come back after it was removed. Why it could not be made is told elsewhere.
    await Promise.allSettled([this.#creating.get(file)]);
    this.#fds.dismiss(path);
    try {
      await this.#files.remove(path);
      this.usedBytes -= allocatedBytes;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') {
        this.usedBytes -= allocatedBytes;
      } else {
        this.#leftovers.set(file, allocatedBytes);
        this.failed(error);
      }
    }
  }

  async #removeProbe(file: string): Promise<void> {
    this.#fds.dismiss(this.#pathOf(file));
    try {
      await this.#files.remove(this.#pathOf(file));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  /** Spread by the last digits of the file's number. */
  #pathOf(file: string): string {
    return `${this.#root}/${file.slice(-2)}/${file}`;
  }
}
