// The entries of one directory in the order of S3's keys, one at a time, with a place to go on from that fits in a
// page's token. A namenode gives entries in pages, ordered by name as signed bytes; keys differ from that twice:
//   - A directory's keys begin with name + '/', so 'a/…' comes after 'a-b' and 'a.txt'. A directory is held back until
//     the entries before name + '/' have passed. Held back at any time are prefixes of one name: at most 255.
//   - Names beyond ASCII come first in HDFS and last in S3. From the first such name on, what is left of the directory
//     is read through for the next few thousand keys in order, and again for those after them: memory is bounded, and
//     such a directory costs its size in requests for every 4,000 entries.
import { compareKeys, isAscii } from './key-order.ts';
import type { FileStatus } from './protocol.ts';

/** Entries after a name in HDFS's order ('' from the beginning), a page of the namenode at a time. */
export type ReadEntries = (after: string, signal: AbortSignal) => AsyncIterable<readonly FileStatus[]>;

export interface Entry {
  readonly name: string;
  /** Undefined: a directory. */
  readonly file?: FileStatus | undefined;
}

export interface Place {
  /** Entries up to here, in HDFS's order, were given out or are held back. */
  readonly after: string;
  /** Names of directories held back. */
  readonly held: readonly string[];
  /** Set once a name beyond ASCII was met: entries up to here, in S3's order, were given out. */
  readonly sortedAfter?: string | undefined;
}

const SORTED_AT_ONCE = 4_000;

export class DirectoryCursor {
  readonly #read: ReadEntries;
  /** What all names begin with; characters beyond ASCII in it disturb no order. */
  readonly #namePrefix: string;
  #after: string;
  #held: string[];
  #sortedAfter: string | undefined;
  #pages: AsyncIterator<readonly FileStatus[]> | undefined;
  #page: readonly FileStatus[] = [];
  #position = 0;
  #sorted: Entry[] = [];

  constructor(read: ReadEntries, namePrefix: string, place?: Place) {
    this.#read = read;
    this.#namePrefix = namePrefix;
    this.#after = place?.after ?? '';
    this.#held = [...(place?.held ?? [])];
    this.#sortedAfter = place?.sortedAfter;
  }

  place(): Place {
    return { after: this.#after, held: [...this.#held], sortedAfter: this.#sortedAfter };
  }

  async next(signal: AbortSignal): Promise<Entry | undefined> {
    while (this.#sortedAfter === undefined) {
      const head = await this.#peek(signal);
      if (head !== undefined && !isAscii(head.pathSuffix.slice(this.#namePrefix.length))) {
        this.#sortedAfter = '';
        break;
      }
      const held = this.#held.toSorted((a, b) => compareKeys(`${a}/`, `${b}/`))[0];
      if (held !== undefined && (head === undefined || compareKeys(`${held}/`, head.pathSuffix) < 0)) {
        this.#held = this.#held.filter((name) => name !== held);
        return { name: held };
      }
      if (head === undefined) return undefined;
      this.#after = head.pathSuffix;
      this.#position += 1;
      if (head.type === 'FILE') return { name: head.pathSuffix, file: head };
      if (isListable(head)) this.#held.push(head.pathSuffix);
    }
    return this.#nextSorted(signal);
  }

  async #peek(signal: AbortSignal): Promise<FileStatus | undefined> {
    this.#pages ??= this.#read(this.#after, signal)[Symbol.asyncIterator]();
    while (this.#position >= this.#page.length) {
      const { value, done } = await this.#pages.next();
      if (done === true) return undefined;
      this.#page = value;
      this.#position = 0;
    }
    return this.#page[this.#position];
  }

  async #nextSorted(signal: AbortSignal): Promise<Entry | undefined> {
    if (this.#sorted.length === 0) this.#sorted = await this.#smallest(signal);
    const entry = this.#sorted.shift();
    if (entry !== undefined) this.#sortedAfter = sortKey(entry);
    return entry;
  }

  /** The next entries in S3's order, of all that are left. */
  async #smallest(signal: AbortSignal): Promise<Entry[]> {
    const left = this.#sortedAfter ?? '';
    let found: Entry[] = this.#held.map((name) => ({ name })).filter((entry) => compareKeys(sortKey(entry), left) > 0);
    for await (const page of this.#read(this.#after, signal)) {
      const entries = page.filter((status) => status.type === 'FILE' || isListable(status)).map(toEntry);
      found.push(...entries.filter((entry) => compareKeys(sortKey(entry), left) > 0));
      if (found.length >= 2 * SORTED_AT_ONCE) found = sortEntries(found).slice(0, SORTED_AT_ONCE);
    }
    return sortEntries(found).slice(0, SORTED_AT_ONCE);
  }
}

/** Symbolic links are not followed, and a directory known to be empty holds no key. */
function isListable(status: FileStatus): boolean {
  return status.type === 'DIRECTORY' && status.childrenNum !== 0;
}

function toEntry(status: FileStatus): Entry {
  return status.type === 'FILE' ? { name: status.pathSuffix, file: status } : { name: status.pathSuffix };
}

function sortKey(entry: Entry): string {
  return entry.file === undefined ? `${entry.name}/` : entry.name;
}

function sortEntries(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => compareKeys(sortKey(a), sortKey(b)));
}
