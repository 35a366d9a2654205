// Bytes that may be in hand at once, for everybody together. Demand is served before what is only likely to be wanted.

export type Urgency = 'demand' | 'ahead';

export type Release = () => void;

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

export class ByteBudget {
  readonly #limitBytes: number;
  readonly #waiting: Record<Urgency, Waiter[]> = { demand: [], ahead: [] };
  #usedBytes = 0;

  constructor(options: { limitBytes: number }) {
    this.#limitBytes = options.limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Waits its turn. More than the whole budget is granted once nothing else is in hand. */
  async take(bytes: number, urgency: Urgency, signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    if (!this.#fits(bytes) || this.#isQueuedBefore(urgency)) await this.#wait(bytes, urgency, signal);
    else this.#usedBytes += bytes;
    return this.#releaseOnce(bytes);
  }

  /** Undefined when it does not fit now, or when somebody waits: nobody waits for what may go unused. */
  tryTake(bytes: number): Release | undefined {
    if (!this.#fits(bytes) || this.#isQueuedBefore('ahead')) return undefined;
    this.#usedBytes += bytes;
    return this.#releaseOnce(bytes);
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#limitBytes;
  }

  #isQueuedBefore(urgency: Urgency): boolean {
    return this.#waiting.demand.length > 0 || (urgency === 'ahead' && this.#waiting.ahead.length > 0);
  }

  #wait(bytes: number, urgency: Urgency, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#waiting[urgency];
      const leave = () => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(signal.reason);
        this.#grantWaiting();
      };
      const waiter: Waiter = {
        bytes,
        grant: () => {
          signal.removeEventListener('abort', leave);
          this.#usedBytes += bytes;
          resolve();
        },
      };
      queue.push(waiter);
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
    for (const queue of [this.#waiting.demand, this.#waiting.ahead]) {
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        if (!this.#fits(next.bytes)) return;
        queue.shift();
        next.grant();
      }
    }
  }
}
