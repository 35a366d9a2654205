// The owner of the shelf's key space in LevelDB: a row a piece, key PieceKey, value PieceRecord. Writes are gathered
// and go in batches; what waits is answered from memory. Nothing is synced: a row lost in a crash costs a piece, and a
// row that outlived its bytes is found out by their digest.
import type { Level } from 'level';
import type { PieceKey } from './piece.ts';
import { decodeHead, decodeRecord, encodeRecord, type PieceRecord, type RecordHead } from './piece-record.ts';
import type { PieceObserver } from './piece-store.ts';

const PIECE_KEY_SPACE = 'pieces-v1';

export interface PieceDbOptions {
  /** How long a mark may wait for its batch. */
  readonly flushMs: number;
  /** Marks waiting while LevelDB refuses them; the oldest go first. */
  readonly maxWaiting: number;
}

const STEP_ROWS = 1000;
/** The second is classic-level's own: how much it reads at once. */
const LARGE_STEPS = { keys: true, highWaterMarkBytes: 1024 * 1024 };

type Waiting = Map<PieceKey, PieceRecord | undefined>;

function keySpace(level: Level) {
  return level.sublevel<string, Uint8Array>(PIECE_KEY_SPACE, { keyEncoding: 'utf8', valueEncoding: 'view' });
}

export class PieceDb {
  readonly #rows: ReturnType<typeof keySpace>;
  readonly #observer: Pick<PieceObserver, 'databaseFailed'>;
  readonly #options: PieceDbOptions;
  #waiting: Waiting = new Map();
  #flushing: Waiting = new Map();
  #flush: Promise<boolean> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: { level: Level; observer: Pick<PieceObserver, 'databaseFailed'> }, options: PieceDbOptions) {
    this.#rows = keySpace(deps.level);
    this.#observer = deps.observer;
    this.#options = options;
  }

  /** The record may change until it is written out; the batch takes it as it is then. */
  put(key: PieceKey, record: PieceRecord): void {
    this.#enqueue(key, record);
  }

  delete(key: PieceKey): void {
    this.#enqueue(key, undefined);
  }

  /** Undefined: no such row, or none that can be read. Rejects with what LevelDB rejects with. */
  async get(key: PieceKey): Promise<PieceRecord | undefined> {
    if (this.#waiting.has(key)) return this.#waiting.get(key);
    if (this.#flushing.has(key)) return this.#flushing.get(key);
    const value = await this.#rows.get(key);
    return value === undefined ? undefined : decodeRecord(key, value);
  }

  /** Every row that is written out, by key; undefined for one that cannot be read. */
  async *rows(): AsyncGenerator<[PieceKey, PieceRecord | undefined], void, undefined> {
    for await (const [key, value] of this.#rows.iterator()) yield [key, decodeRecord(key, value)];
  }

  /** The same in large steps and without digests: what starting again reads. */
  async *heads(): AsyncGenerator<readonly [PieceKey, RecordHead | undefined][], void, undefined> {
    const iterator = this.#rows.iterator(LARGE_STEPS);
    try {
      for (;;) {
        const rows = await iterator.nextv(STEP_ROWS);
        if (rows.length === 0) return;
        yield rows.map(([key, value]) => [key, decodeHead(value)]);
      }
    } finally {
      await iterator.close();
    }
  }

  /** Writes out all that waits. False: LevelDB refused, and it still waits. */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#flush !== undefined) await this.#flush;
    if (this.#waiting.size === 0) return true;
    this.#flush = this.#writeOut();
    try {
      return await this.#flush;
    } finally {
      this.#flush = undefined;
    }
  }

  /** LevelDB itself is closed by whoever opened it. */
  async close(): Promise<void> {
    await this.flush();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #enqueue(key: PieceKey, record: PieceRecord | undefined): void {
    this.#waiting.set(key, record);
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.flushMs).unref();
  }

  async #writeOut(): Promise<boolean> {
    this.#flushing = this.#waiting;
    this.#waiting = new Map();
    try {
      await this.#rows.batch(
        [...this.#flushing].map(([key, record]) =>
          record === undefined ? { type: 'del', key } : { type: 'put', key, value: encodeRecord(record) },
        ),
      );
      return true;
    } catch (error) {
      this.#putBack(error);
      return false;
    } finally {
      this.#flushing = new Map();
    }
  }

  #putBack(error: unknown): void {
    const all: Waiting = new Map(this.#flushing);
    for (const [key, record] of this.#waiting) all.set(key, record);
    let lost = 0;
    for (const key of all.keys()) {
      if (all.size <= this.#options.maxWaiting) break;
      all.delete(key);
      lost += 1;
    }
    this.#waiting = all;
    this.#observer.databaseFailed({ error, lost });
    this.#timer ??= setTimeout(() => void this.flush(), this.#options.flushMs * 10).unref();
  }
}
