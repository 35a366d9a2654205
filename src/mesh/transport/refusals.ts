// Requests that were refused: each counted, some logged. One line a reason and interval, with the number of those that
// had none, so that nobody fills the log.
import type { Logger } from 'pino';
import type { RefusalReason } from './gatekeeper.ts';

const INTERVAL_MS = 10_000;

export interface RefusalsDeps {
  readonly count: (reason: RefusalReason) => void;
  readonly log: Pick<Logger, 'warn'>;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export class Refusals {
  readonly #deps: RefusalsDeps;
  readonly #lines = new Map<RefusalReason, { sinceMs: number; unlogged: number }>();

  constructor(deps: RefusalsDeps) {
    this.#deps = deps;
  }

  add(reason: RefusalReason, from: string | undefined, message: string): void {
    this.#deps.count(reason);
    const now = this.#deps.now();
    const last = this.#lines.get(reason);
    if (last !== undefined && now - last.sinceMs < INTERVAL_MS) {
      last.unlogged += 1;
      return;
    }
    this.#lines.set(reason, { sinceMs: now, unlogged: 0 });
    this.#deps.log.warn(
      { reason, from, unlogged: last?.unlogged ?? 0 },
      `A request to the mesh was refused: ${message}`,
    );
  }
}
