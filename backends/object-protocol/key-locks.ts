// One at a time per key, within this process: what stands in for write conditions that an origin does not know.
import type { ObjectRef } from '../backend.ts';

export class KeyLocks {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs after all earlier work on the key. A caller that gives up while it waits holds up nobody. */
  async run<T>(ref: ObjectRef, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const name = `${ref.bucket}/${ref.key}`;
    const before = this.#tails.get(name) ?? Promise.resolve();
    let finish: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const tail: Promise<void> = before
      .then(() => done)
      .then(() => {
        if (this.#tails.get(name) === tail) this.#tails.delete(name);
      });
    this.#tails.set(name, tail);
    try {
      await orAborted(before, signal);
      return await work();
    } finally {
      finish();
    }
  }
}

function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, reject);
  });
}
