// The index of a root: LevelDB, this backend's own and not the gateway's. It is the one truth about which objects
// exist and what they are, in the order listings need; it also locks the root, because LevelDB lets one process in
// and the system frees its lock when that process dies.
//
// A write that failed may have torn LevelDB's log, and what is appended after a torn record is lost at the next
// start. So after a failure nothing is read or written until the index was opened and the journal replayed again,
// which the next request tries.
import { Level } from 'level';
import { BackendError } from '../backend.ts';
import { diskError, errorCode } from './disk-error.ts';

export type RowChange =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

type Snapshot = ReturnType<Level<string, string>['snapshot']>;

export interface IndexOptions {
  /** Below the root. */
  readonly path: string;
  readonly fsync: boolean;
  /** Runs on the raw rows before anyone else sees them. */
  readonly recover: (rows: Rows) => Promise<void>;
}

/** Plain access to the rows. */
export class Rows {
  readonly #level: Level<string, string>;
  readonly #fsync: boolean;

  constructor(level: Level<string, string>, fsync: boolean) {
    this.#level = level;
    this.#fsync = fsync;
  }

  async get<Row>(name: string): Promise<Row | undefined> {
    const value = await this.#level.get(name);
    return value === undefined ? undefined : (JSON.parse(value) as Row);
  }

  /** All of the changes or none. Durable: on the disk when it settles; else it may be lost with the machine's power. */
  async write(changes: readonly RowChange[], durability: 'durable' | 'soon'): Promise<void> {
    const batch = changes.map((change) =>
      change.type === 'put' ? { ...change, value: JSON.stringify(change.value) } : change,
    );
    await this.#level.batch(batch, { sync: this.#fsync && durability === 'durable' });
  }

  /** Names and rows from `first` on while names begin with `prefix`. A snapshot of the moment it is called. */
  scan(prefix: string, first?: Buffer): RowScan {
    return this.#scan(prefix, first);
  }

  #scan(prefix: string, first: Buffer = Buffer.from(prefix), snapshot?: Snapshot): RowScan {
    const end = Buffer.concat([Buffer.from(prefix), LAST_BYTE]);
    const iterator = this.#level.iterator<Buffer, string>({
      gte: first,
      lt: end,
      keyEncoding: 'buffer',
      valueEncoding: 'utf8',
      snapshot,
    });
    return {
      next: (count) => iterator.nextv(count),
      seek: (name) => iterator.seek(name),
      close: () => iterator.close(),
    };
  }

  /** Scans that all see the rows of one moment. */
  async atOneMoment<T>(work: (scan: Rows['scan']) => Promise<T>): Promise<T> {
    const snapshot = this.#level.snapshot();
    try {
      return await work((prefix, first) => this.#scan(prefix, first, snapshot));
    } finally {
      await snapshot.close();
    }
  }

  /** For what is small by nature: the buckets, the intents, the parts of one upload. */
  async all<Row>(prefix: string): Promise<[name: string, row: Row][]> {
    const end = Buffer.concat([Buffer.from(prefix), LAST_BYTE]);
    const options = { gte: Buffer.from(prefix), lt: end, keyEncoding: 'buffer', valueEncoding: 'utf8' } as const;
    const found = await this.#level.iterator<Buffer, string>(options).all();
    return found.map(([name, row]) => [name.toString(), JSON.parse(row) as Row]);
  }
}

export interface RowScan {
  next(count: number): Promise<[name: Buffer, row: string][]>;
  seek(name: Buffer): void;
  close(): Promise<void>;
}

/** Greater than every byte of UTF-8. */
export const LAST_BYTE = Buffer.from([0xff]);

export class ObjectIndex {
  readonly #options: IndexOptions;
  readonly #level: Level<string, string>;
  readonly #rows: Rows;
  #failure: unknown;

  static async open(options: IndexOptions): Promise<ObjectIndex> {
    const index = new ObjectIndex(options);
    await index.#open();
    return index;
  }

  private constructor(options: IndexOptions) {
    this.#options = options;
    this.#level = new Level(options.path);
    this.#rows = new Rows(this.#level, options.fsync);
  }

  /** Rejects everything while the index waits to be opened again. */
  get rows(): Rows {
    if (this.#failure === undefined) return this.#rows;
    const message = 'The index of the fs backend is being recovered after a failed write.';
    throw new BackendError('Unavailable', message, { cause: this.#failure });
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** From now on the rows cannot be trusted to say what the files are. */
  fail(failure: unknown): void {
    this.#failure ??= failure;
  }

  async write(changes: readonly RowChange[], durability: 'durable' | 'soon'): Promise<void> {
    const { rows } = this;
    try {
      await rows.write(changes, durability);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Nothing may be under way between an intent and its end. */
  async reopen(): Promise<void> {
    await this.#level.close();
    await this.#open();
    this.#failure = undefined;
  }

  async close(): Promise<void> {
    await this.#level.close();
  }

  async #open(): Promise<void> {
    try {
      await this.#level.open();
    } catch (error) {
      throw this.#openError(error);
    }
    try {
      await this.#options.recover(this.#rows);
    } catch (error) {
      await this.#level.close();
      throw error;
    }
  }

  #openError(error: unknown): BackendError {
    const cause = error instanceof Error ? error.cause : undefined;
    if (errorCode(cause) !== 'LEVEL_LOCKED') return diskError(cause ?? error);
    const message = `Another gateway uses this root (its index is locked): ${this.#options.path}`;
    return new BackendError('Misconfigured', message, { cause: error, nativeCode: 'LEVEL_LOCKED' });
  }
}
