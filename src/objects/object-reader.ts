// A range of a version as a stream of bytes in order, with the pieces that come next on their way already: those of
// the range itself a few at a time, so that a big cold read uses several requests at once, and those beyond it as far
// as the reader has proved to go on.
import type { ByteRange } from '../../backends/backend.ts';
import { isBefore, type Urgency } from '../concurrency/haste.ts';
import { cut, type ObjectVersion, type Slice } from '../pieces/piece.ts';
import type { Chunk } from './objects.ts';
import type { OriginObject } from './origin-object.ts';
import { type Hold, type PieceFetcher, STEP_BYTES } from './piece-fetcher.ts';
import type { ReadAhead } from './read-ahead.ts';
import { StartedChunks } from './started-chunks.ts';

export interface ObjectReaderOptions {
  /** Pieces of one read that are on their way at once, the one being read included. */
  readonly parallelPieces: () => number;
}

/**
 * How far beyond a piece that is late others may come, as a multiple of what may be on its way at once: so that one slow
 * source stops nobody. They wait on the shelf, not in memory.
 */
const DISTANCE = 4;

type Fetcher = Pick<PieceFetcher, 'read' | 'ahead' | 'atHand' | 'held'>;

export class ObjectReader {
  readonly #fetcher: Fetcher;
  readonly #readAhead: ReadAhead;
  readonly #options: ObjectReaderOptions;

  constructor(deps: { fetcher: Fetcher; readAhead: ReadAhead }, options: ObjectReaderOptions) {
    this.#fetcher = deps.fetcher;
    this.#readAhead = deps.readAhead;
    this.#options = options;
  }

  /** All of the range, where it is short and in memory, or comes from the shelf in one step. */
  atHand(
    origin: OriginObject,
    version: ObjectVersion,
    range: ByteRange,
    urgency: Urgency,
  ): readonly Chunk[] | Promise<readonly Chunk[] | undefined> | undefined {
    const slices = slicesOf(version, range);
    const chunks = slices && (this.#fetcher.atHand(slices) ?? this.#fetcher.held(slices));
    // Whoever has all of an object goes nowhere from there.
    if (chunks === undefined || range.end - range.start === version.size) return chunks;
    this.#goAhead(origin, version, range.end, this.#observe(version, range), urgency);
    return chunks;
  }

  /** Resolves when the first bytes are there. `failed` is told of every failure, before and after. */
  async open(
    origin: OriginObject,
    version: ObjectVersion,
    range: ByteRange,
    urgency: Urgency,
    failed: (error: unknown) => void,
    signal: AbortSignal,
  ): Promise<StartedChunks> {
    const until = this.#observe(version, range);
    const slices = slicesOf(version, range);
    const held = slices && (await this.#fetcher.held(slices));
    if (held !== undefined) {
      this.#goAhead(origin, version, range.end, until, urgency);
      return StartedChunks.of(held);
    }
    return StartedChunks.start(this.#read(origin, version, { range, until, urgency }, signal), failed);
  }

  #observe(version: ObjectVersion, { start, end }: ByteRange): number {
    return this.#readAhead.observe(version.id, start, end, version.pieceSize);
  }

  /** Whoever has read this far is expected to go on. */
  #goAhead(origin: OriginObject, version: ObjectVersion, start: number, until: number, urgency: Urgency): void {
    const range = { start, end: Math.min(until, version.size) };
    if (range.start >= range.end) return;
    const parallelPieces = this.#options.parallelPieces();
    const coming = new Coming(this.#fetcher, origin, version, range, {
      urgency,
      demandEnd: start,
      parallelPieces,
    });
    coming.advance();
    coming.keep();
  }

  async *#read(
    origin: OriginObject,
    version: ObjectVersion,
    { range, until, urgency }: { range: ByteRange; until: number; urgency: Urgency },
    signal: AbortSignal,
  ): AsyncGenerator<Chunk, void, undefined> {
    const coming = new Coming(
      this.#fetcher,
      origin,
      version,
      { start: range.start, end: Math.min(until, version.size) },
      { urgency, demandEnd: range.end, parallelPieces: this.#options.parallelPieces() },
    );
    try {
      for (const slice of cut(version, range)) {
        coming.advance();
        yield* this.#fetcher.read(origin, slice, urgency, signal);
        coming.passed();
      }
      coming.advance();
      coming.keep();
    } finally {
      coming.leave();
    }
  }
}

interface ComingOptions {
  /** Of the read; pieces beyond its end are less urgent. */
  readonly urgency: Urgency;
  /** Where the read ends. */
  readonly demandEnd: number;
  readonly parallelPieces: number;
}

/**
 * The pieces of one read that are on their way, in order: the one being read asks for its share of the byte budget
 * before those after it, so that no reader waits for what his own later pieces hold.
 */
class Coming {
  readonly #fetcher: Pick<PieceFetcher, 'ahead'>;
  readonly #origin: OriginObject;
  readonly #slices: Iterator<Slice>;
  readonly #options: ComingOptions;
  #holds: (Hold | undefined)[] = [];
  #ended = false;

  constructor(
    fetcher: Pick<PieceFetcher, 'ahead'>,
    origin: OriginObject,
    version: ObjectVersion,
    range: ByteRange,
    options: ComingOptions,
  ) {
    this.#fetcher = fetcher;
    this.#origin = origin;
    this.#slices = cut(version, range);
    this.#options = options;
  }

  advance(): void {
    while (!this.#ended && this.#mayBeginMore()) {
      const { value: slice } = this.#slices.next();
      if (slice === undefined) return;
      this.#holds.push(this.#begin(slice));
    }
  }

  /** While the reader waits for a piece that is late, what came beyond it does not count. */
  #mayBeginMore(): boolean {
    const { parallelPieces } = this.#options;
    if (this.#holds.length < parallelPieces) return true;
    if (this.#holds[0]?.isComing !== true || this.#holds.length >= parallelPieces * DISTANCE) return false;
    return this.#holds.filter((hold) => hold?.isComing === true).length < parallelPieces;
  }

  /** The first of them has been read. */
  passed(): void {
    this.#holds.shift()?.leave();
  }

  keep(): void {
    this.#ended = true;
    for (const hold of this.#holds.splice(0)) hold?.keep();
  }

  leave(): void {
    this.#ended = true;
    for (const hold of this.#holds.splice(0)) hold?.leave();
  }

  #begin(slice: Slice): Hold | undefined {
    const { index, version } = slice.piece;
    const { urgency, demandEnd } = this.#options;
    const isBeyond = index * version.pieceSize >= demandEnd;
    const own = isBeyond && isBefore(urgency, 'ahead') ? 'ahead' : urgency;
    return this.#fetcher.ahead(this.#origin, slice, own, () => this.advance());
  }
}

/** Undefined: empty, or more than one step. */
function slicesOf(version: ObjectVersion, range: ByteRange): readonly Slice[] | undefined {
  const lengthBytes = range.end - range.start;
  return lengthBytes > 0 && lengthBytes <= STEP_BYTES ? [...cut(version, range)] : undefined;
}
