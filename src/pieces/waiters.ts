// Those who wait for something to change. Each waits for the next change, or until its signal or an error ends it.

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /** Resolves at the next wake(); rejects with the signal's reason or what fail() was given. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const settle = (end: () => void): void => {
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(waiter);
        end();
      };
      const onAbort = (): void => settle(() => reject(signal.reason));
      const waiter: Waiter = {
        resolve: () => settle(resolve),
        reject: (reason) => settle(() => reject(reason)),
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  wake(): void {
    for (const waiter of [...this.#waiting]) waiter.resolve();
  }

  fail(reason: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.reject(reason);
  }
}
