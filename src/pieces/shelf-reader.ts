// Reads from the shelf and proves what it read. A block is proved by its digest at its first read since start-up. After
// that `verify: 'always'` checks its checksum at each read, and 'first' trusts the disk: damage done later is found by
// check() or after a restart.
import type { ByteRange } from '../../backends/backend.ts';
import { type BlockRange, blockBytes, blocksOf, bytesOf } from './blocks.ts';
import type { BufferPool, LentBuffer } from './buffer-pool.ts';
import { blockChecksum } from './digests.ts';
import { errorCode } from './files.ts';
import type { Piece, Slice } from './piece.ts';
import type { PieceBytes, Soundness } from './piece-store.ts';
import type { Shelf } from './shelf.ts';
import type { ShelvedPiece } from './shelved-piece.ts';

const EMPTY: PieceBytes = { bytes: new Uint8Array(0), source: 'memory', release: () => undefined };
const CHECK_STEP_BYTES = 1024 * 1024;

export class ShelfReader {
  readonly #shelf: Shelf;
  readonly #pool: BufferPool;
  readonly #verify: 'first' | 'always';
  #closed = false;

  constructor(deps: { shelf: Shelf; pool: BufferPool }, options: { verify: 'first' | 'always' }) {
    this.#shelf = deps.shelf;
    this.#pool = deps.pool;
    this.#verify = options.verify;
  }

  async read(slice: Slice): Promise<PieceBytes | undefined> {
    const shelved = this.#shelf.find(slice.piece);
    if (shelved === undefined) return undefined;
    if (slice.start < 0 || slice.end > shelved.lengthBytes || slice.start > slice.end) {
      throw new RangeError(`The piece has ${shelved.lengthBytes} bytes, not ${slice.start} to ${slice.end}.`);
    }
    const blocks = blocksOf(slice, shelved.blockSize);
    if (!shelved.held.hasAll(blocks.first, blocks.end)) return undefined;
    if (slice.start === slice.end) return EMPTY;
    shelved.disk.policy.touch(shelved.key);
    const proved = shelved.verified.hasAll(blocks.first, blocks.end);
    if (proved && this.#verify === 'first') return lend(await this.#readBytes(shelved, slice), slice, slice);
    const whole = bytesOf(blocks, shelved.lengthBytes, shelved.blockSize);
    const read = await this.#readBytes(shelved, whole);
    if (read === undefined) return undefined;
    if (await this.#prove(shelved, blocks, read.bytes, !proved)) return lend(read, whole, slice);
    read.release();
    return undefined;
  }

  /** Proves all that is held of a piece by its digests, whatever was proved before. */
  async check(piece: Piece): Promise<Soundness> {
    const shelved = this.#shelf.find(piece);
    if (shelved === undefined || shelved.held.isEmpty || shelved.disk.state === 'out') return 'absent';
    const { held, lengthBytes, blockSize } = shelved;
    const stride = Math.max(1, Math.floor(CHECK_STEP_BYTES / blockSize));
    for (let first = 0; first < held.size; ) {
      let end = first;
      while (end < first + stride && held.has(end)) end += 1;
      if (end > first && !(await this.#isSound(shelved, { first, end }, lengthBytes))) {
        // It may have been evicted meanwhile, which is no damage.
        return shelved.damaged ? 'damaged' : 'absent';
      }
      first = Math.max(end, first + 1);
    }
    return 'sound';
  }

  /** From now on nothing is read. */
  close(): void {
    this.#closed = true;
  }

  async #isSound(shelved: ShelvedPiece, blocks: BlockRange, lengthBytes: number): Promise<boolean> {
    const read = await this.#readBytes(shelved, bytesOf(blocks, lengthBytes, shelved.blockSize));
    if (read === undefined) return false;
    try {
      return await this.#prove(shelved, blocks, read.bytes, true);
    } finally {
      read.release();
    }
  }

  /** Undefined: not readable; what that means for the piece and its disk has been seen to. */
  async #readBytes(shelved: ShelvedPiece, range: ByteRange): Promise<LentBuffer | undefined> {
    if (shelved.disk.state === 'out' || this.#closed) return undefined;
    const lent = this.#pool.take(range.end - range.start);
    try {
      const count = await shelved.disk.read(shelved.file, lent.bytes, range.start);
      if (count === lent.bytes.length) return lent;
      await this.#shelf.discard(shelved, 'short');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') await this.#shelf.discard(shelved, 'missing');
      else if (shelved.disk.failed(error)) await this.#shelf.discard(shelved, 'unreadable');
    }
    lent.release();
    return undefined;
  }

  /** False: not these blocks' bytes (the piece is discarded), or their digests cannot be had now. */
  async #prove(shelved: ShelvedPiece, blocks: BlockRange, bytes: Uint8Array, byDigest: boolean): Promise<boolean> {
    const record = await this.#shelf.recordOf(shelved);
    if (record === undefined) return false;
    const base = blocks.first * shelved.blockSize;
    for (let block = blocks.first; block < blocks.end; block += 1) {
      const { start, end } = blockBytes(block, shelved.lengthBytes, shelved.blockSize);
      const content = bytes.subarray(start - base, end - base);
      const checksum = byDigest ? undefined : record.checksums?.[block];
      const sound =
        checksum === undefined ? record.digests.proves(block, content) : blockChecksum(content) === checksum;
      if (sound) continue;
      await this.#shelf.discard(shelved, checksum === undefined ? 'digest' : 'checksum');
      return false;
    }
    shelved.verified = shelved.verified.withAll(blocks.first, blocks.end);
    return true;
  }
}

function lend(read: LentBuffer | undefined, from: ByteRange, slice: Slice): PieceBytes | undefined {
  if (read === undefined) return undefined;
  const bytes = read.bytes.subarray(slice.start - from.start, slice.end - from.start);
  return { bytes, source: 'disk', release: read.release };
}
