// One way to the bytes of a piece: the shelf, what is arriving here, whoever the directory names. A fill belongs to the gateway: it goes
// on when the reader who caused it leaves, while others wait or little is missing; otherwise it is abandoned, and the
// blocks it brought stay.
import { addAbortSignal } from 'node:stream';
import type { ObjectRead } from '../../backends/backend.ts';
import type { Background } from '../concurrency/background.ts';
import type { ByteBudget } from '../concurrency/byte-budget.ts';
import { Haste, type Urgency } from '../concurrency/haste.ts';
import type { Directory } from '../mesh/directory.ts';
import { Arrivals } from '../pieces/arrivals.ts';
import type { ArrivingPiece, PieceReader } from '../pieces/arriving.ts';
import { type BlockRange, blockCount, blocksOf, bytesOf } from '../pieces/blocks.ts';
import type { BufferPool } from '../pieces/buffer-pool.ts';
import { type ObjectVersion, type Piece, pieceLength, type Slice, steps } from '../pieces/piece.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { BodyChunks } from './body-chunks.ts';
import type { Chunk } from './objects.ts';
import { readVersion } from './origin-fill.ts';
import type { OriginObject } from './origin-object.ts';
import { adoptBody, type Fill, type FillDeps, type FillOptions, fillPiece } from './piece-fill.ts';

/** A claim on a piece that is fetched before it is read. */
export interface Hold {
  /** Not all of it is here yet. */
  readonly isComing: boolean;
  /** Whoever would have come for it has left. */
  leave(): void;
  /** It is wanted to its end, though nobody holds it any longer. */
  keep(): void;
}

export interface PieceFetcherDeps {
  readonly store: PieceStore;
  readonly pool: BufferPool;
  readonly directory: Directory;
  readonly budget: ByteBudget;
  readonly background: Background;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
}

export interface PieceFetcherOptions extends FillOptions {
  /** Of one piece in flight, at most in memory. */
  readonly windowBytes: number;
  readonly maxArriving: number;
  /** A fill that the origin answers already and that nobody waits for goes on when it misses no more than this, */
  readonly nearlyDoneBytes: number;
  /** and for no longer than this. */
  readonly lingerMs: number;
}

/** Bytes at `at` are missing; `whole`: bring what is missing before them too, for whole pieces are what peers trade. */
interface Want {
  readonly at: number;
  readonly whole: boolean;
}

/** The largest read from the shelf at once, and the most that is answered in one piece of work. */
export const STEP_BYTES = 1024 * 1024;

export class PieceFetcher {
  readonly #store: PieceStore;
  readonly #directory: Directory;
  readonly #arrivals: Arrivals;
  readonly #budget: ByteBudget;
  readonly #now: () => number;
  readonly #background: Background;
  readonly #options: PieceFetcherOptions;
  /** Go on to their end although nobody reads them now. */
  readonly #kept = new WeakSet<ArrivingPiece>();
  /** Their bytes have been asked for: what is sent is paid for. */
  readonly #asked = new WeakSet<ArrivingPiece>();

  constructor(deps: PieceFetcherDeps, options: PieceFetcherOptions) {
    this.#store = deps.store;
    this.#directory = deps.directory;
    this.#now = deps.now;
    this.#budget = deps.budget;
    this.#background = deps.background;
    this.#options = options;
    this.#arrivals = new Arrivals(deps, { ...options, unwanted: (arriving) => this.#unwanted(arriving) });
  }

  /** The bytes of the slice, in order, as they are there. Each is released by whoever takes it. */
  async *read(
    origin: OriginObject,
    slice: Slice,
    urgency: Urgency,
    signal: AbortSignal,
  ): AsyncGenerator<Chunk, void, undefined> {
    let joined: PieceReader | undefined;
    let inVain = -1;
    try {
      for (let at = slice.start; at < slice.end; ) {
        const shelved = joined === undefined ? await this.#fromShelf({ ...slice, start: at }) : undefined;
        if (shelved === undefined) joined ??= this.#arrivals.join(slice.piece, urgency);
        const bytes = shelved ?? (await joined?.read(at, slice.end, signal));
        if (bytes !== undefined) {
          at += bytes.bytes.length;
          yield bytes;
        } else if (inVain === at && this.#isHeld({ ...slice, start: at, end: at + 1 })) {
          // The shelf has it and cannot give it, again: it is asked no more.
          yield* this.#straight(origin, { ...slice, start: at }, signal);
          return;
        } else {
          inVain = at;
          this.#fill(origin, slice.piece, { at, whole: at === slice.start });
        }
      }
    } finally {
      joined?.leave();
    }
  }

  /** All of the slices, if all are in memory. */
  atHand(slices: readonly Slice[]): readonly Chunk[] | undefined {
    const chunks: Chunk[] = [];
    for (const slice of slices) {
      const chunk = this.#store.atHand(slice);
      if (chunk === undefined) {
        for (const chunk of chunks) chunk.release();
        return undefined;
      }
      chunks.push(chunk);
    }
    return chunks;
  }

