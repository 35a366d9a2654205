// The files beneath a prefix in the order of their keys: a stack of directory cursors, deepest last. Memory is one page
// of the namenode for each level. Where it stands is a list of places, so that a listing goes on in another request.
import { DirectoryCursor, type Place, type ReadEntries } from './directory-cursor.ts';
import { compareKeys } from './key-order.ts';
import type { FileStatus } from './protocol.ts';

export interface WalkOptions {
  /** '' or ends in '/'. */
  readonly directory: string;
  /** Of the entries of `directory` itself. */
  readonly namePrefix: string;
  /** False: directories are given out as keys that end in '/', and not walked. */
  readonly deep: boolean;
  /** Exclusive. */
  readonly startAfter?: string | undefined;
}

export interface Walked {
  readonly key: string;
  /** Undefined: a directory, of a walk that is not deep. */
  readonly file?: FileStatus | undefined;
}

export interface WalkPlace extends Place {
  /** Of the level's directory within the one above; '' at the first. */
  readonly name: string;
}

/** Of a directory ('' or ending in '/'), the entries whose names begin with the prefix. */
export type ReadDirectory = (directory: string, namePrefix: string) => ReadEntries;

interface Level {
  readonly name: string;
  readonly directory: string;
  readonly cursor: DirectoryCursor;
}

export class TreeWalk {
  readonly #read: ReadDirectory;
  readonly #options: WalkOptions;
  readonly #levels: Level[] = [];

  constructor(read: ReadDirectory, options: WalkOptions, places: readonly WalkPlace[] = []) {
    this.#read = read;
    this.#options = options;
    if (places.length === 0) this.#enter('', undefined);
    for (const place of places) this.#enter(place.name, place);
  }

  places(): WalkPlace[] {
    return this.#levels.map(({ name, cursor }) => ({ name, ...cursor.place() }));
  }

  async next(signal: AbortSignal): Promise<Walked | undefined> {
    for (;;) {
      const level = this.#levels.at(-1);
      if (level === undefined) return undefined;
      const entry = await level.cursor.next(signal);
      if (entry === undefined) {
        this.#levels.pop();
        continue;
      }
      const key = level.directory + entry.name + (entry.file === undefined ? '/' : '');
      if (this.#isBefore(key)) continue;
      if (entry.file !== undefined) return { key, file: entry.file };
      if (this.#options.deep) this.#enter(entry.name, undefined);
      else if (await this.#hasKeysAfterStart(key, signal)) return { key };
    }
  }

  #enter(name: string, place: Place | undefined): void {
    const above = this.#levels.at(-1);
    const directory = above === undefined ? this.#options.directory : `${above.directory}${name}/`;
    const namePrefix = above === undefined ? this.#options.namePrefix : '';
    this.#levels.push({
      name,
      directory,
      cursor: new DirectoryCursor(this.#read(directory, namePrefix), namePrefix, place),
    });
  }

  /** A directory that startAfter lies in is not before it. */
  #isBefore(key: string): boolean {
    const { startAfter } = this.#options;
    if (startAfter === undefined || (key.endsWith('/') && startAfter.startsWith(key))) return false;
    return compareKeys(key, startAfter) <= 0;
  }

  async #hasKeysAfterStart(directory: string, signal: AbortSignal): Promise<boolean> {
    const { startAfter } = this.#options;
    if (startAfter === undefined || !startAfter.startsWith(directory)) return true;
    if (startAfter === directory) return false;
    const walk = new TreeWalk(this.#read, { directory, namePrefix: '', deep: true, startAfter });
    return (await walk.next(signal)) !== undefined;
  }
}
