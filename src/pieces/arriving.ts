// A piece in flight. Whoever reads its bytes from an origin or a peer feeds them in; any number of readers join at any
// moment, each at its own place and speed, and get each block once it is complete and proved, never a part of one.
//
// Memory is bounded by the window: blocks stay in it only until they are on the shelf. A slow reader then reads from
// the shelf and slows nobody. Where the shelf keeps nothing, a block stays until one reader has taken it (the feed
// waits for the fastest); a reader who comes later is told that it is not here, and gets it another way.
//
// It decides nothing about when to go on without readers: it counts them, tells when the last has left, and can be
// abandoned.

import { Haste } from '../concurrency/haste.ts';
import type { ArrivedBlock } from './arrived-block.ts';
import { type BlockRange, blockBytes, blockCount } from './blocks.ts';
import type { BufferPool } from './buffer-pool.ts';
import { type Piece, pieceLength } from './piece.ts';
import { type Feed, PieceFeed } from './piece-feed.ts';
import { type PieceBytes, PieceError, type PieceStore, type PieceWriter } from './piece-store.ts';
import { Waiters } from './waiters.ts';

export interface ArrivingOptions {
  /** Bytes of complete blocks held in memory at most, above the one being filled by each feed. */
  readonly windowBytes: number;
  /** The last reader has left while bytes are still coming. */
  readonly unwanted: (arriving: ArrivingPiece) => void;
  /** Nobody feeds and nobody reads any longer. */
  readonly idle: (arriving: ArrivingPiece) => void;
}

export interface ArrivingDeps {
  readonly store: Pick<PieceStore, 'blockSize' | 'read' | 'write' | 'blocks'>;
  readonly pool: BufferPool;
}

export interface PieceReader {
  /**
   * Bytes from `start` on, up to `end` at most and never beyond the block they are in, as soon as they are there.
   * Undefined: they are neither here nor coming. Rejects with the feed's error when it fails while this waits.
   */
  read(start: number, end: number, signal: AbortSignal): Promise<PieceBytes | undefined>;
  /** Further calls do nothing. */
  leave(): void;
}

export class ArrivingPiece {
  readonly piece: Piece;
  readonly lengthBytes: number;
  /** Of all who read it, or are to. */
  readonly haste = new Haste();
  readonly #deps: ArrivingDeps;
  readonly #options: ArrivingOptions;
  /** Who brings a block that is on its way. */
  readonly #coming = new Map<number, PieceFeed>();
  /** In the order of their arrival. */
  readonly #window = new Map<number, ArrivedBlock>();
  readonly #readers = new Set<{ at: number }>();
  readonly #feeds = new Set<PieceFeed>();
  readonly #changed = new Waiters();
  readonly #shelving = new Set<Promise<void>>();
  #writer: PieceWriter | undefined;
  #windowBytes = 0;

  constructor(deps: ArrivingDeps, options: ArrivingOptions, piece: Piece) {
    this.#deps = deps;
    this.#options = options;
    this.piece = piece;
    this.lengthBytes = pieceLength(piece);
  }

  get blockSize(): number {
    return this.#deps.store.blockSize;
  }

  /** Readers who have joined and not left. */
  get wanted(): number {
    return this.#readers.size;
  }

