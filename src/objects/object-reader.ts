// A range of a version as a stream of bytes in order, with the pieces that come next on their way already: those of
// the range itself a few at a time, so that a big cold read uses several requests at once, and those beyond it as far
// as the reader has proved to go on.
import type { ByteRange } from '../../backends/backend.ts';
import { cut, type ObjectVersion, type Slice } from '../pieces/piece.ts';
import type { Chunk } from './objects.ts';
import type { OriginObject } from './origin-object.ts';
import type { Hold, PieceFetcher } from './piece-fetcher.ts';
import type { ReadAhead } from './read-ahead.ts';

export interface ObjectReaderOptions {
  /** Pieces of one read that are on their way at once, the one being read included. */
  readonly parallelPieces: number;
}

export class ObjectReader {
  readonly #fetcher: Pick<PieceFetcher, 'read' | 'ahead'>;
  readonly #readAhead: ReadAhead;
  readonly #options: ObjectReaderOptions;

  constructor(
    deps: { fetcher: Pick<PieceFetcher, 'read' | 'ahead'>; readAhead: ReadAhead },
    options: ObjectReaderOptions,
  ) {
    this.#fetcher = deps.fetcher;
    this.#readAhead = deps.readAhead;
    this.#options = options;
  }

  async *read(
    origin: OriginObject,
    version: ObjectVersion,
    range: ByteRange,
    signal: AbortSignal,
  ): AsyncGenerator<Chunk, void, undefined> {
    const until = this.#readAhead.observe(version.id, range.start, range.end, version.pieceSize);
    const coming = new Coming(
      this.#fetcher,
      origin,
      version,
      { start: range.start, end: Math.min(until, version.size) },
      range.end,
    );
    try {
      for (const slice of cut(version, range)) {
        coming.advance(this.#options.parallelPieces);
        yield* this.#fetcher.read(origin, slice, signal);
        coming.passed();
      }
      coming.advance(this.#options.parallelPieces);
      coming.keep();
    } finally {
      coming.leave();
    }
  }
}

/**
 * The pieces of one read that are on their way, in order: the one being read asks for its share of the byte budget
 * before those after it, so that no reader waits for what his own later pieces hold.
 */
class Coming {
  readonly #fetcher: Pick<PieceFetcher, 'ahead'>;
  readonly #origin: OriginObject;
  readonly #slices: Iterator<Slice>;
  readonly #demandEnd: number;
  #holds: (Hold | undefined)[] = [];

  constructor(
    fetcher: Pick<PieceFetcher, 'ahead'>,
    origin: OriginObject,
    version: ObjectVersion,
    range: ByteRange,
    demandEnd: number,
  ) {
    this.#fetcher = fetcher;
    this.#origin = origin;
    this.#slices = cut(version, range);
    this.#demandEnd = demandEnd;
  }

  advance(pieces: number): void {
    while (this.#holds.length < pieces) {
      const { value: slice } = this.#slices.next();
      if (slice === undefined) return;
      this.#holds.push(this.#begin(slice));
    }
  }

  /** The first of them has been read. */
  passed(): void {
    this.#holds.shift()?.leave();
  }

  keep(): void {
    for (const hold of this.#holds.splice(0)) hold?.keep();
  }

  leave(): void {
    for (const hold of this.#holds.splice(0)) hold?.leave();
  }

  #begin(slice: Slice): Hold | undefined {
    const { index, version } = slice.piece;
    const wanted = index * version.pieceSize < this.#demandEnd;
    return this.#fetcher.ahead(this.#origin, slice, wanted ? 'demand' : 'ahead');
  }
}
