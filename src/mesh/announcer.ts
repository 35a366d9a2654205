// Tells the trackers what this gateway holds already: after a start, and after each change of their list those that have
// come to answer for it. In the background and at a bounded rate; until it has come round, pieces are found by who asks.
import type { Background } from '../concurrency/background.ts';
import type { Piece } from '../pieces/piece.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import type { Slab } from './slab.ts';
import { slabOwners, TrackerView } from './slab-owners.ts';

export interface AnnouncerDeps {
  readonly store: Pick<PieceStore, 'list'>;
  readonly view: () => TrackerView;
  /** Those of whose owners somebody is to hear of the piece. */
  readonly slabsOf: (piece: Piece) => readonly Slab[];
  /** Resolves when the piece was told, or cannot be. */
  readonly announce: (piece: Piece) => Promise<void>;
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
  #told = new TrackerView([]);
  #running = false;

  constructor(deps: AnnouncerDeps, options: AnnouncerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The list may have changed. */
  update(): void {
    if (this.#running || this.#closing.signal.aborted || this.#deps.view() === this.#told) return;
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
    const view = this.#deps.view();
    const before = this.#told;
    this.#told = view;
    let told = 0;
    for await (const { version, pieces } of this.#deps.store.list()) {
      for (const index of pieces) {
        const piece = { version, index };
        const isNews = this.#deps.slabsOf(piece).some((slab) => this.#isNews(slab, before, view));
        if (!isNews) continue;
        await this.#deps.announce(piece);
        told += 1;
        if (told % Math.ceil((this.#options.piecesPerSecond * STEP_MS) / 1000) === 0) await this.#pause();
      }
      if (this.#closing.signal.aborted) return;
    }
  }

  /** Somebody answers for the slab who did not before. */
  #isNews(slab: Slab, before: TrackerView, view: TrackerView): boolean {
    const { owners } = this.#options;
    const had = slabOwners(slab, before).slice(0, owners);
    return slabOwners(slab, view)
      .slice(0, owners)
      .some((id) => !had.includes(id));
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
