// Hot pieces and small objects in memory, before another shelf. Whole pieces, so that any slice is a view and no copy;
// each was proved once, when it was read from the shelf below or written through here.
//
// Small pieces come in when they are read or written; larger ones when as many bytes of them as they have were read
// twice. What nobody reads any longer leaves by LRU. Bytes lent to readers outlive their piece's stay here: whoever
// sends them bounds how many he holds.
import { LRUCache } from 'lru-cache';
import type { BitSet } from './bit-set.ts';
import type { BlockDigests } from './digests.ts';
import {
  type ObjectVersion,
  type Piece,
  type PieceKey,
  pieceCount,
  pieceKey,
  pieceLength,
  type Slice,
  steps,
} from './piece.ts';
import type { Holding, PieceBytes, PieceStore, PieceWriter, Soundness, Usage } from './piece-store.ts';

export interface MemoryTierOptions {
  readonly capacityBytes: number;
  /** Pieces of at most this many bytes come in at their first read or write. Default 256 KiB. */
  readonly smallBytes?: number;
  /** Longer pieces never come in. Default a sixteenth of the capacity. */
  readonly maxPieceBytes?: number;
  /** Pieces whose reads are counted. Default 16,384. */
  readonly maxCounted?: number;
}

const LOAD_STEP_BYTES = 512 * 1024;

export class MemoryTier implements PieceStore {
  readonly blockSize: number;
  readonly #below: PieceStore;
  readonly #pieces: LRUCache<PieceKey, Buffer>;
  /** Bytes read of pieces that are not in memory. */
  readonly #readBytes: LRUCache<PieceKey, number>;
  readonly #loading = new Map<PieceKey, Promise<void>>();
  readonly #smallBytes: number;
  readonly #maxPieceBytes: number;

  constructor(deps: { below: PieceStore }, options: MemoryTierOptions) {
    this.#below = deps.below;
    this.blockSize = deps.below.blockSize;
    this.#maxPieceBytes = options.maxPieceBytes ?? Math.floor(options.capacityBytes / 16);
    this.#smallBytes = Math.min(options.smallBytes ?? 256 * 1024, this.#maxPieceBytes);
    this.#pieces = new LRUCache({ maxSize: options.capacityBytes, sizeCalculation: (bytes) => bytes.length });
    this.#readBytes = new LRUCache({ max: options.maxCounted ?? 16_384 });
  }

  get accepting(): boolean {
    return this.#below.accepting;
  }

  atHand(slice: Slice): PieceBytes | undefined {
    const bytes = this.#pieces.get(pieceKey(slice.piece));
    if (bytes === undefined) return undefined;
    if (slice.start < 0 || slice.end > bytes.length || slice.start > slice.end) {
      throw new RangeError(`The piece has ${bytes.length} bytes, not ${slice.start} to ${slice.end}.`);
    }
    this.#below.touch(slice.piece);
    return { bytes: bytes.subarray(slice.start, slice.end), source: 'memory', release: nothingLent };
  }

  async read(slice: Slice): Promise<PieceBytes | undefined> {
    const atHand = this.atHand(slice);
    if (atHand !== undefined) return atHand;
    const read = await this.#below.read(slice);
    if (read !== undefined) this.#count(pieceKey(slice.piece), slice, read);
    return read;
  }

