// The body of an origin's answer as chunks. Ended before it was ever asked for anything, it still lets go of the
// connection, which a generator would not.
import type { Readable } from 'node:stream';
import type { Chunk } from './objects.ts';

export class BodyChunks implements AsyncGenerator<Chunk, void, undefined> {
  readonly #body: Readable;
  readonly #bytes: AsyncIterator<Uint8Array>;

  constructor(body: Readable) {
    this.#body = body;
    this.#bytes = body[Symbol.asyncIterator]();
    // Whoever reads is told; this only keeps an error from going unheard before somebody does.
    body.on('error', () => undefined);
  }

  async next(): Promise<IteratorResult<Chunk, void>> {
    const { done, value } = await this.#bytes.next();
    if (done === true) return { done, value: undefined };
    return { done: false, value: { bytes: value, source: 'origin', release: () => undefined } };
  }

  async return(): Promise<IteratorResult<Chunk, void>> {
    this.#body.destroy();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Chunk, void>> {
    this.#body.destroy();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
