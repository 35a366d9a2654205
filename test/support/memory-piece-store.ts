// A piece store in memory: the contract without disks. Keeps everything until told otherwise, counts what it is asked,
// and lets a test damage what it holds.
import { BitSet } from '../../src/pieces/bit-set.ts';
import { blockBytes, blockCount, blocksOf, bytesOf } from '../../src/pieces/blocks.ts';
import { BlockDigests } from '../../src/pieces/digests.ts';
import {
  type ObjectVersion,
  type Piece,
  pieceCount,
  pieceKey,
  pieceLength,
  type Slice,
} from '../../src/pieces/piece.ts';
import type { Holding, PieceBytes, PieceStore, PieceWriter, Soundness, Usage } from '../../src/pieces/piece-store.ts';

interface Held {
  readonly piece: Piece;
  readonly bytes: Buffer;
  readonly digests: BlockDigests;
  blocks: BitSet;
}

export class MemoryPieceStore implements PieceStore {
  readonly blockSize: number;
  readonly accepting = true;
  readonly counts = { reads: 0, hits: 0, blocksWritten: 0, discarded: 0 };
  readonly #held = new Map<string, Held>();

  constructor(options: { blockSize: number }) {
    this.blockSize = options.blockSize;
  }

  read(slice: Slice): Promise<PieceBytes | undefined> {
    const bytes = this.atHand(slice);
    if (bytes === undefined) this.counts.reads += 1;
    return Promise.resolve(bytes);
  }

  atHand(slice: Slice): PieceBytes | undefined {
    const length = pieceLength(slice.piece);
    if (slice.start < 0 || slice.end > length || slice.start > slice.end) throw new RangeError('Not within the piece.');
    const held = this.#held.get(pieceKey(slice.piece));
    const { first, end } = blocksOf(slice, this.blockSize);
    if (held === undefined || !held.blocks.hasAll(first, end)) return undefined;
    if (!this.#isSound(held, first, end)) return undefined;
    this.counts.reads += 1;
    this.counts.hits += 1;
    const bytes = Uint8Array.from(held.bytes.subarray(slice.start, slice.end));
    return { bytes, source: 'memory', release: () => undefined };
  }

  write(piece: Piece): PieceWriter {
    let open = true;
    return {
      write: (block, bytes, digest) => Promise.resolve(open && this.#put(piece, block, bytes, digest)),
      close: () => {
        open = false;
        return Promise.resolve();
      },
    };
  }

  blocks(piece: Piece): BitSet {
    return this.#held.get(pieceKey(piece))?.blocks ?? BitSet.none(blockCount(pieceLength(piece), this.blockSize));
  }

  held(version: ObjectVersion, window = { first: 0, count: pieceCount(version) }): BitSet {
    return BitSet.from(
      window.count,
      (bit) => this.#held.get(pieceKey({ version, index: window.first + bit }))?.blocks.isFull === true,
    );
  }

  digests(piece: Piece): Promise<BlockDigests | undefined> {
    return Promise.resolve(this.#held.get(pieceKey(piece))?.digests);
  }

  touch(): void {}

  check(piece: Piece): Promise<Soundness> {
    const held = this.#held.get(pieceKey(piece));
    if (held === undefined) return Promise.resolve('absent');
    return Promise.resolve(this.#isSound(held, 0, held.blocks.size) ? 'sound' : 'damaged');
  }

  async *list(): AsyncGenerator<Holding, void, undefined> {
    const versions = new Map<string, ObjectVersion>();
    for (const { piece } of this.#held.values()) versions.set(piece.version.id, piece.version);
    for (const version of versions.values()) yield await Promise.resolve(this.#holding(version));
  }

  pin(): void {}

  unpin(): void {}

  forget(piece: Piece): Promise<void> {
    this.#held.delete(pieceKey(piece));
    return Promise.resolve();
  }

  drop(version: ObjectVersion): Promise<void> {
    for (let index = 0; index < pieceCount(version); index += 1) this.#held.delete(pieceKey({ version, index }));
    return Promise.resolve();
  }

  adopt(from: ObjectVersion, to: ObjectVersion): Promise<void> {
    if (from.size !== to.size || from.pieceSize !== to.pieceSize) throw new RangeError('Not the same cuts.');
    for (let index = 0; index < pieceCount(from); index += 1) {
      const held = this.#held.get(pieceKey({ version: from, index }));
      if (held === undefined) continue;
      this.#held.delete(pieceKey(held.piece));
      const piece = { version: to, index };
      if (!this.#held.has(pieceKey(piece))) this.#held.set(pieceKey(piece), { ...held, piece });
    }
    return Promise.resolve();
  }

  usage(): Usage {
    let memoryBytes = 0;
    for (const held of this.#held.values()) {
      for (const block of held.blocks) {
        const { start, end } = blockBytes(block, held.bytes.length, this.blockSize);
        memoryBytes += end - start;
      }
    }
    return { diskBytes: 0, memoryBytes, capacityBytes: Number.MAX_SAFE_INTEGER, pieces: this.#held.size };
  }

  close(): Promise<void> {
    this.#held.clear();
    return Promise.resolve();
  }

  /** Flips one bit of what is held; false when the byte is not held. */
  damage(piece: Piece, byte: number): boolean {
    const held = this.#held.get(pieceKey(piece));
    if (held === undefined || !held.blocks.has(Math.floor(byte / this.blockSize))) return false;
    held.bytes[byte] = (held.bytes[byte] ?? 0) ^ 1;
    return true;
  }

  #holding(version: ObjectVersion): Holding {
    const pieces = this.held(version);
    const begun = BitSet.from(pieces.size, (index) => !pieces.has(index) && !this.blocks({ version, index }).isEmpty);
    return { version, pieces, begun };
  }

  #put(piece: Piece, block: number, bytes: Uint8Array, digest: Uint8Array): boolean {
    const length = pieceLength(piece);
    const { start, end } = blockBytes(block, length, this.blockSize);
    if (bytes.length !== end - start) throw new RangeError('Not the length of the block.');
    const blocks = blockCount(length, this.blockSize);
    const key = pieceKey(piece);
    const held = this.#held.get(key) ?? {
      piece,
      bytes: Buffer.alloc(length),
      digests: BlockDigests.empty(blocks),
      blocks: BitSet.none(blocks),
    };
    if (held.blocks.has(block)) return true;
    held.bytes.set(bytes, start);
    held.digests.set(block, digest);
    held.blocks = held.blocks.with(block);
    this.#held.set(key, held);
    this.counts.blocksWritten += 1;
    return true;
  }

  #isSound(held: Held, first: number, end: number): boolean {
    for (let block = first; block < end; block += 1) {
      if (!held.blocks.has(block)) continue;
      const range = bytesOf({ first: block, end: block + 1 }, held.bytes.length, this.blockSize);
      if (held.digests.proves(block, held.bytes.subarray(range.start, range.end))) continue;
      this.#held.delete(pieceKey(held.piece));
      this.counts.discarded += 1;
      return false;
    }
    return true;
  }
}
