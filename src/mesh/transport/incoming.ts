// The body of a streamed answer as its reader takes it: bounded in memory, never a short clean end, and let go of when
// its reader stops.
import type { IncomingMessage } from 'node:http';
import { afterPatience } from '../../concurrency/patience.ts';
import { MeshError } from '../transport.ts';

/** Beyond it the connection is not read. */
const HIGH_WATER_BYTES = 256 * 1024;

export interface IncomingOptions {
  /** Who answers, for messages. */
  readonly who: string;
  /** While the reader waits: after this long without a byte the answer is given up. Undefined: never. */
  readonly silenceMs: number | undefined;
}

export class Incoming {
  readonly #res: IncomingMessage;
  readonly #options: IncomingOptions;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  /** `finished` is called once, when nothing more comes. */
  constructor(res: IncomingMessage, options: IncomingOptions, signal: AbortSignal, finished: () => void) {
    this.#res = res;
    this.#options = options;
    const leave = () => this.#fail(signal.reason);
    res.on('data', (chunk: Buffer) => this.#push(chunk));
    res.once('end', () => {
      this.#ended = true;
      this.#wake?.();
    });
    res.on('error', (cause) => this.#fail(this.#broken(cause)));
    const close = () => {
      signal.removeEventListener('abort', leave);
      finished();
      if (!this.#ended) this.#fail(this.#broken());
    };
    signal.addEventListener('abort', leave, { once: true });
    if (res.closed) close();
    else res.once('close', close);
    if (signal.aborted) leave();
  }

  /** Undefined at the clean end. Rejects with MeshError or the signal's reason. */
  async next(): Promise<Taken<Buffer> | undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#bytes -= chunk.length;
        if (this.#res.isPaused() && this.#bytes < HIGH_WATER_BYTES / 2) this.#res.resume();
        return { value: chunk };
      }
      if (this.#ended) return undefined;
      await this.#more();
    }
  }

  /** The reader stops. A connection whose answer came whole is kept. */
  leave(): void {
    this.#chunks.length = 0;
    if (this.#ended) return;
    if (this.#res.complete) this.#res.resume();
    else this.#res.destroy();
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= HIGH_WATER_BYTES) this.#res.pause();
    this.#wake?.();
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    this.#res.destroy();
    this.#wake?.();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      const { silenceMs, who } = this.#options;
      const endLimit =
        silenceMs === undefined
          ? undefined
          : afterPatience(silenceMs, () => {
              this.#fail(new MeshError('Unreachable', `${who} gave no sign of life for ${silenceMs} ms.`));
            });
      this.#wake = () => {
        endLimit?.();
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #broken(cause?: unknown): MeshError {
    return new MeshError('Unreachable', `${this.#options.who} broke off in the middle of an answer.`, { cause });
  }
}

export interface Taken<T> {
  readonly value: T;
}

/** What Incoming gives, as the transport's generators; stopping before the first value lets go of the answer too. */
export class IncomingValues<T> implements AsyncGenerator<T, void, undefined> {
  readonly #incoming: Incoming;
  readonly #take: () => Promise<Taken<T> | undefined>;
  #stopped = false;

  constructor(incoming: Incoming, take: () => Promise<Taken<T> | undefined>) {
    this.#incoming = incoming;
    this.#take = take;
  }

  async next(): Promise<IteratorResult<T, void>> {
    if (this.#stopped) return { done: true, value: undefined };
    const taken = await this.#take();
    if (taken !== undefined) return { done: false, value: taken.value };
    this.#stopped = true;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<T, void>> {
    this.#stopped = true;
    this.#incoming.leave();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<T, void>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
