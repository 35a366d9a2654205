// The pieces on all disks and what keeps them within bounds: the index, pins, room, discarding and eviction. Reading
// and proving is disk-piece-store.ts, writing is shelf-writer.ts, finding everything again is recovery.ts.
import type { Disk } from './disk.ts';
import type { EvictionRules } from './eviction.ts';
import {
  type ObjectVersion,
  type Piece,
  type PieceKey,
  pieceCount,
  pieceKey,
  pieceLength,
  versionIdOf,
} from './piece.ts';
import type { PieceDb } from './piece-db.ts';
import type { PieceRecord } from './piece-record.ts';
import type { DiscardReason, PieceObserver } from './piece-store.ts';
import { place } from './placement.ts';
import type { ShelvedPiece } from './shelved-piece.ts';

export interface ShelfOptions {
  /** Shares of a disk's capacity: above the one, pieces are evicted down to the other. */
  readonly highWater: number;
  readonly lowWater: number;
  /** Pieces on all disks: each costs some 300 bytes of memory. */
  readonly maxPieces: number;
}

interface ShelfListeners {
  evicted: ((piece: Piece) => void) | undefined;
  arrived: (() => void) | undefined;
}

/** Of the fill at which eviction begins: so near to it, what goes next is looked at. */
const NEAR = 0.85;

export class Shelf {
  readonly disks: readonly Disk[];
  readonly db: PieceDb;
  readonly observer: PieceObserver;
  readonly pieces = new Map<PieceKey, ShelvedPiece>();
  readonly #options: ShelfOptions;
  /** Told of each piece that has made room, and of each block that has come, by whoever wants to know. */
  readonly listeners: ShelfListeners = { evicted: undefined, arrived: undefined };
  readonly #pins = new Map<string, number>();
  readonly #writers = new Map<PieceKey, number>();
  readonly #evicting = new Map<Disk, Promise<void>>();
  readonly #rules: EvictionRules<PieceKey>;

  constructor(deps: { disks: readonly Disk[]; db: PieceDb; observer: PieceObserver }, options: ShelfOptions) {
    this.disks = deps.disks;
    this.db = deps.db;
    this.observer = deps.observer;
    this.#options = options;
    this.#rules = { evictable: (key) => !this.#writers.has(key) && !this.#pins.has(versionIdOf(key)) };
  }

  /** Where a new piece goes; undefined while no disk takes anything. */
  diskFor(key: PieceKey): Disk | undefined {
    return place(
      key,
      this.disks.filter((disk) => disk.state === 'in'),
    );
  }

  /** What is known of the piece. A row that gave it another length was no row of this piece, and goes. */
  find(piece: Piece): ShelvedPiece | undefined {
    const shelved = this.pieces.get(pieceKey(piece));
    if (shelved === undefined || shelved.lengthBytes === pieceLength(piece)) return shelved;
    void this.discard(shelved, 'record');
    return undefined;
  }

  add(shelved: ShelvedPiece, known: boolean): void {
    this.pieces.set(shelved.key, shelved);
    shelved.disk.policy.add(shelved.key, shelved.allocatedBytes, known);
  }

  /** Undefined: LevelDB has lost it (then the piece is discarded) or does not answer now. */
  async recordOf(shelved: ShelvedPiece): Promise<PieceRecord | undefined> {
    const record = await this.rowOf(shelved.key);
    if (record === 'unknown') return undefined;
    if (record?.file === shelved.file) return record;
    await this.discard(shelved, 'record');
    return undefined;
  }

  /** 'unknown': LevelDB does not answer now. */
  async rowOf(key: PieceKey): Promise<PieceRecord | undefined | 'unknown'> {
    try {
      return await this.db.get(key);
    } catch (error) {
      this.observer.databaseFailed({ error, lost: 0 });
      return 'unknown';
    }
  }

  /** Takes it off the shelf at once; its file goes after. */
  discard(shelved: ShelvedPiece, reason?: DiscardReason): Promise<void> {
    if (shelved.gone) return Promise.resolve();
    const { key, disk, file, allocatedBytes } = shelved;
    shelved.gone = true;
    // A file that is not there was never read wrong: a process that was killed may have removed it before it said so.
    shelved.damaged = reason !== undefined && reason !== 'missing';
    this.pieces.delete(key);
    disk.policy.remove(key);
    this.db.delete(key);
    if (reason !== undefined) this.observer.discarded({ key, disk: disk.path, reason });
    return disk.remove(file, allocatedBytes);
  }

