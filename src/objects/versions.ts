// What each key is now, and for how long that may be believed without asking anybody.
//
// A record is what one answer of the origin said of a key. It counts from when that question was sent. The mesh decides
// who asks the origin and how long an answer may be believed here (mesh/names.ts); a gateway alone believes its own
// records. Writes through this gateway revoke before they commit, here and in the mesh, and bring the new record when
// they end; an answer to a question from before a write began or ended never becomes the record. Across a restart a
// record only says what to ask about: it is believed again after its first validation, unless its bucket is immutable.
import { LRUCache } from 'lru-cache';
import { BackendError, type ObjectInfo, type ObjectRef } from '../../backends/backend.ts';
import type { Haste } from '../concurrency/haste.ts';
import { SharedCall } from '../concurrency/shared-call.ts';
import { type Instant, isWithin } from '../mesh/clock.ts';
import type { Name, NameLease, NameMark, NameOutcome, Names } from '../mesh/names.ts';
import { nameKey } from '../mesh/slab.ts';
import type { Piece } from '../pieces/piece.ts';
import { type Asked, AskedNames } from './asked-names.ts';
import { isFresh, mayServeStale } from './freshness.ts';
import type { NameRecord, NameRecords } from './name-records.ts';
import { canJoin, type Entry, type Question } from './open-question.ts';

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
  /** Of all who wait for the answer; a client does where there is none. */
  readonly haste?: Haste | undefined;
}

export type ProbeAnswer =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'found';
      readonly info: ObjectInfo;
      readonly complete: boolean;
      /** The piece whose bytes come with the answer. */
      readonly arriving?: Piece | undefined;
    }
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

/** A write of one key or several that is under way. */
export interface WriteMark {
  readonly parts: readonly { readonly ref: ObjectRef; readonly entry: Entry; readonly generation: number }[];
  readonly mesh: NameMark;
  readonly begunAtMs: number;
}

export interface WriteOutcome {
  /** written: the origin has what was written; what it says of it is to be asked. */
  readonly kind: NameOutcome;
}

/** A record that the mesh lets this gateway believe. */
interface Held {
  readonly record: NameRecord;
  readonly lease: NameLease;
}

export interface VersionsDeps {
  readonly prober: Prober;
  readonly records: NameRecords;
  readonly names: Names;
  /** As its origin has it. */
  readonly nameOf: (ref: ObjectRef) => Name;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallNow: () => number;
}

export class Versions {
  readonly #deps: VersionsDeps;
  readonly #records: NameRecords;
  readonly #asked: AskedNames;
  readonly #held: LRUCache<string, Held>;
  /** Names whose record was found wrong: to be asked about at the origin, whatever their freshness. */
  readonly #doubted: LRUCache<string, true>;
  /** Only names with an open write or a question under way: their generations must not be forgotten. */
  readonly #active = new Map<string, Entry>();

