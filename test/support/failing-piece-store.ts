// A piece store in trouble, in the ways the contract allows a shelf to be in trouble: it does not answer with bytes,
// does not keep what it is given, or takes its time until a test lets it go on.
import type { BitSet } from '../../src/pieces/bit-set.ts';
import type { BlockDigests } from '../../src/pieces/digests.ts';
import type { ObjectVersion, Piece, Slice } from '../../src/pieces/piece.ts';
import type { Holding, PieceBytes, PieceStore, PieceWriter, Soundness, Usage } from '../../src/pieces/piece-store.ts';

export class FailingPieceStore implements PieceStore {
  readonly blockSize: number;
  /** Reads answer undefined although blocks() says that the bytes are there. */
  failReads = false;
  /** Writes answer false. */
  failWrites = false;
  /** Nothing new is kept, and it says so. */
  refuses = false;
  /** While set, reads and writes wait for it. */
  hold: Promise<void> | undefined;
  /** While set, writes wait for it. */
  holdWrites: Promise<void> | undefined;
  readonly counts = { failedReads: 0, failedWrites: 0 };
  readonly #inner: PieceStore;

  constructor(inner: PieceStore) {
    this.#inner = inner;
    this.blockSize = inner.blockSize;
  }

  /** A shelf that refuses everything knows that it does. */
  get accepting(): boolean {
    return !this.refuses && this.#inner.accepting;
  }

  atHand(slice: Slice): PieceBytes | undefined {
    return this.hold === undefined && !this.failReads ? this.#inner.atHand(slice) : undefined;
  }

  async read(slice: Slice): Promise<PieceBytes | undefined> {
    await this.hold;
    if (!this.failReads) return this.#inner.read(slice);
    this.counts.failedReads += 1;
    return undefined;
  }

  write(piece: Piece): PieceWriter {
    const writer = this.#inner.write(piece);
    const running = new Set<Promise<boolean>>();
    return {
      write: (block, bytes, digest) => {
        const writing = this.#write(writer, block, bytes, digest).finally(() => running.delete(writing));
        running.add(writing);
        return writing;
      },
      close: async () => {
        await Promise.allSettled(running);
        await writer.close();
      },
    };
  }

  async #write(writer: PieceWriter, block: number, bytes: Uint8Array, digest: Uint8Array): Promise<boolean> {
    const fails = this.failWrites || this.refuses;
    await this.hold;
    await this.holdWrites;
    if (!fails) return writer.write(block, bytes, digest);
    this.counts.failedWrites += 1;
    return false;
  }

  blocks(piece: Piece): BitSet {
    return this.#inner.blocks(piece);
  }

  held(version: ObjectVersion, window?: { first: number; count: number }): BitSet {
    return window === undefined ? this.#inner.held(version) : this.#inner.held(version, window);
  }

  digests(piece: Piece): Promise<BlockDigests | undefined> {
    return this.#inner.digests(piece);
  }

  touch(piece: Piece): void {
    this.#inner.touch(piece);
  }

  check(piece: Piece): Promise<Soundness> {
    return this.#inner.check(piece);
  }

  list(): AsyncIterable<Holding> {
    return this.#inner.list();
  }

  pin(version: ObjectVersion): void {
    this.#inner.pin(version);
  }

  unpin(version: ObjectVersion): void {
    this.#inner.unpin(version);
  }

  forget(piece: Piece): Promise<void> {
    return this.#inner.forget(piece);
  }

  drop(version: ObjectVersion): Promise<void> {
    return this.#inner.drop(version);
  }

  adopt(from: ObjectVersion, to: ObjectVersion): Promise<void> {
    return this.#inner.adopt(from, to);
  }

  usage(): Usage {
    return this.#inner.usage();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
