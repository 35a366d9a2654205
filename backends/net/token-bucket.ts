// How many bytes per second may pass to and from one origin, by priority. A chunk passes when the bucket is
// not in debt and may put it in debt, so chunks of any size pass and the average holds.
import type { Clock } from './clock.ts';
import { nextOf, type Priority } from './priority.ts';

interface Waiter {
  readonly priority: () => Priority;
  readonly bytes: number;
  readonly grant: () => void;
}

export class TokenBucket {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  readonly #burstBytes: number;
  readonly #waiting = new Set<Waiter>();
  #tokens: number;
  #filledAt: number;
  #cancelTimer: (() => void) | undefined;

  /** The burst is what a quarter of a second brings. */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerSecond / 1_000;
    this.#burstBytes = bytesPerSecond / 4;
    this.#tokens = this.#burstBytes;
    this.#filledAt = clock.nowMs();
  }

  take(bytes: number, priority: () => Priority, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = () => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        priority,
        bytes,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
      if (this.#cancelTimer === undefined) this.#serve();
    });
  }

  #serve(): void {
    this.#cancelTimer = undefined;
    this.#fill();
    for (let next = nextOf(this.#waiting); next !== undefined; next = nextOf(this.#waiting)) {
      if (this.#tokens <= 0) {
        this.#cancelTimer = this.#clock.after(Math.ceil(-this.#tokens / this.#bytesPerMs) + 1, () => this.#serve());
        return;
      }
      this.#waiting.delete(next);
      this.#tokens -= next.bytes;
      next.grant();
    }
  }

  #fill(): void {
    const now = this.#clock.nowMs();
    this.#tokens = Math.min(this.#burstBytes, this.#tokens + (now - this.#filledAt) * this.#bytesPerMs);
    this.#filledAt = now;
  }
}