  constructor(deps: VersionsDeps, options: { maxNames: number }) {
    this.#deps = deps;
    this.#records = deps.records;
    this.#asked = new AskedNames({ ...deps, instant: () => this.#instant() });
    this.#held = new LRUCache({ max: options.maxNames });
    this.#doubted = new LRUCache({ max: options.maxNames });
    deps.names.onRevoked((key) => this.#revoke(key));
  }

  /** What open() would answer without asking anybody; undefined: somebody is to be asked, or there is no such object. */
  believed(ref: ObjectRef, freshness: Freshness, wanted: Wanted): Opened | undefined {
    const record = this.#fresh(ref, freshness, wanted);
    return record?.kind === 'known' ? this.#opened(record, ref) : undefined;
  }

  /** Rejects with NoSuchKey, or with what the origin answers. */
  async open(ref: ObjectRef, freshness: Freshness, wanted: Wanted, signal: AbortSignal): Promise<Opened> {
    const fresh = this.#fresh(ref, freshness, wanted);
    if (fresh !== undefined) return this.#opened(fresh, ref);
    const name = this.#deps.nameOf(ref);
    const key = nameKey(name);
    const known = this.#records.get(ref);
    try {
      return this.#opened(await this.#answered(ref, name, key, known, freshness, wanted, signal), ref);
    } catch (error) {
      if (known !== undefined && mayServeStale(known, freshness, error, this.#deps.now())) {
        return this.#opened(known, ref);
      }
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
    const key = nameKey(this.#deps.nameOf(ref));
    const record = this.#records.get(ref);
    if (record?.kind !== 'known' || record.info.etag !== etag) return;
    this.#records.forget(ref);
    this.#held.delete(key);
    this.#doubted.set(key, true);
  }

  /** From here until end, nothing that is asked about these keys is remembered, here or in the mesh. */
  async begin(...refs: readonly ObjectRef[]): Promise<WriteMark> {
    const names = refs.map(this.#deps.nameOf);
    const begunAtMs = this.#deps.now();
    const parts = refs.map((ref, index) => {
      const entry = this.#entry(nameKey(names[index] as Name));
      entry.generation += 1;
      entry.openMarks += 1;
      this.#held.delete(entry.key);
      return { ref, entry, generation: entry.generation };
    });
    const [mesh] = await Promise.all([this.#deps.names.begin(names), ...refs.map((ref) => this.#records.delete(ref))]);
    return { parts, mesh, begunAtMs };
  }

  /** Resolves when whoever opens one of the keys, here or in the mesh, finds what the write left. Never rejects. */
  async end(mark: WriteMark, outcome: WriteOutcome): Promise<void> {
    await this.#deps.names.end(mark.mesh, outcome.kind);
    for (const { entry, generation, ref } of mark.parts) {
      const alone = entry.generation === generation && entry.openMarks === 1;
      entry.generation += 1;
      entry.openMarks -= 1;
      const record = alone ? recordOf(outcome, mark.begunAtMs) : undefined;
      // Otherwise another write overlapped: begin has removed the record already, and the next open asks.
      if (record !== undefined) this.#records.set(ref, record);
      this.#dropIfIdle(entry);
    }
  }

  #instant(): Instant {
    return { monotonicMs: this.#deps.now(), wallMs: this.#deps.wallNow() };
  }

  #fresh(ref: ObjectRef, freshness: Freshness, wanted: Wanted): NameRecord | undefined {
    const record = this.#believed(ref);
    return record !== undefined && isFresh(record, freshness, wanted, this.#deps.now()) ? record : undefined;
  }

  /** A gateway alone believes what it remembers; one of a mesh only what the mesh lets it. */
  #believed(ref: ObjectRef): NameRecord | undefined {
    if (this.#deps.names.alone) return this.#records.get(ref);
    const held = this.#held.get(nameKey(this.#deps.nameOf(ref)));
    return held?.lease.holds() === true ? held.record : undefined;
  }

  #opened(record: NameRecord, ref: ObjectRef): Opened {
    if (record.kind !== 'known') throw new BackendError('NoSuchKey', `There is no object '${ref.key}'.`);
    return { info: record.info, ageMs: Math.max(0, this.#deps.now() - record.askedAtMs) };
  }

  /** Joins a question that is still unanswered, and begins one where there is none to join. */
  async #answered(
    ref: ObjectRef,
    name: Name,
    key: string,
    known: NameRecord | undefined,
    freshness: Freshness,
    wanted: Wanted,
    signal: AbortSignal,
  ): Promise<NameRecord> {
    const arrived = this.#instant();
    for (;;) {
      const entry = this.#entry(key);
      const running = entry.question;
      const joins = running !== undefined && canJoin(running, entry, freshness, wanted);
      if (joins) running.haste?.hurry(wanted.haste?.urgency ?? 'demand');
      const question = joins ? running : this.#ask(entry, { ref, name, known, freshness, wanted });
      const { record, joinableUntil } = await question.call.join(signal);
      // Elsewhere the answer may have begun to arrive before this reader came, though here nobody had it yet.
      if (!joins || joinableUntil === undefined || isWithin(arrived, joinableUntil)) return record;
    }
  }

  #ask(
    entry: Entry,
    about: { ref: ObjectRef; name: Name; known: NameRecord | undefined; freshness: Freshness; wanted: Wanted },
  ): Question {
    const { generation } = entry;
    const doubted = this.#doubted.has(entry.key);
    const freshness = doubted ? NOW : about.freshness;
    const question: Question = {
      generation,
      complete: about.wanted.complete,
      freshness,
      haste: about.wanted.haste,
      call: new SharedCall(async (signal) => {
        try {
          const asked = await this.#asked.ask({ ...about, freshness }, signal);
          if (doubted) this.#doubted.delete(entry.key);
          if (entry.generation === generation && entry.openMarks === 0) this.#remember(about.ref, entry.key, asked);
          return asked;
        } finally {
          if (entry.question === question) entry.question = undefined;
          entry.underWay -= 1;
          this.#dropIfIdle(entry);
        }
      }),
    };
    entry.question = question;
    entry.underWay += 1;
    return question;
  }

  /** Of two questions under way at once the one sent last counts, whichever is answered first. */
  #remember(ref: ObjectRef, key: string, { record, lease }: Asked): void {
    const known = this.#records.get(ref);
    if (known !== undefined && known.askedAtMs > record.askedAtMs) return;
    this.#records.set(ref, record);
    if (lease.holds()) this.#held.set(key, { record, lease });
  }

  /** Somebody else is about to write. */
  #revoke(key: string): void {
    this.#held.delete(key);
    const entry = this.#active.get(key);
    if (entry !== undefined) entry.generation += 1;
  }

  #entry(key: string): Entry {
    const entry = this.#active.get(key) ?? { key, generation: 0, openMarks: 0, question: undefined, underWay: 0 };
    this.#active.set(key, entry);
    return entry;
  }

  #dropIfIdle(entry: Entry): void {
    if (entry.openMarks === 0 && entry.underWay === 0) this.#active.delete(entry.key);
  }
}

/** What was asked before this reader came is not new enough. */
const NOW: Freshness = { freshMs: 0, missingFreshMs: 0, staleIfErrorMs: 0 };

function recordOf({ kind }: WriteOutcome, askedAtMs: number): NameRecord | undefined {
  return kind === 'unknown' ? undefined : { kind, askedAtMs };
}
