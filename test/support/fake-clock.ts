// A clock that goes on when a test says so.
import type { MeshClock } from '../../src/mesh/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

export class FakeClock implements MeshClock {
  #nowMs = 1_000_000;
  #wallMs = 1_800_000_000_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#wallMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** What is due by then happens, in order, each with all that follows from it at once. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) {
      this.#goOn(next.atMs - this.#nowMs);
      this.#timers.delete(next);
      next.run();
      await settled();
    }
    this.#goOn(untilMs - this.#nowMs);
  }

  /** Time goes on until the work is done. Rejects where nothing is left that could end it. */
  async run<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const tracked = work.finally(() => {
      done = true;
    });
    tracked.catch(() => undefined);
    await settled();
    while (!done) {
      const next = this.#next();
      if (next === undefined) throw new Error('Nobody will ever end this.');
      await this.advance(next.atMs - this.#nowMs);
    }
    return tracked;
  }

  /** The machine sleeps: only the wall's clock goes on. */
  suspend(ms: number): void {
    this.#wallMs += ms;
  }

  #goOn(ms: number): void {
    this.#nowMs += ms;
    this.#wallMs += ms;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (first === undefined || timer.atMs < first.atMs) first = timer;
    return first;
  }
}

/** All that follows at once has happened. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
