// The records of what keys are, in memory with LevelDB underneath. Owner of LevelDB's key space 'names'.
import { LRUCache } from 'lru-cache';
import type { ObjectInfo, ObjectRef } from '../../backends/backend.ts';

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

export class NameRecords {
  readonly #cache: LRUCache<string, NameRecord>;
  readonly #database: Database | undefined;
  readonly #failed: (error: Error) => void;

  /** `failed` is told of every write LevelDB refused; the record in memory stands all the same. */
  constructor(
    deps: { database?: Database | undefined; failed: (error: Error) => void },
    options: { maxRecords: number },
  ) {
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
    if (record.kind === 'missing') void this.#forget(id);
    else if (previous === undefined || !sameStored(previous, record)) {
      this.#database?.put(id, encode(record)).catch(this.#failed);
    }
  }

  /** Resolves when a restart would not find it either. */
  async delete(ref: ObjectRef): Promise<void> {
    const id = idOf(ref);
    this.#cache.delete(id);
    await this.#forget(id);
  }

  /** Keeps what is known as something to ask about, believed by nobody. */
  doubt(ref: ObjectRef): void {
    const record = this.get(ref);
    if (record !== undefined) this.#cache.set(idOf(ref), { ...record, askedAtMs: LONG_AGO });
  }

  #read(id: string): NameRecord | undefined {
    try {
      const text = this.#database?.getSync(id);
      return text === undefined ? undefined : decode(text);
    } catch (error) {
      this.#failed(error as Error);
      return undefined;
    }
  }

  async #forget(id: string): Promise<void> {
    await this.#database?.del(id).catch(this.#failed);
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
