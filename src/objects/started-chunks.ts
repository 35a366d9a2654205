// Chunks whose first is there already, or all of them. Unlike a generator that was never asked for anything, it ends
// the work behind it even when whoever has it stops before the first chunk.
import type { Chunk } from './objects.ts';

type Chunks = AsyncGenerator<Chunk, void, undefined>;

export class StartedChunks implements Chunks {
  readonly first: Chunk | undefined;
  /** All of them, where all are there. */
  readonly whole: readonly Chunk[] | undefined;
  readonly #rest: Chunks;
  readonly #failed: (error: unknown) => void;
  readonly #there: readonly Chunk[];
  #given = 0;

  private constructor(there: readonly Chunk[], rest: Chunks, failed: (error: unknown) => void) {
    this.first = there[0];
    this.whole = rest === NO_MORE ? there : undefined;
    this.#there = there;
    this.#rest = rest;
    this.#failed = failed;
  }

  /** Rejects when the first chunk cannot be had. `failed` is told of that and of every later failure. */
  static async start(chunks: Chunks, failed: (error: unknown) => void): Promise<StartedChunks> {
    const first = await next(chunks, failed);
    return new StartedChunks(first.done === true ? [] : [first.value], chunks, failed);
  }

  /** These, and no more. */
  static of(all: readonly Chunk[]): StartedChunks {
    return new StartedChunks(all, NO_MORE, unheard);
  }

  next(): Promise<IteratorResult<Chunk, void>> {
    const value = this.#there[this.#given];
    if (value === undefined) return next(this.#rest, this.#failed);
    this.#given += 1;
    return Promise.resolve({ done: false, value });
  }

  return(): Promise<IteratorResult<Chunk, void>> {
    this.#releaseRest();
    return this.#rest.return();
  }

  throw(error: unknown): Promise<IteratorResult<Chunk, void>> {
    this.#releaseRest();
    return this.#rest.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #releaseRest(): void {
    for (const chunk of this.#there.slice(this.#given)) chunk.release();
    this.#given = this.#there.length;
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
