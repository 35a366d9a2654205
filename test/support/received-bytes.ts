// The bytes of an answer as a reader takes them, chunk by chunk: what it does not take is not read for it.
import type { MemberId } from '../../src/mesh/member.ts';
import type { ByteTarget, CallName, MeshClient } from '../../src/mesh/transport.ts';

const MAX_WAITING_BYTES = 256 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** Resolves when the first bytes come, or the answer ends without. Stopping before the end leaves it. */
export async function receivedBytes(
  client: Pick<MeshClient, 'bytes'>,
  to: MemberId,
  call: CallName,
  body: unknown,
  signal: AbortSignal,
): Promise<AsyncGenerator<Buffer, void, undefined>> {
  const chunks = new WaitingChunks();
  const stopped = new AbortController();
  const over = client.bytes(to, call, body, chunks, AbortSignal.any([signal, stopped.signal]));
  over.then(
    () => chunks.end(undefined),
    (error: unknown) => chunks.end({ error }),
  );
  await Promise.race([chunks.begun, over]);
  return new ReceivedChunks(chunks, stopped);
}

/** As a generator, but that return() before the first value stops it too. */
class ReceivedChunks implements AsyncGenerator<Buffer, void, undefined> {
  readonly #chunks: WaitingChunks;
  readonly #stopped: AbortController;

  constructor(chunks: WaitingChunks, stopped: AbortController) {
    this.#chunks = chunks;
    this.#stopped = stopped;
  }

  async next(): Promise<IteratorResult<Buffer, void>> {
    const value = await this.#chunks.next();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  async return(): Promise<IteratorResult<Buffer, void>> {
    this.#stopped.abort();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Buffer, void>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

class WaitingChunks implements ByteTarget {
  readonly begun: Promise<void>;
  #begin: () => void = () => undefined;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #memory = Buffer.alloc(0);
  #end: { readonly error?: unknown } | undefined;
  #wakeReader: () => void = () => undefined;
  #wakeWriter: () => void = () => undefined;

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  space(): Uint8Array | Promise<void> {
    this.#begin();
    if (this.#bytes >= MAX_WAITING_BYTES) {
      return new Promise((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
    this.#memory = Buffer.alloc(CHUNK_BYTES);
    return this.#memory;
  }

  taken(bytes: number): void {
    this.#chunks.push(this.#memory.subarray(0, bytes));
    this.#bytes += bytes;
    this.#wakeReader();
  }

  end(end: { readonly error: unknown } | undefined): void {
    this.#end = end ?? {};
    this.#wakeReader();
  }

  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#bytes -= chunk.length;
        this.#wakeWriter();
        return chunk;
      }
      if (this.#end !== undefined) {
        if ('error' in this.#end) throw this.#end.error;
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }
}

/** As a transport does it. Rejects with what the target throws. */
export async function pourInto(into: ByteTarget, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const space = into.space();
    if (space instanceof Uint8Array) {
      const part = bytes.subarray(at, at + space.length);
      space.set(part);
      at += part.length;
      into.taken(part.length);
    } else await space;
  }
}
