// How many requests may be in flight towards one origin: a fixed number of slots and a bounded queue before them, in
// which what a client waits for goes before what is only read ahead.
import { BackendError } from '../backend.ts';

export type Priority = 'demand' | 'prefetch';

interface SlotOptions {
  readonly maxInFlight: number;
  readonly maxQueued: number;
  /** Names the origin in messages. */
  readonly origin: string;
}

export class Slots {
  readonly #options: SlotOptions;
  readonly #queues: Record<Priority, Set<() => void>> = { demand: new Set(), prefetch: new Set() };
  #inFlight = 0;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** Resolves with what gives the slot back (harmless when called twice). Rejects with SlowDown past the queue's limit. */
  async acquire(priority: Priority, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#inFlight < this.#options.maxInFlight) this.#inFlight += 1;
    else await this.#wait(priority, signal);
    return this.#releaseOnce();
  }

  #wait(priority: Priority, signal: AbortSignal): Promise<void> {
    const { demand, prefetch } = this.#queues;
    if (demand.size + prefetch.size >= this.#options.maxQueued) {
      const { origin, maxInFlight, maxQueued } = this.#options;
      throw new BackendError(
        'SlowDown',
        `Origin ${origin} has ${maxInFlight} requests in flight and ${maxQueued} waiting, the limits.`,
      );
    }
    const queue = this.#queues[priority];
    return new Promise((resolve, reject) => {
      const grant = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        queue.delete(grant);
        reject(signal.reason);
      };
      queue.add(grant);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #releaseOnce(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#passOn();
    };
  }

  /** The slot goes to the longest waiting, or becomes free. */
  #passOn(): void {
    for (const queue of [this.#queues.demand, this.#queues.prefetch]) {
      for (const grant of queue) {
        queue.delete(grant);
        grant();
        return;
      }
    }
    this.#inFlight -= 1;
  }
}