  write(piece: Piece): PieceWriter {
    const writer = this.#below.write(piece);
    const lengthBytes = pieceLength(piece);
    if (lengthBytes > Math.min(this.#smallBytes, this.blockSize)) return writer;
    return {
      write: async (block, bytes, digest) => {
        const kept = await writer.write(block, bytes, digest);
        // Only what the shelf holds: a piece here alone would be lost to peers and to the count of held pieces.
        if (kept) this.#pieces.set(pieceKey(piece), Buffer.from(bytes));
        return kept;
      },
      close: () => writer.close(),
    };
  }

  blocks(piece: Piece): BitSet {
    return this.#below.blocks(piece);
  }

  held(version: ObjectVersion, window?: { first: number; count: number }): BitSet {
    return this.#below.held(version, window);
  }

  digests(piece: Piece): Promise<BlockDigests | undefined> {
    return this.#below.digests(piece);
  }

  touch(piece: Piece): void {
    this.#below.touch(piece);
  }

  check(piece: Piece): Promise<Soundness> {
    return this.#below.check(piece);
  }

  list(): AsyncIterable<Holding> {
    return this.#below.list();
  }

  pin(version: ObjectVersion): void {
    this.#below.pin(version);
  }

  unpin(version: ObjectVersion): void {
    this.#below.unpin(version);
  }

  async forget(piece: Piece): Promise<void> {
    await this.#below.forget(piece);
    this.#remove(piece);
  }

  async drop(version: ObjectVersion): Promise<void> {
    await this.#below.drop(version);
    for (let index = 0; index < pieceCount(version); index += 1) this.#remove({ version, index });
  }

  async adopt(from: ObjectVersion, to: ObjectVersion): Promise<void> {
    await this.#below.adopt(from, to);
    for (let index = 0; index < pieceCount(from); index += 1) {
      const bytes = this.#pieces.get(pieceKey({ version: from, index }));
      this.#remove({ version: from, index });
      if (bytes !== undefined && this.#below.blocks({ version: to, index }).isFull) {
        this.#pieces.set(pieceKey({ version: to, index }), bytes);
      }
    }
  }

  usage(): Usage {
    const below = this.#below.usage();
    return { ...below, memoryBytes: below.memoryBytes + this.#pieces.calculatedSize };
  }

  async close(): Promise<void> {
    while (this.#loading.size > 0) await Promise.all(this.#loading.values());
    this.#pieces.clear();
    await this.#below.close();
  }

  /** Resolves when no piece is on its way into memory. */
  async idle(): Promise<void> {
    while (this.#loading.size > 0) await Promise.all(this.#loading.values());
  }

  #remove(piece: Piece): void {
    const key = pieceKey(piece);
    this.#pieces.delete(key);
    this.#readBytes.delete(key);
    this.#loading.delete(key);
  }

  #count(key: PieceKey, slice: Slice, read: PieceBytes): void {
    const lengthBytes = pieceLength(slice.piece);
    if (lengthBytes > this.#maxPieceBytes || this.#pieces.has(key)) return;
    if (lengthBytes <= this.#smallBytes) {
      if (read.bytes.length === lengthBytes) this.#pieces.set(key, Buffer.from(read.bytes));
      return;
    }
    const readBytes = (this.#readBytes.get(key) ?? 0) + read.bytes.length;
    this.#readBytes.set(key, readBytes);
    if (readBytes >= 2 * lengthBytes) this.#load(key, slice.piece, lengthBytes);
  }

  #load(key: PieceKey, piece: Piece, lengthBytes: number): void {
    if (this.#loading.has(key) || !this.#below.blocks(piece).isFull) return;
    this.#readBytes.delete(key);
    const loading = this.#readWhole(piece, lengthBytes).then((bytes) => {
      // Forgotten while it was read: it must not come back.
      if (this.#loading.get(key) !== loading) return;
      this.#loading.delete(key);
      if (bytes !== undefined) this.#pieces.set(key, bytes);
    });
    this.#loading.set(key, loading);
  }

  async #readWhole(piece: Piece, lengthBytes: number): Promise<Buffer | undefined> {
    const whole = Buffer.allocUnsafeSlow(lengthBytes);
    for (const slice of steps({ piece, start: 0, end: lengthBytes }, LOAD_STEP_BYTES)) {
      const read = await this.#below.read(slice);
      if (read === undefined) return undefined;
      whole.set(read.bytes, slice.start);
      read.release();
    }
    return whole;
  }
}

function nothingLent(): void {
  // The piece stays where it is for as long as somebody looks at it.
}
