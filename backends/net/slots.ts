// How many requests may be in flight towards one origin: a fixed number of slots and a bounded queue before them, in
// which what a client waits for goes before what is only read ahead.
import { BackendError } from '../backend.ts';
import { nextOf, type Priority } from './priority.ts';

interface SlotOptions {
  readonly maxInFlight: number;
  readonly maxQueued: number;
  /** Names the origin in messages. */
  readonly origin: string;
}

interface Waiter {
  readonly priority: () => Priority;
  readonly grant: () => void;
}

export class Slots {
  readonly #options: SlotOptions;
  readonly #waiting = new Set<Waiter>();
  #inFlight = 0;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** Resolves with what gives the slot back (harmless when called twice). Rejects with SlowDown past the queue's limit. */
  async acquire(priority: () => Priority, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#inFlight < this.#options.maxInFlight) this.#inFlight += 1;
    else await this.#wait(priority, signal);
    return this.#releaseOnce();
  }

  #wait(priority: () => Priority, signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#options.maxQueued) {
      const { origin, maxInFlight, maxQueued } = this.#options;
      throw new BackendError(
        'SlowDown',
        `Origin ${origin} has ${maxInFlight} requests in flight and ${maxQueued} waiting, the limits.`,
      );
    }
    return new Promise((resolve, reject) => {
      const grant = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const waiter = { priority, grant };
      const onAbort = () => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      };
      this.#waiting.add(waiter);
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

  /** The slot goes to the next who waits, or becomes free. */
  #passOn(): void {
    const next = nextOf(this.#waiting);
    if (next === undefined) {
      this.#inFlight -= 1;
      return;
    }
    this.#waiting.delete(next);
    next.grant();
  }
}
