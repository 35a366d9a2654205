// What each key is now, and for how long that may be believed without asking the origin.
//
// A record is what one answer of the origin said of a key. It counts from when that question was sent. Writes through
// this gateway revoke it before they commit and bring the new one when they end; a validation that began before a
// write began or ended never becomes the record. Across a restart a record only says what to ask about: it is believed
// again after its first validation, unless its bucket is immutable.
import { BackendError, type ObjectInfo, type ObjectRef } from '../../backends/backend.ts';
import { SharedCall } from '../concurrency/shared-call.ts';
import type { NameRecord, NameRecords } from './name-records.ts';

/** How long answers about a bucket's keys are believed; Infinity: never asked again. */
export interface Freshness {
  readonly freshMs: number;
  readonly missingFreshMs: number;
  /** Beyond freshMs, while the origin does not answer. */
  readonly staleIfErrorMs: number;
}

/** What the reader who asks will read first, so that one request can bring both. */
export interface Wanted {
  /** Offset within the object; undefined: no bytes, only the record. */
  readonly offset: number | undefined;
  /** The record must have come from a question about the whole object, checksum included. */
  readonly complete: boolean;
}

export type ProbeAnswer =
  | { readonly kind: 'same' }
  | { readonly kind: 'found'; readonly info: ObjectInfo; readonly complete: boolean }
  | { readonly kind: 'missing' };

/** One question to the origin. Bytes that come with the answer are the prober's to keep. */
export interface Prober {
  probe(ref: ObjectRef, known: NameRecord | undefined, wanted: Wanted, signal: AbortSignal): Promise<ProbeAnswer>;
}

export interface Opened {
  readonly info: ObjectInfo;
  /** Since the question whose answer this is. */
  readonly ageMs: number;
}

export interface WriteMark {
  readonly ref: ObjectRef;
  readonly entry: Entry;
  readonly generation: number;
  readonly begunAtMs: number;
}

export type WriteOutcome =
  /** The origin has what was written; what it says of it is to be asked. */
  { readonly kind: 'written' } | { readonly kind: 'missing' } | { readonly kind: 'unknown' };

/** A key somebody is asking about or writing right now. */
interface Entry {
  /** Raised by every begin and end of a write. */
  generation: number;
  openMarks: number;
  /** The one to join; others may still be under way. */
  validation: Validation | undefined;
  underWay: number;
}

interface Validation {
  readonly call: SharedCall<NameRecord>;
  readonly generation: number;
  readonly complete: boolean;
}

export class Versions {
  readonly #prober: Prober;
  readonly #records: NameRecords;
  readonly #now: () => number;
  /** Only keys with an open write or a validation under way: their generations must not be forgotten. */
  readonly #active = new Map<string, Entry>();

  /** `now`: milliseconds on a clock that never jumps. */
  constructor(deps: { prober: Prober; records: NameRecords; now: () => number }) {
    this.#prober = deps.prober;
    this.#records = deps.records;
    this.#now = deps.now;
  }

