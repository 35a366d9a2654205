// How far ahead of a reader to fetch: nothing until it proves sequential, then twice as far with each read that goes
// on where the last one ended, and a quarter as far once a reader left bytes behind that were fetched ahead. Of reads at
// random two follow each other now and then, and three hardly ever; who began at the beginning is believed at the second.
// One GET of a large object and many small ranged GETs in a row look the same from here.
import { LRUCache } from 'lru-cache';

export interface ReadAheadOptions {
  /** Farthest ahead of a reader, in bytes. 0: never. */
  readonly maxBytes: number;
  /** Versions whose readers are remembered. */
  readonly maxVersions?: number | undefined;
}

interface Reader {
  /** Where this reader's last read ended. */
  next: number;
  /** Reads that went on where the one before ended; to have begun at the beginning counts as one. */
  inOrder: number;
  /** Bytes to have fetched beyond `next`. */
  windowBytes: number;
  /** Offset up to which bytes were fetched ahead. */
  aheadUntil: number;
}

const SEQUENTIAL = 2;
/** Readers of one version that are told apart by where they are. */
const READERS_PER_VERSION = 8;

export class ReadAhead {
  readonly #maxBytes: number;
  readonly #versions: LRUCache<string, Reader[]>;

  constructor(options: ReadAheadOptions) {
    this.#maxBytes = options.maxBytes;
    this.#versions = new LRUCache({ max: options.maxVersions ?? 4096 });
  }

  /**
   * Somebody reads [start, end) of this version. Answers the offset up to which to fetch, at least `end`.
   * `stepBytes`: the smallest window worth having, a piece.
   */
  observe(versionId: string, start: number, end: number, stepBytes: number): number {
    const readers = this.#readersOf(versionId);
    // A read may overlap the last one's end by less than a step: clients re-read the tail of a block.
    const reader = readers.find(({ next }) => start <= next && next - start < stepBytes && end > next);
    if (reader === undefined) {
      this.#shrinkStalest(readers);
      if (readers.length >= READERS_PER_VERSION) readers.shift();
      readers.push({ next: end, inOrder: start === 0 ? 1 : 0, windowBytes: 0, aheadUntil: end });
      return end;
    }
    readers.splice(readers.indexOf(reader), 1);
    readers.push(reader);
    reader.inOrder += 1;
    reader.next = end;
    if (reader.inOrder < SEQUENTIAL) return end;
    reader.windowBytes = Math.min(this.#maxBytes, Math.max(stepBytes, reader.windowBytes * 2));
    reader.aheadUntil = Math.max(reader.aheadUntil, end + reader.windowBytes);
    return end + reader.windowBytes;
  }

  #readersOf(versionId: string): Reader[] {
    const known = this.#versions.get(versionId);
    if (known !== undefined) return known;
    const readers: Reader[] = [];
    this.#versions.set(versionId, readers);
    return readers;
  }

  /** Somebody reads elsewhere: who was longest silent, with bytes ahead unread, is taken to have gone there. */
  #shrinkStalest(readers: readonly Reader[]): void {
    const stale = readers.find((reader) => reader.aheadUntil > reader.next);
    if (stale !== undefined) stale.windowBytes = Math.floor(stale.windowBytes / 4);
  }
}
