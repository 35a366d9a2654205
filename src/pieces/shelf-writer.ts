// Puts blocks on the shelf: the bytes first, then the mark. The mark may outlive bytes that a power loss takes, which
// their digest finds out at the next read: that is why nothing here waits for fsync.
import { BitSet } from './bit-set.ts';
import { blockBytes, blockCount } from './blocks.ts';
import { BlockDigests, blockChecksum } from './digests.ts';
import { type Piece, pieceKey, pieceLength } from './piece.ts';
import type { PieceRecord } from './piece-record.ts';
import type { PieceWriter } from './piece-store.ts';
import { reconcile } from './recovery.ts';
import type { Shelf } from './shelf.ts';
import { type ShelvedPiece, shelvedPiece } from './shelved-piece.ts';

export interface WriterOptions {
  readonly blockSize: number;
  /** Keep a checksum a block beside the digest, for reads that check always. */
  readonly checksums: boolean;
  readonly nowMs: () => number;
}

export class ShelfWriter implements PieceWriter {
  readonly #shelf: Shelf;
  readonly #piece: Piece;
  readonly #lengthBytes: number;
  readonly #options: WriterOptions;
  readonly #running = new Map<number, Promise<boolean>>();
  #open = true;

  constructor(deps: { shelf: Shelf }, piece: Piece, options: WriterOptions) {
    this.#shelf = deps.shelf;
    this.#piece = piece;
    this.#lengthBytes = pieceLength(piece);
    this.#options = options;
    this.#shelf.beginWriting(piece);
  }

  async write(block: number, bytes: Uint8Array, digest: Uint8Array): Promise<boolean> {
    const range = blockBytes(block, this.#lengthBytes, this.#options.blockSize);
    if (bytes.length !== range.end - range.start) {
      throw new RangeError(`Block ${block} has ${range.end - range.start} bytes, not ${bytes.length}.`);
    }
    if (!this.#open) return false;
    const running = this.#running.get(block) ?? this.#put(block, range.start, bytes, digest);
    this.#running.set(block, running);
    try {
      return await running;
    } finally {
      this.#running.delete(block);
    }
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await Promise.allSettled(this.#running.values());
    await this.#shelf.endWriting(this.#piece);
  }

  async #put(block: number, position: number, bytes: Uint8Array, digest: Uint8Array): Promise<boolean> {
    const shelved = this.#shelved();
    if (shelved === undefined) return false;
    if (shelved.held.isFull || shelved.held.has(block)) return true;
    shelved.draft ??= reconcile(this.#shelf, shelved);
    const draft = await shelved.draft;
    if (draft === undefined || shelved.gone || shelved.disk.state !== 'in') return false;
    const allotted = shelved.disk.allotted(bytes.length);
    if (!(await this.#shelf.reserve(shelved.disk, allotted))) return false;
    if (!(await this.#writeBytes(shelved, position, bytes)) || shelved.gone || shelved.held.has(block)) {
      shelved.disk.usedBytes -= allotted;
      return !shelved.gone && shelved.held.has(block);
    }
    shelved.held = shelved.held.with(block);
    shelved.allocatedBytes += allotted;
    draft.held = shelved.held;
    draft.digests.set(block, digest);
    if (draft.checksums !== undefined) draft.checksums[block] = blockChecksum(bytes);
    this.#shelf.db.put(shelved.key, draft);
    shelved.disk.policy.resize(shelved.key, shelved.allocatedBytes);
    this.#shelf.settle(shelved.disk);
    return true;
  }

  /** The piece as it is on the shelf, or newly put there; undefined while no disk takes it. */
  #shelved(): ShelvedPiece | undefined {
    const key = pieceKey(this.#piece);
    const known = this.#shelf.find(this.#piece);
    if (known !== undefined) {
      if (known.held.isFull || known.blockSize === this.#options.blockSize) return known;
      // Cut by another block size and not whole: its blocks are of no use to this writer.
      void this.#shelf.discard(known);
    }
    const disk = this.#shelf.diskFor(key);
    if (disk === undefined) return undefined;
    const record = this.#newRecord(disk.id, disk.newFile());
    const shelved = shelvedPiece(key, disk, this.#lengthBytes, record);
    shelved.draft = Promise.resolve(record);
    shelved.creating = disk.create(shelved.file);
    // Whoever writes is told; this only keeps a failure from going unheard when nobody gets to write.
    shelved.creating.catch((error: unknown) => disk.failed(error));
    this.#shelf.add(shelved, false);
    return shelved;
  }

  #newRecord(disk: string, file: string): PieceRecord {
    const { blockSize, checksums, nowMs } = this.#options;
    const blocks = blockCount(this.#lengthBytes, blockSize);
    return {
      piece: this.#piece,
      disk,
      file,
      blockSize,
      madeAt: Math.floor(nowMs() / 1000),
      held: BitSet.none(blocks),
      digests: BlockDigests.empty(blocks),
      checksums: checksums ? new Uint32Array(blocks) : undefined,
    };
  }

  async #writeBytes(shelved: ShelvedPiece, position: number, bytes: Uint8Array): Promise<boolean> {
    try {
      await shelved.creating;
      await shelved.disk.write(shelved.file, bytes, position);
      return true;
    } catch (error) {
      // Part of the block may be there, unmarked: a block at most, until the piece goes or is brought in line.
      shelved.disk.failed(error);
      return false;
    }
  }
}