  /** Rejects with NoSuchKey, or with what the origin answers. */
  async open(ref: ObjectRef, freshness: Freshness, wanted: Wanted, signal: AbortSignal): Promise<Opened> {
    const record = this.#records.get(ref);
    if (record !== undefined && this.#isFresh(record, freshness, wanted)) return this.#opened(record, ref);
    try {
      return this.#opened(await this.#validated(ref, record, wanted, signal), ref);
    } catch (error) {
      if (record !== undefined && this.#mayServeStale(record, freshness, error)) return this.#opened(record, ref);
      throw error;
    }
  }

  /** What the key was when it was last asked about, however long ago; undefined: nothing is known. */
  known(ref: ObjectRef): ObjectInfo | undefined {
    const record = this.#records.get(ref);
    return record?.kind === 'known' ? record.info : undefined;
  }

  /** A reader found that the origin no longer has this version: whatever its freshness, the next to open it asks. */
  doubt(ref: ObjectRef, etag: string): void {
    const record = this.#records.get(ref);
    if (record?.kind === 'known' && record.info.etag === etag) this.#records.forget(ref);
  }

  /** From here until end, nothing that is asked about this key is remembered. */
  async begin(ref: ObjectRef): Promise<WriteMark> {
    const entry = this.#entry(ref);
    entry.generation += 1;
    entry.openMarks += 1;
    const mark = { ref, entry, generation: entry.generation, begunAtMs: this.#now() };
    await this.#records.delete(ref);
    return mark;
  }

  end(mark: WriteMark, outcome: WriteOutcome): void {
    const { entry, ref } = mark;
    const alone = entry.generation === mark.generation && entry.openMarks === 1;
    entry.generation += 1;
    entry.openMarks -= 1;
    const record = alone ? recordOf(outcome, mark.begunAtMs) : undefined;
    // Otherwise another write overlapped: begin has removed the record already, and the next open asks.
    if (record !== undefined) this.#records.set(ref, record);
    this.#dropIfIdle(ref, entry);
  }

  #isFresh(record: NameRecord, freshness: Freshness, wanted: Wanted): boolean {
    if (record.kind === 'written' || (wanted.complete && record.kind === 'known' && !record.complete)) return false;
    const limitMs = record.kind === 'missing' ? freshness.missingFreshMs : freshness.freshMs;
    if (limitMs === Number.POSITIVE_INFINITY) return true;
    return limitMs > 0 && this.#now() - record.askedAtMs <= limitMs;
  }

  #mayServeStale(record: NameRecord, freshness: Freshness, error: unknown): boolean {
    const originFailed = error instanceof BackendError && ORIGIN_FAILURES.has(error.code);
    const limitMs = freshness.freshMs + freshness.staleIfErrorMs;
    return originFailed && record.kind === 'known' && this.#now() - record.askedAtMs <= limitMs;
  }

  #opened(record: NameRecord, ref: ObjectRef): Opened {
    if (record.kind !== 'known') throw new BackendError('NoSuchKey', `There is no object '${ref.key}'.`);
    return { info: record.info, ageMs: Math.max(0, this.#now() - record.askedAtMs) };
  }

  /** Joins a question that is still unanswered, and begins one where there is none to join. */
  async #validated(
    ref: ObjectRef,
    known: NameRecord | undefined,
    wanted: Wanted,
    signal: AbortSignal,
  ): Promise<NameRecord> {
    const entry = this.#entry(ref);
    const running = entry.validation;
    const joinable =
      running?.call.joinable === true &&
      running.generation === entry.generation &&
      (running.complete || !wanted.complete);
    const validation = joinable ? running : this.#beginValidation(ref, entry, known, wanted);
    return validation.call.join(signal);
  }

  #beginValidation(ref: ObjectRef, entry: Entry, known: NameRecord | undefined, wanted: Wanted): Validation {
    const { generation } = entry;
    const validation: Validation = {
      generation,
      complete: wanted.complete,
      call: new SharedCall(async (signal) => {
        const askedAtMs = this.#now();
        try {
          const answer = await this.#prober.probe(ref, known, wanted, signal);
          const record = recordFrom(answer, known, askedAtMs);
          if (entry.generation === generation && entry.openMarks === 0) this.#remember(ref, record);
          return record;
        } finally {
          if (entry.validation === validation) entry.validation = undefined;
          entry.underWay -= 1;
          this.#dropIfIdle(ref, entry);
        }
      }),
    };
    entry.validation = validation;
    entry.underWay += 1;
    return validation;
  }

  /** Of two questions under way at once the one sent last counts, whichever is answered first. */
  #remember(ref: ObjectRef, record: NameRecord): void {
    const known = this.#records.get(ref);
    if (known === undefined || known.askedAtMs <= record.askedAtMs) this.#records.set(ref, record);
  }

  #entry(ref: ObjectRef): Entry {
    const id = nameOf(ref);
    const entry = this.#active.get(id) ?? { generation: 0, openMarks: 0, validation: undefined, underWay: 0 };
    this.#active.set(id, entry);
    return entry;
  }

  #dropIfIdle(ref: ObjectRef, entry: Entry): void {
    if (entry.openMarks === 0 && entry.underWay === 0) this.#active.delete(nameOf(ref));
  }
}

/** Failures of the origin, not answers about the object. */
const ORIGIN_FAILURES: ReadonlySet<BackendError['code']> = new Set([
  'Unavailable',
  'Timeout',
  'SlowDown',
  'Internal',
  'Misconfigured',
]);

function recordFrom(answer: ProbeAnswer, known: NameRecord | undefined, askedAtMs: number): NameRecord {
  if (answer.kind === 'missing') return { kind: 'missing', askedAtMs };
  if (answer.kind === 'found') return { kind: 'known', info: answer.info, complete: answer.complete, askedAtMs };
  if (known?.kind === 'known') return { ...known, askedAtMs };
  throw new BackendError('Internal', 'The origin answered that an object is unchanged which was never asked about.');
}

function recordOf(outcome: WriteOutcome, askedAtMs: number): NameRecord | undefined {
  if (outcome.kind === 'unknown') return undefined;
  return { kind: outcome.kind, askedAtMs };
}

/** A bucket's name has no NUL. */
function nameOf(ref: ObjectRef): string {
  return `${ref.bucket}\0${ref.key}`;
}
