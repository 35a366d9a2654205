// One piece of work that several callers wait for. It is aborted only when the last of them has left.
import { untilAborted } from './until-aborted.ts';

export class SharedCall<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;
  #settled = false;

  /** The work begins after the current turn, so that its maker can write down the call first. */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#result = Promise.resolve()
      .then(() => work(this.#controller.signal))
      .finally(() => {
        this.#settled = true;
      });
    // Callers see the failure; when all have left there is nobody to tell.
    this.#result.catch(() => undefined);
  }

  /** False once the result is there, or when everybody left and the work was aborted: begin a new call then. */
  get joinable(): boolean {
    return !this.#settled && !this.#controller.signal.aborted;
  }

  /** Rejects with the signal's reason when this caller leaves. */
  async join(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.#waiting += 1;
    try {
      return await untilAborted(this.#result, signal);
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#settled) this.#controller.abort(signal.reason);
    }
  }
}
