// Tells the trackers what this gateway holds already: after a start, and after each change of their list those that have
// come to answer for it. In the background and at a bounded rate; until it has come round, pieces are found by who asks.
import type { Background } from '../concurrency/background.ts';
import type { Piece } from '../pieces/piece.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import type { MemberId } from './member.ts';
import { owners } from './rendezvous.ts';
import { type Slab, slabOf } from './slab.ts';

export interface AnnouncerDeps {
  readonly store: Pick<PieceStore, 'list' | 'blockSize'>;
  readonly trackers: () => readonly MemberId[];
  /** Resolves when the piece was told, or cannot be. */
  readonly announce: (slab: Slab, piece: Piece) => Promise<void>;
  readonly background: Background;
}

export interface AnnouncerOptions {
  readonly owners: number;
  readonly piecesPerSecond: number;
}

const STEP_MS = 100;

export class Announcer {
  readonly #deps: AnnouncerDeps;
  readonly #options: AnnouncerOptions;
  readonly #closing = new AbortController();
  /** The list that everything held was last told to. */
  #told: readonly MemberId[] = [];
  #running = false;

  constructor(deps: AnnouncerDeps, options: AnnouncerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The list may have changed. */
  update(): void {
    if (this.#running || this.#closing.signal.aborted || this.#deps.trackers() === this.#told) return;
    this.#running = true;
    this.#deps.background.run(
      'announce',
      this.#round().finally(() => this.#next()),
    );
  }

  close(): void {
    this.#closing.abort();
  }

  #next(): void {
    this.#running = false;
    this.update();
  }

  async #round(): Promise<void> {
    const trackers = this.#deps.trackers();
    const before = this.#told;
    this.#told = trackers;
    let told = 0;
    for await (const { version, pieces } of this.#deps.store.list()) {
      for (const index of pieces) {
        const piece = { version, index };
        const slab = slabOf(piece, this.#deps.store.blockSize);
        if (!this.#isNews(slab, before, trackers)) continue;
        await this.#deps.announce(slab, piece);
        told += 1;
        if (told % Math.ceil((this.#options.piecesPerSecond * STEP_MS) / 1000) === 0) await this.#pause();
      }
      if (this.#closing.signal.aborted) return;
    }
  }

  /** Somebody answers for the slab who did not before. */
  #isNews(slab: Slab, before: readonly MemberId[], trackers: readonly MemberId[]): boolean {
    const had = owners(slab.ownerKey, before, this.#options.owners);
    return owners(slab.ownerKey, trackers, this.#options.owners).some((id) => !had.includes(id));
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#closing;
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, STEP_MS);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }
}
