// The records of what keys are, in memory with LevelDB underneath. Owner of LevelDB's key space 'names'.
//
// What was deleted must not come back: until LevelDB has deleted a record too, memory remembers that it is gone, and
// LevelDB's writes of one key are made one after the other.
import { LRUCache } from 'lru-cache';
import type { ObjectInfo, ObjectRef } from '../../backends/backend.ts';
import { settledWithin } from '../concurrency/settled-within.ts';

export type NameRecord =
  | {
      readonly kind: 'known';
      readonly info: ObjectInfo;
      /** The question was about the whole object: a checksum that is not here does not exist. */
      readonly complete: boolean;
      readonly askedAtMs: number;
    }
  /** Written through this gateway: its bytes are on the shelf, and what the origin says of it is to be asked. */
  | { readonly kind: 'written'; readonly askedAtMs: number }
  | { readonly kind: 'missing'; readonly askedAtMs: number };

/** A record of an earlier run: older than any freshness but 'immutable'. */
const LONG_AGO = Number.NEGATIVE_INFINITY;

/** A sublevel of LevelDB. */
interface Database {
  getSync(id: string): string | undefined;
  put(id: string, text: string): Promise<void>;
  del(id: string): Promise<void>;
}

export interface NameRecordsOptions {
  readonly maxRecords: number;
  /** How long a delete waits for LevelDB. Default 2 s. */
  readonly patienceMs?: number;
}

export class NameRecords {
  readonly #cache: LRUCache<string, NameRecord>;
  readonly #database: Database | undefined;
  readonly #failed: (error: Error) => void;
  readonly #options: Required<NameRecordsOptions>;
  /** LevelDB's last write of a key, while it is under way. */
  readonly #writing = new Map<string, Promise<void>>();
  /** LevelDB would not delete these: what it has of them is not to be believed. */
  readonly #undeleted = new Set<string>();

  /** `failed` is told of every write LevelDB refused; the record in memory stands all the same. */
  constructor(deps: { database?: Database | undefined; failed: (error: Error) => void }, options: NameRecordsOptions) {
    this.#options = { patienceMs: 2_000, ...options };
    this.#cache = new LRUCache({ max: options.maxRecords });
    this.#database = deps.database;
    this.#failed = deps.failed;
  }

  get(ref: ObjectRef): NameRecord | undefined {
    const id = idOf(ref);
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    const stored = this.#read(id);
    if (stored !== undefined) this.#cache.set(id, stored);
    return stored;
  }

  /** Missing keys are not remembered across a restart. */
  set(ref: ObjectRef, record: NameRecord): void {
    const id = idOf(ref);
    const previous = this.#cache.get(id);
    this.#cache.set(id, record);
    if (record.kind === 'missing') void this.#delete(id);
    else if (previous === undefined || !sameStored(previous, record)) void this.#put(id, encode(record));
  }

  /** Resolves when a restart would not find it either, or when LevelDB fails or keeps us waiting. Never rejects. */
  async delete(ref: ObjectRef): Promise<void> {
    const id = idOf(ref);
    this.#cache.delete(id);
    await settledWithin([this.#delete(id)], this.#options.patienceMs);
  }

  /** As delete, for whom no write waits. */
  forget(ref: ObjectRef): void {
    const id = idOf(ref);
    this.#cache.delete(id);
    void this.#delete(id);
  }

  #read(id: string): NameRecord | undefined {
    if (this.#writing.has(id) || this.#undeleted.has(id) || this.#isOverwhelmed) return undefined;
    try {
      const text = this.#database?.getSync(id);
      return text === undefined ? undefined : decode(text);
    } catch (error) {
      this.#failed(error as Error);
      return undefined;
    }
  }

  /** More deletes failed than are remembered one by one: nothing LevelDB has is believed until the next start. */
  get #isOverwhelmed(): boolean {
    return this.#undeleted.size >= this.#options.maxRecords;
  }

  async #put(id: string, text: string): Promise<void> {
    // A LevelDB that hangs is not queued up for; what it lacks is asked about after the next start.
    if (this.#writing.size >= this.#options.maxRecords) return undefined;
    return this.#write(id, async (database) => {
      await database.put(id, text);
      if (!this.#isOverwhelmed) this.#undeleted.delete(id);
    });
  }

  async #delete(id: string): Promise<void> {
    if (this.#writing.size >= this.#options.maxRecords) {
      if (!this.#isOverwhelmed) this.#undeleted.add(id);
      return undefined;
    }
    return this.#write(id, async (database) => {
      try {
        await database.del(id);
        if (!this.#isOverwhelmed) this.#undeleted.delete(id);
      } catch (error) {
        if (!this.#isOverwhelmed) this.#undeleted.add(id);
        throw error;
      }
    });
  }

  /** LevelDB promises no order of writes that are under way at once. Never rejects. */
  #write(id: string, write: (database: Database) => Promise<void>): Promise<void> {
    const database = this.#database;
    if (database === undefined) return Promise.resolve();
    const before = this.#writing.get(id) ?? Promise.resolve();
    const writing = before
      .then(() => write(database))
      .catch(this.#failed)
      .finally(() => {
        if (this.#writing.get(id) === writing) this.#writing.delete(id);
      });
    this.#writing.set(id, writing);
    return writing;
  }
}

/** A bucket's name has no NUL. */
function idOf(ref: ObjectRef): string {
  return `${ref.bucket}\0${ref.key}`;
}

/** A validation that found nothing new only moves a time that is not stored. */
function sameStored(left: NameRecord, right: NameRecord): boolean {
  return left.kind === 'known' && right.kind === 'known' && left.info === right.info;
}

function encode(record: Exclude<NameRecord, { kind: 'missing' }>): string {
  const { askedAtMs: _, ...stored } = record;
  return JSON.stringify(stored);
}

/** What does not parse is from another format: forgotten, not feared. */
function decode(text: string): NameRecord | undefined {
  const stored: unknown = JSON.parse(text);
  if (!isStored(stored)) return undefined;
  if (stored.kind === 'written' || stored.info === undefined) return { kind: 'written', askedAtMs: LONG_AGO };
  const info = { ...stored.info, lastModified: new Date(stored.info.lastModified) };
  return { kind: 'known', info, complete: stored.complete === true, askedAtMs: LONG_AGO };
}

interface Stored {
  readonly kind: 'known' | 'written';
  readonly info?: ObjectInfo;
  readonly complete?: boolean;
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'written') return true;
  return value.kind === 'known' && 'info' in value && typeof value.info === 'object' && value.info !== null;
}
