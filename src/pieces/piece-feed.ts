// The way bytes come into an arriving piece: in order, in chunks of any size, gathered to blocks, each block proved or
// its digest taken before anybody sees it.
import type { ByteRange } from '../../backends/backend.ts';
import { ArrivedBlock } from './arrived-block.ts';
import { type BlockRange, blockBytes, bytesOf } from './blocks.ts';
import type { BufferPool, LentBuffer } from './buffer-pool.ts';
import { type BlockDigests, blockDigest } from './digests.ts';
import { PieceError } from './piece-store.ts';
import { Waiters } from './waiters.ts';

/** Who brings bytes in. */
export type Supplier = 'origin' | 'peer';

export interface Feed {
  /** Aborted when the piece is abandoned or the feed has failed: whoever reads the bytes stops reading. */
  readonly signal: AbortSignal;
  /** Bytes promised and not pushed yet. */
  readonly remainingBytes: number;
  /**
   * Where the next bytes come from. With digests each block is proved before anybody sees it, and those of blocks still
   * to come may be filled in meanwhile; without, the digest is taken. A block begun from elsewhere begins again, so that
   * no block is made of two sources: look at remainingBytes afterwards.
   */
  from(source: Supplier, digests?: BlockDigests): void;
  /**
   * Memory for the next bytes, to the end of their block: whoever reads them writes them straight there and says so by
   * filled(). A promise while there is no room for their block: then ask again. Throws when the feed has ended or failed.
   */
  space(signal: AbortSignal): Uint8Array | Promise<void>;
  /** So many bytes are at the beginning of what space() gave last. Throws as push() rejects. */
  filled(bytes: number): void;
  /**
   * Resolves when all of the chunk is taken over. Rejects when the feed has ended or failed, and with 'DigestMismatch'
   * when a block is not what its digest names: the feed then goes on at the beginning of that block, from elsewhere.
   * One push at a time: the next waits for the last.
   */
  push(chunk: Uint8Array, signal: AbortSignal): Promise<void>;
  /** All is pushed: resolves when it is on the shelf or the shelf has refused it. Rejects when bytes are missing. */
  finish(): Promise<void>;
  /** No more will come: those who wait for its blocks are told. Complete blocks stay. Further calls do nothing. */
  fail(error: unknown): void;
}

/** What a feed needs of the piece it feeds. */
export interface FeedTarget {
  /** A promise while there is none: it resolves when it is worth to ask again. */
  room(bytes: number, signal: AbortSignal): Promise<void> | undefined;
  arrived(block: ArrivedBlock): void;
  settled(): Promise<void>;
  ended(error: unknown): void;
}

export class PieceFeed implements Feed {
  readonly #deps: { pool: BufferPool; blockSize: number; lengthBytes: number };
  readonly #target: FeedTarget;
  readonly #end: number;
  readonly #waiting = new Map<number, Waiters>();
  readonly #abort = new AbortController();
  #source: Supplier = 'origin';
  #digests: BlockDigests | undefined;
  #at: number;
  #filling: LentBuffer | undefined;
  /** Somebody was given the rest of what is being filled, and may write to it at any moment. */
  #isOut = false;
  #ended = false;

  constructor(
    deps: { pool: BufferPool; blockSize: number; lengthBytes: number },
    target: FeedTarget,
    range: BlockRange,
  ) {
    this.#deps = deps;
    this.#target = target;
    const bytes = bytesOf(range, deps.lengthBytes, deps.blockSize);
    this.#at = bytes.start;
    this.#end = bytes.end;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get remainingBytes(): number {
    return this.#end - this.#at;
  }

  from(source: Supplier, digests?: BlockDigests): void {
    this.#source = source;
    this.#digests = digests;
    this.#beginBlockAgain();
  }

  space(signal: AbortSignal): Uint8Array | Promise<void> {
    this.#abort.signal.throwIfAborted();
    const { start, end } = this.#blockAt(this.#at);
    if (this.#filling === undefined) {
      signal.throwIfAborted();
      const room = this.#target.room(end - start, signal);
      if (room !== undefined) return room;
      this.#filling = this.#deps.pool.take(end - start);
    }
    this.#isOut = true;
    return this.#filling.bytes.subarray(this.#at - start);
  }

  filled(bytes: number): void {
    this.#abort.signal.throwIfAborted();
    const { end } = this.#blockAt(this.#at);
    if (this.#filling === undefined || bytes > end - this.#at) {
      throw new RangeError(`There was no room for ${bytes} bytes that were filled in.`);
    }
    this.#at += bytes;
    if (this.#at === end) this.#complete(Math.floor((end - 1) / this.#deps.blockSize), this.#filling);
    this.#isOut = false;
  }

  async push(chunk: Uint8Array, signal: AbortSignal): Promise<void> {
    if (chunk.length > this.remainingBytes) {
      throw new RangeError(`The feed promised ${this.remainingBytes} bytes more, not ${chunk.length}.`);
    }
    for (let taken = 0; taken < chunk.length; ) {
      const space = this.space(signal);
      if (space instanceof Uint8Array) {
        const bytes = chunk.subarray(taken, taken + space.length);
        space.set(bytes);
        taken += bytes.length;
        this.filled(bytes.length);
      } else await space;
    }
  }

  async finish(): Promise<void> {
    this.#abort.signal.throwIfAborted();
    if (this.remainingBytes > 0) {
      const error = new PieceError('Incomplete', `The bytes ended ${this.remainingBytes} short of what was promised.`);
      this.fail(error);
      throw error;
    }
    await this.#target.settled();
    if (this.#ended) return;
    this.#ended = true;
    this.#target.ended(undefined);
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#abort.abort(error);
    this.#letGo();
    this.#target.ended(error);
  }

  /** Resolves when the block has come or its place is to be looked at again; rejects when the feed fails. */
  async waitFor(block: number, signal: AbortSignal): Promise<void> {
    const waiters = this.#waiting.get(block) ?? new Waiters();
    this.#waiting.set(block, waiters);
    await waiters.wait(signal);
  }

  /** The block has come, by this feed or another. */
  wake(block: number): void {
    this.#waiting.get(block)?.wake();
    this.#waiting.delete(block);
  }

  wakeAll(error: unknown): void {
    for (const waiters of this.#waiting.values()) {
      if (error === undefined) waiters.wake();
      else waiters.fail(error);
    }
    this.#waiting.clear();
  }

  #complete(block: number, filling: LentBuffer): void {
    const digest = blockDigest(filling.bytes);
    if (this.#digests !== undefined && !this.#digests.of(block).equals(digest)) {
      this.#at = block * this.#deps.blockSize;
      this.#beginBlockAgain();
      throw new PieceError('DigestMismatch', `Block ${block} does not have the bytes that its digest names.`);
    }
    this.#filling = undefined;
    this.#target.arrived(new ArrivedBlock(block, filling, digest, this.#source));
  }

  /** A feed begins with a block, and so does whoever goes on with it. */
  #beginBlockAgain(): void {
    if (this.#filling === undefined) return;
    this.#letGo();
    this.#at -= this.#at % this.#deps.blockSize;
  }

  /** What a connection may still write to is never used again. */
  #letGo(): void {
    if (!this.#isOut) this.#filling?.release();
    this.#filling = undefined;
    this.#isOut = false;
  }

  #blockAt(at: number): ByteRange {
    return blockBytes(Math.floor(at / this.#deps.blockSize), this.#deps.lengthBytes, this.#deps.blockSize);
  }
}
