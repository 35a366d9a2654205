// Bytes that may be in hand at once, for everybody together. What a client waits for is served before what is only
// likely to be wanted, and that before what is fetched for nobody yet. Looked at when there is room: who waits may have
// come to be in more of a hurry.
import { type Haste, isBefore } from './haste.ts';

export type Release = () => void;

type Hurrying = Pick<Haste, 'urgency'>;

interface Waiter {
  readonly bytes: number;
  readonly haste: Hurrying;
  readonly grant: () => void;
}

export class ByteBudget {
  readonly #limitBytes: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiter>();
  #usedBytes = 0;

  constructor(options: { limitBytes: number }) {
    this.#limitBytes = options.limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Waits its turn. More than the whole budget is granted once nothing else is in hand. */
  async take(bytes: number, haste: Hurrying, signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    if (!this.#fits(bytes) || this.#isQueuedBefore(haste)) await this.#wait(bytes, haste, signal);
    else this.#usedBytes += bytes;
    return this.#releaseOnce(bytes);
  }

  /** Undefined when it does not fit now, or when somebody waits: nobody waits for what may go unused. */
  tryTake(bytes: number): Release | undefined {
    if (!this.#fits(bytes) || this.#waiting.size > 0) return undefined;
    this.#usedBytes += bytes;
    return this.#releaseOnce(bytes);
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#limitBytes;
  }

  #isQueuedBefore({ urgency }: Hurrying): boolean {
    for (const { haste } of this.#waiting) if (!isBefore(urgency, haste.urgency)) return true;
    return false;
  }

  #wait(bytes: number, haste: Hurrying, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
        this.#grantWaiting();
      };
      const waiter: Waiter = {
        bytes,
        haste,
        grant: () => {
          signal.removeEventListener('abort', leave);
          this.#usedBytes += bytes;
          resolve();
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #releaseOnce(bytes: number): Release {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#usedBytes -= bytes;
      this.#grantWaiting();
    };
  }

  #grantWaiting(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (!this.#fits(next.bytes)) return;
      this.#waiting.delete(next);
      next.grant();
    }
  }

  #next(): Waiter | undefined {
    let next: Waiter | undefined;
    for (const waiter of this.#waiting) {
      if (next === undefined || isBefore(waiter.haste.urgency, next.haste.urgency)) next = waiter;
      if (next.haste.urgency === 'demand') return next;
    }
    return next;
  }
}