  /** Bytes of blocks that are promised and not complete. */
  get remainingBytes(): number {
    let bytes = 0;
    for (const block of this.#coming.keys()) bytes += this.#bytesIn(block);
    return bytes;
  }

  /** Bytes of complete blocks in memory. */
  get memoryBytes(): number {
    return this.#windowBytes;
  }

  /** The block is coming, or has come and may be on its way to the shelf. */
  hasOrExpects(block: number): boolean {
    return this.#coming.has(block) || this.#window.has(block);
  }

  join(): PieceReader {
    const reader = { at: 0 };
    this.#readers.add(reader);
    return {
      read: (start, end, signal) => this.#read(reader, start, end, signal),
      leave: () => this.#leave(reader),
    };
  }

  /**
   * Promises the blocks of the range, to be brought in order from its first byte. Those that are here or on their way
   * already are passed over when their bytes come.
   */
  feed(range: BlockRange): Feed {
    if (range.first < 0 || range.end > blockCount(this.lengthBytes, this.blockSize) || range.first >= range.end) {
      throw new RangeError(`The piece has no blocks ${range.first} to ${range.end}.`);
    }
    const feed: PieceFeed = new PieceFeed(
      { pool: this.#deps.pool, blockSize: this.blockSize, lengthBytes: this.lengthBytes },
      {
        room: (bytes, signal) => this.#room(bytes, signal),
        arrived: (block) => this.#arrived(block),
        settled: () => this.#settled(),
        ended: (error) => this.#ended(feed, error),
      },
      range,
    );
    this.#feeds.add(feed);
    const held = this.#deps.store.blocks(this.piece);
    for (let block = range.first; block < range.end; block += 1) {
      if (!this.#coming.has(block) && !this.#window.has(block) && !held.has(block)) this.#coming.set(block, feed);
    }
    return feed;
  }

  /** Ends every feed: those who wait are told, and so is whoever feeds, by the feed's signal. */
  abandon(reason = new PieceError('Abandoned', 'Nobody wanted the rest of the piece.')): void {
    for (const feed of [...this.#feeds]) feed.fail(reason);
  }

  async #read(
    reader: { at: number },
    start: number,
    end: number,
    signal: AbortSignal,
  ): Promise<PieceBytes | undefined> {
    const block = Math.floor(start / this.blockSize);
    const range = blockBytes(block, this.lengthBytes, this.blockSize);
    if (start >= end) throw new RangeError(`No bytes were asked for: ${start} to ${end}.`);
    const stop = Math.min(end, range.end);
    reader.at = block;
    this.#changed.wake();
    for (;;) {
      signal.throwIfAborted();
      const arrived = this.#window.get(block);
      if (arrived !== undefined) {
        if (stop === range.end) arrived.taken = true;
        this.#changed.wake();
        return arrived.lend(start - range.start, stop - range.start);
      }
      const feed = this.#coming.get(block);
      if (feed === undefined) return this.#fromShelf(block, start, stop);
      await feed.waitFor(block, signal);
    }
  }

  async #fromShelf(block: number, start: number, end: number): Promise<PieceBytes | undefined> {
    if (!this.#deps.store.blocks(this.piece).has(block)) return undefined;
    return this.#deps.store.read({ piece: this.piece, start, end });
  }

  #leave(reader: { at: number }): void {
    if (!this.#readers.delete(reader)) return;
    this.#changed.wake();
    if (this.#readers.size === 0 && this.#coming.size > 0) this.#options.unwanted(this);
    this.#rest();
  }

  /** Drops what nobody needs from the window, the oldest first, to make room for a block; a promise where that is too little. */
  #room(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    for (const [block, arrived] of this.#window) {
      if (this.#fits(bytes)) return undefined;
      if (this.#isSpare(block, arrived)) this.#drop(block, arrived);
    }
    return this.#fits(bytes) || this.#window.size === 0 ? undefined : this.#changed.wait(signal);
  }

  #fits(bytes: number): boolean {
    return this.#windowBytes + bytes <= this.#options.windowBytes;
  }

  #isSpare(block: number, arrived: ArrivedBlock): boolean {
    if (arrived.shelving) return false;
    if (arrived.shelved || arrived.taken) return true;
    for (const reader of this.#readers) if (reader.at <= block) return false;
    return true;
  }

  #drop(block: number, arrived: ArrivedBlock): void {
    this.#window.delete(block);
    this.#windowBytes -= arrived.lengthBytes;
    arrived.release();
  }

  #arrived(arrived: ArrivedBlock): void {
    const { block } = arrived;
    const promisedBy = this.#coming.get(block);
    if (this.#window.has(block) || (promisedBy === undefined && this.#deps.store.blocks(this.piece).has(block))) {
      arrived.release();
      return;
    }
    this.#coming.delete(block);
    this.#window.set(block, arrived);
    this.#windowBytes += arrived.lengthBytes;
    promisedBy?.wake(block);
    this.#writer ??= this.#deps.store.write(this.piece);
    const shelving = this.#shelve(this.#writer, arrived).finally(() => this.#shelving.delete(shelving));
    this.#shelving.add(shelving);
  }

  async #shelve(writer: PieceWriter, arrived: ArrivedBlock): Promise<void> {
    try {
      arrived.shelved = await writer.write(arrived.block, arrived.bytes, arrived.digest);
    } finally {
      arrived.shelving = false;
      this.#changed.wake();
    }
  }

  /** All that has arrived is on the shelf, or the shelf has refused it. */
  async #settled(): Promise<void> {
    while (this.#shelving.size > 0) await Promise.all(this.#shelving);
  }

  #ended(feed: PieceFeed, error: unknown): void {
    this.#feeds.delete(feed);
    for (const [block, by] of [...this.#coming]) if (by === feed) this.#coming.delete(block);
    feed.wakeAll(error);
    this.#changed.wake();
    if (this.#feeds.size === 0) void this.#closeWriter();
    this.#rest();
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await this.#settled();
    await writer?.close();
    // Readers who are still behind, however slow, hold no memory: the shelf has it.
    if (this.#feeds.size > 0) return;
    for (const [block, arrived] of [...this.#window]) if (arrived.shelved) this.#drop(block, arrived);
  }

  #rest(): void {
    if (this.#readers.size > 0 || this.#feeds.size > 0) return;
    void this.#settled().then(() => {
      if (this.#readers.size > 0 || this.#feeds.size > 0) return;
      for (const [block, arrived] of [...this.#window]) this.#drop(block, arrived);
      this.#options.idle(this);
    });
  }

  #bytesIn(block: number): number {
    const { start, end } = blockBytes(block, this.lengthBytes, this.blockSize);
    return end - start;
  }
}
