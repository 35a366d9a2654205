// How many bytes per second may pass to and from one origin, demand before prefetch. A chunk passes when the bucket is
// not in debt and may put it in debt, so chunks of any size pass and the average holds.
import type { Clock } from './clock.ts';
import type { Priority } from './slots.ts';

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

export class TokenBucket {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  readonly #burstBytes: number;
  readonly #queues: Record<Priority, Set<Waiter>> = { demand: new Set(), prefetch: new Set() };
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

  take(bytes: number, priority: Priority, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const queue = this.#queues[priority];
      const onAbort = () => {
        queue.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        bytes,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      queue.add(waiter);
      if (this.#cancelTimer === undefined) this.#serve();
    });
  }

  #serve(): void {
    this.#cancelTimer = undefined;
    this.#fill();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (this.#tokens <= 0) {
        this.#cancelTimer = this.#clock.after(Math.ceil(-this.#tokens / this.#bytesPerMs) + 1, () => this.#serve());
        return;
      }
      const [queue, waiter] = next;
      queue.delete(waiter);
      this.#tokens -= waiter.bytes;
      waiter.grant();
    }
  }

  #next(): [Set<Waiter>, Waiter] | undefined {
    for (const queue of [this.#queues.demand, this.#queues.prefetch]) {
      for (const waiter of queue) return [queue, waiter];
    }
    return undefined;
  }

  #fill(): void {
    const now = this.#clock.nowMs();
    this.#tokens = Math.min(this.#burstBytes, this.#tokens + (now - this.#filledAt) * this.#bytesPerMs);
    this.#filledAt = now;
  }
}
