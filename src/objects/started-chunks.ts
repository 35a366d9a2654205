// Chunks whose first is there already. Unlike a generator that was never asked for anything, it ends the work behind it
// even when whoever has it stops before the first chunk.
import type { Chunk } from './objects.ts';

type Chunks = AsyncGenerator<Chunk, void, undefined>;

export class StartedChunks implements Chunks {
  readonly first: Chunk | undefined;
  /** There is no other. */
  readonly whole: Chunk | undefined;
  readonly #rest: Chunks;
  readonly #failed: (error: unknown) => void;
  #waiting: Chunk | undefined;

  private constructor(first: Chunk | undefined, rest: Chunks, failed: (error: unknown) => void) {
    this.first = first;
    this.whole = rest === NO_MORE ? first : undefined;
    this.#waiting = first;
    this.#rest = rest;
    this.#failed = failed;
  }

  /** Rejects when the first chunk cannot be had. `failed` is told of that and of every later failure. */
  static async start(chunks: Chunks, failed: (error: unknown) => void): Promise<StartedChunks> {
    const first = await next(chunks, failed);
    return new StartedChunks(first.done === true ? undefined : first.value, chunks, failed);
  }

  /** This one, and no more. */
  static of(only: Chunk): StartedChunks {
    return new StartedChunks(only, NO_MORE, unheard);
  }

  next(): Promise<IteratorResult<Chunk, void>> {
    const value = this.#waiting;
    if (value === undefined) return next(this.#rest, this.#failed);
    this.#waiting = undefined;
    return Promise.resolve({ done: false, value });
  }

  return(): Promise<IteratorResult<Chunk, void>> {
    this.#waiting?.release();
    this.#waiting = undefined;
    return this.#rest.return();
  }

  throw(error: unknown): Promise<IteratorResult<Chunk, void>> {
    this.#waiting?.release();
    this.#waiting = undefined;
    return this.#rest.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

const NO_MORE: Chunks = (async function* () {})();

function unheard(): void {
  // Nothing comes that could fail.
}

async function next(chunks: Chunks, failed: (error: unknown) => void): Promise<IteratorResult<Chunk, void>> {
  try {
    return await chunks.next();
  } catch (error) {
    failed(error);
    throw error;
  }
}
