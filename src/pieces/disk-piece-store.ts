// The shelf on disks: a file a piece (Node cannot punch holes, so a file a version could not give back the room of one
// piece; reads cost the same, bench/pieces/layout.ts), its marks and digests in LevelDB.
import type { Level } from 'level';
import { BitSet } from './bit-set.ts';
import { blockCount } from './blocks.ts';
import { BufferPool } from './buffer-pool.ts';
import { Departures } from './departures.ts';
import type { BlockDigests } from './digests.ts';
import { Disk } from './disk.ts';
import { diskFiles, type Files } from './files.ts';
import { type ObjectVersion, type Piece, pieceCount, pieceKey, pieceLength, type Slice } from './piece.ts';
import { PieceDb } from './piece-db.ts';
import type { PieceRecord } from './piece-record.ts';
import type { Holding, PieceBytes, PieceObserver, PieceStore, PieceWriter, Soundness, Usage } from './piece-store.ts';
import { loadShelf, sweepDisk } from './recovery.ts';
import { Shelf } from './shelf.ts';
import { ShelfReader } from './shelf-reader.ts';
import { ShelfWriter } from './shelf-writer.ts';
import { heldAs, type ShelvedPiece, shelvedPiece } from './shelved-piece.ts';

export interface DiskPieceStoreOptions {
  readonly disks: readonly { readonly path: string; readonly capacityBytes: number }[];
  readonly blockSize: number;
  readonly verify: 'first' | 'always';
  /** Default 0.95 and 0.9 of a disk's capacity. */
  readonly highWater?: number;
  readonly lowWater?: number;
  /** Default 1,000,000 on all disks together. */
  readonly maxPieces?: number;
  /** Open at once, on each disk. Default 512. */
  readonly maxOpenFiles?: number;
  /** Read buffers kept for use again. Default 32 MiB. */
  readonly freeBufferBytes?: number;
  /** How long a mark waits for company on its way to LevelDB. Default 100 ms. */
  readonly flushMs?: number;
  /** Marks kept while LevelDB refuses them. Default 100,000. */
  readonly maxWaitingMarks?: number;
  /** How often a disk that failed is tried. Default 5 s. */
  readonly probeMs?: number;
}

export interface DiskPieceStoreDeps {
  /** Open; whoever opened it closes it, after the store. */
  readonly level: Level;
  readonly observer: PieceObserver;
  readonly files?: Files;
  readonly nowMs?: () => number;
}

export class DiskPieceStore implements PieceStore {
  readonly blockSize: number;
  readonly departures: Departures;
  readonly #shelf: Shelf;
  readonly #reader: ShelfReader;
  readonly #nowMs: () => number;
  readonly #verify: 'first' | 'always';
  readonly #closing = new AbortController();
  readonly #unswept: Set<Disk>;
  readonly #probeTimer: NodeJS.Timeout;
  #sweeping: Promise<void> = Promise.resolve();

  private constructor(shelf: Shelf, deps: DiskPieceStoreDeps, options: DiskPieceStoreOptions) {
    this.#shelf = shelf;
    this.departures = new Departures({ shelf });
    this.blockSize = options.blockSize;
    this.#verify = options.verify;
    this.#nowMs = deps.nowMs ?? Date.now;
    const pool = new BufferPool({ maxFreeBytes: options.freeBufferBytes ?? 32 * 1024 * 1024 });
    this.#reader = new ShelfReader({ shelf, pool }, { verify: options.verify });
    this.#unswept = new Set(shelf.disks);
    this.#probeTimer = setInterval(() => void this.heal(), options.probeMs ?? 5_000).unref();
  }

  /** Ready to serve what LevelDB knows; the sweep for what it does not know goes on in the background. */
  static async open(deps: DiskPieceStoreDeps, options: DiskPieceStoreOptions): Promise<DiskPieceStore> {
    const { observer, level } = deps;
    const files = deps.files ?? diskFiles;
    const disks = options.disks.map(
      (disk) => new Disk({ files, observer }, { ...disk, maxOpenFiles: options.maxOpenFiles ?? 512 }),
    );
    const db = new PieceDb(
      { level, observer },
      { flushMs: options.flushMs ?? 100, maxWaiting: options.maxWaitingMarks ?? 100_000 },
    );
    const shelf = new Shelf(
      { disks, db, observer },
      {
        highWater: options.highWater ?? 0.95,
        lowWater: options.lowWater ?? 0.9,
        maxPieces: options.maxPieces ?? 1_000_000,
      },
    );
    await Promise.all(disks.map((disk) => disk.open()));
    await loadShelf(shelf);
    const store = new DiskPieceStore(shelf, deps, options);
    store.#sweep();
    return store;
  }

  get accepting(): boolean {
    return this.#shelf.disks.some((disk) => disk.state === 'in');
  }

  /** A disk is always waited for. */
  atHand(): undefined {
    return undefined;
  }

  read(slice: Slice): Promise<PieceBytes | undefined> {
    return this.#reader.read(slice);
  }

  write(piece: Piece): PieceWriter {
    return new ShelfWriter({ shelf: this.#shelf }, piece, {
      blockSize: this.blockSize,
      checksums: this.#verify === 'always',
      nowMs: this.#nowMs,
    });
  }

  blocks(piece: Piece): BitSet {
    const shelved = this.#shelf.find(piece);
    if (shelved !== undefined) return heldAs(shelved, this.blockSize);
    return BitSet.none(blockCount(pieceLength(piece), this.blockSize));
  }

