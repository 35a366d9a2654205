// So that what is evicted here is rather what others hold too. Before pieces have to go, it asks the trackers which of
// the next ones the mesh can spare: a tracker counts whoever may drop a piece as no holder from then on, so that of two
// who ask for the same piece one keeps it. Those pieces go first. A seed looks through all it holds for them, so that it
// gives up a last copy only when nothing else is left that it knows of; others look at what is about to go.
// Nobody who makes room waits for any of this: where no answer has come yet, eviction goes by its own order.
import type { Background } from '../concurrency/background.ts';
import type { Departures } from '../pieces/departures.ts';
import { type Piece, type PieceKey, pieceKey } from '../pieces/piece.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { slabOf } from './slab.ts';
import type { SpareCalls } from './spare-calls.ts';

export interface LastCopiesDeps {
  readonly departures: Pick<
    Departures,
    'listen' | 'areNear' | 'candidates' | 'arrivedBytes' | 'upcoming' | 'spare' | 'keep'
  >;
  readonly store: Pick<PieceStore, 'blocks' | 'blockSize'>;
  readonly calls: Pick<SpareCalls, 'ask'>;
  /** Trackers are to hear that it is held no longer. */
  readonly dropped: (piece: Piece) => void;
  /** Resolves when the piece was told as held, or cannot be. */
  readonly tellHeld: (piece: Piece) => Promise<void>;
  /** Nobody else is there to hold anything. */
  readonly alone: () => boolean;
  readonly background: Background;
  readonly now: () => number;
}

export interface LastCopiesOptions {
  /** It gives up what nobody else holds only when nothing else is left. */
  readonly keepsLast: boolean;
}

interface Spare {
  readonly piece: Piece;
  readonly sinceMs: number;
}

/** Pieces asked about at once. */
const ASKED = 256;
/** Of the pieces that could go, those that may go first: more than eviction takes at once. */
const SPARE_SHARE = 0.08;
/** Of the pieces that could go, those that who keeps no last copies looks at. */
const REACH_SHARE = 0.1;
const FEWEST = 64;
const MOST = 4_096;
/** After a look that found nothing, and between two looks at what has been spare for too long. */
const PAUSE_MS = 250;
/** What others hold may be gone by then. */
const LAPSE_MS = 30_000;

export class LastCopies {
  readonly #deps: LastCopiesDeps;
  readonly #options: LastCopiesOptions;
  readonly #spares = new Map<PieceKey, Spare>();
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #round: AsyncGenerator<Piece, void, undefined> | undefined;
  #seenInRound = 0;
  #looking = false;
  #notBeforeMs = 0;
  #lookedAtBytes = -1;

  constructor(deps: LastCopiesDeps, options: LastCopiesOptions) {
    this.#deps = deps;
    this.#options = options;
    deps.departures.listen({ evicted: (piece) => this.#evicted(piece), arrived: () => this.#look() });
    this.#timer = setInterval(() => {
      this.#lapse();
      this.#look();
    }, PAUSE_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#closing.abort();
  }

  #evicted(piece: Piece): void {
    this.#spares.delete(pieceKey(piece));
    if (!this.#deps.alone()) this.#deps.dropped(piece);
  }

  #look(): void {
    const { departures, alone, background, now } = this.#deps;
    if (this.#looking || now() < this.#notBeforeMs || this.#closing.signal.aborted) return;
    if (!departures.areNear || departures.arrivedBytes === this.#lookedAtBytes || alone()) return;
    const wanted = share(departures.candidates, SPARE_SHARE) - this.#spares.size;
    if (wanted <= 0) return;
    this.#looking = true;
    const looking = this.#ask().then((found) => {
      if (found === 0) this.#notBeforeMs = now() + PAUSE_MS;
    });
    background.run(
      'spare',
      looking.finally(() => {
        this.#looking = false;
      }),
    );
  }

  /** How many more there are that may go first. */
  async #ask(): Promise<number> {
    const { departures, store, calls, now } = this.#deps;
    this.#lookedAtBytes = departures.arrivedBytes;
    const pieces = await this.#next();
    const spared = await calls.ask(
      pieces.map((piece) => ({ piece, slab: slabOf(piece, store.blockSize) })),
      this.#closing.signal,
    );
    const sinceMs = now();
    for (const piece of spared) {
      departures.spare(piece);
      this.#spares.set(pieceKey(piece), { piece, sinceMs });
    }
    return spared.length;
  }

  /** From where the last look ended; a round after the other, as far as it looks. */
  async #next(): Promise<Piece[]> {
    const { departures } = this.#deps;
    const reach = this.#options.keepsLast ? Number.POSITIVE_INFINITY : share(departures.candidates, REACH_SHARE);
    const pieces: Piece[] = [];
    this.#round ??= departures.upcoming();
    while (pieces.length < ASKED) {
      const { value, done } = this.#seenInRound < reach ? await this.#round.next() : ENDED;
      if (done === true) {
        this.#round = undefined;
        this.#seenInRound = 0;
        return pieces;
      }
      this.#seenInRound += 1;
      pieces.push(value);
    }
    return pieces;
  }

  /** What was not needed after all is held as before. */
  #lapse(): void {
    const { departures, store, tellHeld, background, now } = this.#deps;
    for (const [key, { piece, sinceMs }] of this.#spares) {
      if (now() - sinceMs < LAPSE_MS) return;
      this.#spares.delete(key);
      departures.keep(piece);
      if (store.blocks(piece).isFull) background.run('announce', tellHeld(piece));
    }
  }
}

const ENDED = { value: undefined, done: true } as const;

function share(pieces: number, part: number): number {
  return Math.min(MOST, Math.max(FEWEST, Math.ceil(pieces * part)));
}