  /** All of the slices, if the shelf holds all: each is read at once, in one step. */
  held(slices: readonly Slice[]): Promise<readonly Chunk[] | undefined> | undefined {
    return slices.every((slice) => this.#isHeld(slice)) ? this.#readAll(slices) : undefined;
  }

  /**
   * Fetches a piece of which somebody will come for this slice. Undefined: it is here, or too much is under way.
   * `came`: what this began has come, or failed.
   */
  ahead(origin: OriginObject, slice: Slice, urgency: Urgency, came: () => void): Hold | undefined {
    if (this.#isHeld(slice) || this.#arrivals.size >= this.#options.maxArriving) return undefined;
    const { piece } = slice;
    const reader = this.#arrivals.join(piece, urgency);
    this.#fill(origin, piece, { at: slice.start, whole: true }, came);
    const arriving = this.#arrivals.find(piece);
    const isHeld = () => this.#isHeld(slice);
    return {
      get isComing() {
        return !isHeld();
      },
      leave: () => reader.leave(),
      keep: () => {
        if (arriving !== undefined) this.#kept.add(arriving);
        reader.leave();
      },
    };
  }

  /**
   * A body that the origin sends already: [start, …) of the version, whose first byte begins a piece. It is let go
   * where nothing of the piece is missing, or too much is under way. Answers what is arriving by it. `haste`: of those
   * for whom it was asked for.
   */
  adopt(
    origin: OriginObject,
    version: ObjectVersion,
    start: number,
    read: ObjectRead,
    haste: Haste,
  ): Piece | undefined {
    const piece = { version, index: Math.floor(start / version.pieceSize) };
    const isWanted = this.#missingRun(piece, { at: 0, whole: true }) !== undefined;
    if (!isWanted || this.#arrivals.size >= this.#options.maxArriving) {
      read.body.destroy();
      return undefined;
    }
    const blocks = { first: 0, end: blockCount(pieceLength(piece), this.#store.blockSize) };
    const fill = this.#fillOf(origin, piece, blocks);
    fill.haste.hurry(haste.urgency);
    fill.haste.carry(haste);
    this.#begun(piece);
    this.#background.run('fill', adoptBody(this.#fillDeps(piece), this.#options, fill, read));
    return piece;
  }

  /** What is on its way here, for whoever may read along. */
  find(piece: Piece): ArrivingPiece | undefined {
    return this.#arrivals.find(piece);
  }

  close(): void {
    this.#arrivals.close();
  }

  async #readAll(slices: readonly Slice[]): Promise<readonly Chunk[] | undefined> {
    const read = await Promise.all(slices.map((slice) => this.#store.read(slice)));
    const chunks = read.filter((chunk) => chunk !== undefined);
    if (chunks.length === slices.length) return chunks;
    for (const chunk of chunks) chunk.release();
    return undefined;
  }

  async #fromShelf(rest: Slice): Promise<Chunk | undefined> {
    const [step] = steps(rest, STEP_BYTES);
    return step && this.#store.read(step);
  }

  /** Begins a fill for the first run of blocks that are neither here nor coming. */
  #fill(origin: OriginObject, piece: Piece, want: Want, came?: () => void): void {
    const run = this.#missingRun(piece, want);
    if (run === undefined) return;
    const fill = this.#fillOf(origin, piece, run);
    this.#background.run('fill', fillPiece(this.#fillDeps(piece), this.#options, fill).finally(came));
  }

  #fillOf(origin: OriginObject, piece: Piece, run: BlockRange): Fill {
    const feed = this.#arrivals.feed(piece, run);
    const { end } = bytesOf(run, pieceLength(piece), this.#store.blockSize);
    const endBytes = piece.index * piece.version.pieceSize + end;
    const haste = this.#arrivals.find(piece)?.haste ?? new Haste();
    return { origin, piece, feed, endBlock: run.end, endBytes, haste };
  }

  #fillDeps(piece: Piece): FillDeps {
    const begun = () => this.#begun(piece);
    return { budget: this.#budget, directory: this.#directory, now: this.#now, begun };
  }

  /** Past the shelf, and past everybody else who reads the same. */
  async *#straight(origin: OriginObject, slice: Slice, signal: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    const { version, index } = slice.piece;
    const base = index * version.pieceSize;
    const range = { start: base + slice.start, end: base + slice.end };
    const { body } = await readVersion(origin, version, range, new Haste('demand'), signal);
    yield* new BodyChunks(addAbortSignal(signal, body));
  }

  #isHeld({ piece, start, end }: Slice): boolean {
    const blocks = blocksOf({ start, end }, this.#store.blockSize);
    return this.#store.blocks(piece).hasAll(blocks.first, blocks.end);
  }

  #begun(piece: Piece): void {
    const arriving = this.#arrivals.find(piece);
    if (arriving !== undefined) this.#asked.add(arriving);
  }

  #missingRun(piece: Piece, { at, whole }: Want): BlockRange | undefined {
    const held = this.#store.blocks(piece);
    const arriving = this.#arrivals.find(piece);
    const missing = (block: number) => !held.has(block) && arriving?.hasOrExpects(block) !== true;
    const wanted = blocksOf({ start: at, end: at + 1 }, this.#store.blockSize).first;
    const first = range(whole ? 0 : wanted, held.size).find(missing);
    if (first === undefined) return undefined;
    const end = range(first, held.size).find((block) => !missing(block)) ?? held.size;
    return { first, end };
  }

  #unwanted(arriving: ArrivingPiece): void {
    if (this.#kept.has(arriving)) return;
    const { nearlyDoneBytes, lingerMs } = this.#options;
    if (!this.#asked.has(arriving) || arriving.remainingBytes > nearlyDoneBytes) {
      arriving.abandon();
      return;
    }
    const tired = () => {
      if (arriving.wanted === 0) arriving.abandon();
    };
    setTimeout(tired, lingerMs).unref();
  }
}

function range(first: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
}