  held(version: ObjectVersion, window = { first: 0, count: pieceCount(version) }): BitSet {
    return BitSet.from(window.count, (bit) => {
      const shelved = this.#shelf.find({ version, index: window.first + bit });
      return shelved?.held.isFull === true;
    });
  }

  async digests(piece: Piece): Promise<BlockDigests | undefined> {
    const shelved = this.#shelf.find(piece);
    if (shelved === undefined || shelved.held.isEmpty || shelved.blockSize !== this.blockSize) return undefined;
    return (await this.#shelf.recordOf(shelved))?.digests;
  }

  touch(piece: Piece): void {
    const shelved = this.#shelf.find(piece);
    shelved?.disk.policy.touch(shelved.key);
  }

  check(piece: Piece): Promise<Soundness> {
    return this.#reader.check(piece);
  }

  async *list(): AsyncGenerator<Holding, void, undefined> {
    await this.#shelf.db.flush();
    let version: ObjectVersion | undefined;
    let whole: number[] = [];
    let begun: number[] = [];
    for await (const [key, record] of this.#shelf.db.rows()) {
      if (record === undefined || record.piece.version.etag === '') continue;
      if (version !== undefined && version.id !== record.piece.version.id) {
        yield holding(version, whole, begun);
        [whole, begun] = [[], []];
      }
      version = record.piece.version;
      const held = this.#shelf.pieces.get(key)?.held;
      if (held?.isFull === true) whole.push(record.piece.index);
      else if (held?.isEmpty === false) begun.push(record.piece.index);
    }
    if (version !== undefined) yield holding(version, whole, begun);
  }

  pin(version: ObjectVersion): void {
    this.#shelf.pin(version);
  }

  unpin(version: ObjectVersion): void {
    this.#shelf.unpin(version);
  }

  async forget(piece: Piece): Promise<void> {
    const shelved = this.#shelf.find(piece);
    if (shelved !== undefined) await this.#shelf.discard(shelved);
  }

  async drop(version: ObjectVersion): Promise<void> {
    const gone: Promise<void>[] = [];
    for (let index = 0; index < pieceCount(version); index += 1) {
      const shelved = this.#shelf.find({ version, index });
      if (shelved !== undefined) gone.push(this.#shelf.discard(shelved));
    }
    await Promise.all(gone);
  }

  async adopt(from: ObjectVersion, to: ObjectVersion): Promise<void> {
    if (from.size !== to.size || from.pieceSize !== to.pieceSize) {
      throw new RangeError('Only a version of the same size and cut into the same pieces can adopt pieces.');
    }
    for (let index = 0; index < pieceCount(from); index += 1) {
      const shelved = this.#shelf.find({ version: from, index });
      const record = shelved === undefined ? undefined : await this.#shelf.recordOf(shelved);
      if (shelved !== undefined && record !== undefined && !shelved.gone) this.#rename(shelved, record, to);
    }
  }

  usage(): Usage {
    const { disks, pieces } = this.#shelf;
    return {
      diskBytes: disks.reduce((sum, disk) => sum + disk.usedBytes, 0),
      memoryBytes: 0,
      capacityBytes: disks.reduce((sum, disk) => sum + disk.capacityBytes, 0),
      pieces: pieces.size,
    };
  }

  /** Tries the disks that failed; done every probeMs by itself. */
  async heal(): Promise<void> {
    await Promise.all(this.#shelf.disks.map((disk) => disk.probe()));
    this.#sweep();
  }

  /** Resolves when nothing is left to do in the background: sweep, eviction, removals, marks. */
  async idle(): Promise<void> {
    await this.#sweeping;
    await this.#shelf.settled();
    await this.#shelf.db.flush();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#probeTimer);
    this.#reader.close();
    await this.#sweeping;
    await this.#shelf.settled();
    await this.#shelf.db.close();
    await Promise.all(this.#shelf.disks.map((disk) => disk.close()));
  }

  #sweep(): void {
    this.#sweeping = this.#sweeping.then(async () => {
      for (const disk of this.#unswept) {
        if (disk.state === 'out' || this.#closing.signal.aborted) continue;
        if (await sweepDisk(this.#shelf, disk, this.#closing.signal)) this.#unswept.delete(disk);
      }
    });
  }

  #rename(shelved: ShelvedPiece, record: PieceRecord, version: ObjectVersion): void {
    const piece: Piece = { version, index: record.piece.index };
    const key = pieceKey(piece);
    if (this.#shelf.pieces.has(key)) {
      // It came by another way meanwhile; the bytes are the same.
      void this.#shelf.discard(shelved);
      return;
    }
    shelved.gone = true;
    shelved.disk.policy.remove(shelved.key);
    this.#shelf.pieces.delete(shelved.key);
    this.#shelf.db.delete(shelved.key);
    const renamed: PieceRecord = { ...record, piece };
    this.#shelf.db.put(key, renamed);
    this.#shelf.add(
      { ...shelvedPiece(key, shelved.disk, shelved.lengthBytes, renamed), verified: shelved.verified },
      false,
    );
  }
}

function holding(version: ObjectVersion, whole: readonly number[], begun: readonly number[]): Holding {
  const setOf = (indices: readonly number[]): BitSet => {
    const members = new Set(indices);
    return BitSet.from(pieceCount(version), (index) => members.has(index));
  };
  return { version, pieces: setOf(whole), begun: setOf(begun) };
}
