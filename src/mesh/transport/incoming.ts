// The body of a streamed answer as its reader takes it: bounded in memory, never a short clean end, and let go of when
// its reader stops.
import type { IncomingMessage } from 'node:http';
import { afterPatience } from '../../concurrency/patience.ts';
import { MeshError } from '../transport.ts';

/** Beyond it the connection is not read. */
const HIGH_WATER_BYTES = 256 * 1024;
/** Each read costs about the same, so a stream that brings less at once is left to gather in the kernel for a while. */
const WORTH_READING_BYTES = 16 * 1024;
/** So many reads in a row that were not worth it show a thin stream, and not the beginning or the end of one. */
const THIN_READS = 4;

export interface IncomingOptions {
  /** Who answers, for messages. */
  readonly who: string;
  /** While the reader waits: after this long without a byte the answer is given up. Undefined: never. */
  readonly silenceMs: number | undefined;
  /** For how long a thin stream is left to gather; 0: each byte is wanted as soon as it is there. */
  readonly gatherMs: number;
}

export class Incoming {
  readonly #res: IncomingMessage;
  readonly #options: IncomingOptions;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #thinReads = 0;
  #isGathering = false;
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
        const isEnough = this.#isGathering || this.#bytes >= HIGH_WATER_BYTES / 2;
        if (!isEnough && this.#res.isPaused()) this.#res.resume();
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
    this.#thinReads = chunk.length < WORTH_READING_BYTES ? this.#thinReads + 1 : 0;
    if (this.#bytes >= HIGH_WATER_BYTES) this.#res.pause();
    else if (this.#thinReads > THIN_READS && this.#options.gatherMs > 0) this.#gather();
    this.#wake?.();
  }

  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    // One read may hold several chunks: the rest of them comes within this turn.
    setImmediate(() => this.#res.pause());
    setTimeout(() => {
      this.#isGathering = false;
      if (this.#bytes < HIGH_WATER_BYTES) this.#res.resume();
    }, this.#options.gatherMs);
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