  /** Counts bytes of a new block in, making room where it must; false when there is none to be had. */
  async reserve(disk: Disk, bytes: number): Promise<boolean> {
    while (disk.usedBytes + bytes > disk.capacityBytes) {
      if (disk.state !== 'in') return false;
      const evicted = this.#evictOne(disk);
      if (evicted === undefined && disk.leavingBytes === 0) return false;
      await (evicted ?? disk.removals());
    }
    disk.usedBytes += bytes;
    return true;
  }

  /** Those disks that will soon have to make room. */
  get crowded(): readonly Disk[] {
    const { highWater, maxPieces } = this.#options;
    if (this.pieces.size > maxPieces * NEAR) return this.disks;
    return this.disks.filter((disk) => disk.usedBytes - disk.leavingBytes > disk.capacityBytes * highWater * NEAR);
  }

  /** Brings a disk that has come above its high water down to its low water, one piece after the other. */
  settle(disk: Disk): void {
    const { highWater, maxPieces } = this.#options;
    this.listeners.arrived?.();
    const high = disk.usedBytes - disk.leavingBytes > disk.capacityBytes * highWater;
    if ((!high && this.pieces.size <= maxPieces) || this.#evicting.has(disk)) return;
    const evicting = this.#evictDown(disk).finally(() => this.#evicting.delete(disk));
    this.#evicting.set(disk, evicting);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#evicting.values());
    await Promise.all(this.disks.map((disk) => disk.removals()));
  }

  pin(version: ObjectVersion): void {
    this.#pins.set(version.id, (this.#pins.get(version.id) ?? 0) + 1);
  }

  unpin(version: ObjectVersion): void {
    const pins = (this.#pins.get(version.id) ?? 0) - 1;
    if (pins > 0) {
      this.#pins.set(version.id, pins);
      return;
    }
    if (!this.#pins.delete(version.id)) return;
    for (let index = 0; index < pieceCount(version); index += 1) this.#unpark({ version, index });
  }

  beginWriting(piece: Piece): void {
    const key = pieceKey(piece);
    this.#writers.set(key, (this.#writers.get(key) ?? 0) + 1);
  }

  isWriting(key: PieceKey): boolean {
    return this.#writers.has(key);
  }

  /** A piece of which nothing was kept leaves with its last writer. */
  async endWriting(piece: Piece): Promise<void> {
    const key = pieceKey(piece);
    const writers = (this.#writers.get(key) ?? 0) - 1;
    if (writers > 0) {
      this.#writers.set(key, writers);
      return;
    }
    this.#writers.delete(key);
    const shelved = this.pieces.get(key);
    if (shelved === undefined) return;
    shelved.draft = undefined;
    if (shelved.held.isEmpty) {
      await this.discard(shelved);
    } else {
      this.#unpark(piece);
      this.settle(shelved.disk);
    }
  }

  #unpark(piece: Piece): void {
    const key = pieceKey(piece);
    this.pieces.get(key)?.disk.policy.unpark(key);
  }

  async #evictDown(disk: Disk): Promise<void> {
    const { lowWater, maxPieces } = this.#options;
    while (
      disk.state === 'in' &&
      (disk.usedBytes - disk.leavingBytes > disk.capacityBytes * lowWater || this.pieces.size > maxPieces)
    ) {
      const evicted = this.#evictOne(disk);
      if (evicted === undefined) return;
      await evicted;
    }
  }

  #evictOne(disk: Disk): Promise<void> | undefined {
    const key = disk.policy.evict(this.#rules);
    const shelved = key === undefined ? undefined : this.pieces.get(key);
    if (shelved === undefined) return undefined;
    this.observer.evicted({ key: shelved.key, disk: disk.path, bytes: shelved.allocatedBytes });
    return this.#evict(shelved);
  }

  async #evict(shelved: ShelvedPiece): Promise<void> {
    const { evicted } = this.listeners;
    // Asked for before its row goes: only the row says which object the piece is of.
    const row = evicted === undefined ? undefined : this.rowOf(shelved.key);
    await this.discard(shelved);
    const record = await row;
    // It may have come back meanwhile.
    if (record !== undefined && record !== 'unknown' && !this.pieces.has(shelved.key)) evicted?.(record.piece);
  }
}
