// While an object's bytes stream through to its origin they are put on the shelf as well, as pieces of a version that
// has no etag yet and that nobody can ask for. When the origin has answered with the etag, the version adopts them; if
// it never does, they go. The shelf may fail or hang: the write to the origin never fails for it, and waits for it no
// longer than its patience, once.
import { randomBytes } from 'node:crypto';
import { blockBytes } from './blocks.ts';
import type { BufferPool, LentBuffer } from './buffer-pool.ts';
import { blockDigest } from './digests.ts';
import { type ObjectVersion, objectVersion, pieceLength, type VersionFields } from './piece.ts';
import type { PieceStore, PieceWriter } from './piece-store.ts';

export interface StagingOptions {
  /** Bytes of one object on their way to the shelf at most. */
  readonly maxWaitingBytes: number;
  /** How long a write waits for the shelf in all before it goes on without. */
  readonly patienceMs: number;
}

export interface StagingDeps {
  readonly store: Pick<PieceStore, 'blockSize' | 'write' | 'drop' | 'adopt'>;
  readonly pool: BufferPool;
}

/** The block that is being gathered. */
interface Filling {
  readonly index: number;
  readonly block: number;
  readonly buffer: LentBuffer;
  filledBytes: number;
}

export class StagedObject {
  readonly #deps: StagingDeps;
  readonly #options: StagingOptions;
  readonly #version: ObjectVersion;
  readonly #running = new Set<Promise<void>>();
  #writer: PieceWriter | undefined;
  #filling: Filling | undefined;
  /** Bytes of the object taken in. */
  #at = 0;
  #waitingBytes = 0;
  #patienceMs: number;
  #ended: 'adopted' | 'given up' | undefined;

  constructor(deps: StagingDeps, options: StagingOptions, fields: Omit<VersionFields, 'etag'>) {
    this.#deps = deps;
    this.#options = options;
    this.#patienceMs = options.patienceMs;
    this.#version = { ...fields, etag: '', id: randomBytes(20).toString('hex') };
  }

  /** Never rejects. The chunk may be used again when this resolves. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#at + chunk.length > this.#version.size) {
      await this.abandon();
      return;
    }
    for (let taken = 0; taken < chunk.length && this.#ended === undefined; ) {
      this.#filling ??= this.#begin();
      const { buffer, filledBytes } = this.#filling;
      const bytes = chunk.subarray(taken, taken + buffer.bytes.length - filledBytes);
      buffer.bytes.set(bytes, filledBytes);
      taken += bytes.length;
      this.#at += bytes.length;
      this.#filling.filledBytes += bytes.length;
      if (this.#filling.filledBytes === buffer.bytes.length) await this.#complete(this.#filling);
    }
  }

  /**
   * The origin has the object under this etag: what the shelf kept of it is the version's. Undefined: it was given up,
   * or is not complete. Never rejects.
   */
  async commit(etag: string): Promise<ObjectVersion | undefined> {
    if (this.#ended !== undefined) return undefined;
    if (this.#at !== this.#version.size || !(await this.#settle())) {
      await this.abandon();
      return undefined;
    }
    this.#ended = 'adopted';
    const version = objectVersion({ ...this.#version, etag });
    // Where the shelf hangs now, it finishes this on its own or not at all.
    await this.#patiently(this.#closeWriter().then(() => this.#deps.store.adopt(this.#version, version)));
    return version;
  }

  /** Takes what is staged off the shelf. Further calls do nothing. */
  async abandon(): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#ended = 'given up';
    this.#filling?.buffer.release();
    this.#filling = undefined;
    const leave = async (): Promise<void> => {
      await Promise.all(this.#running);
      await this.#closeWriter();
      await this.#deps.store.drop(this.#version);
    };
    // A hanging shelf is left to itself after the patience; what it still brings about is dropped when it does.
    await this.#patiently(leave());
  }

  #begin(): Filling {
    const { pieceSize } = this.#version;
    const { blockSize } = this.#deps.store;
    const index = Math.floor(this.#at / pieceSize);
    const block = Math.floor((this.#at - index * pieceSize) / blockSize);
    const { start, end } = blockBytes(block, pieceLength({ version: this.#version, index }), blockSize);
    return { index, block, buffer: this.#deps.pool.take(end - start), filledBytes: 0 };
  }

  async #complete({ index, block, buffer }: Filling): Promise<void> {
    this.#filling = undefined;
    this.#writer ??= this.#deps.store.write({ version: this.#version, index });
    this.#track(this.#shelve(this.#writer, block, buffer));
    if (this.#at === Math.min(this.#version.size, (index + 1) * this.#version.pieceSize)) {
      this.#track(this.#closeWriter());
    }
    while (this.#waitingBytes > this.#options.maxWaitingBytes) {
      if (await this.#patiently(Promise.race(this.#running))) continue;
      await this.abandon();
      return;
    }
  }

  async #shelve(writer: PieceWriter, block: number, buffer: LentBuffer): Promise<void> {
    this.#waitingBytes += buffer.bytes.length;
    await writer.write(block, buffer.bytes, blockDigest(buffer.bytes));
    this.#waitingBytes -= buffer.bytes.length;
    buffer.release();
  }

  #track(work: Promise<void>): void {
    const running = work.finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #settle(): Promise<boolean> {
    return this.#running.size === 0 || this.#patiently(Promise.all(this.#running));
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close();
  }

  /** False: the patience is used up. */
  async #patiently(work: Promise<unknown>): Promise<boolean> {
    const begun = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const tired = new Promise<'tired'>((resolve) => {
      timer = setTimeout(() => resolve('tired'), Math.max(0, this.#patienceMs));
    });
    try {
      return (await Promise.race([work, tired])) !== 'tired';
    } finally {
      clearTimeout(timer);
      this.#patienceMs -= performance.now() - begun;
    }
  }
}
