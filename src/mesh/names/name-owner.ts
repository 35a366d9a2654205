// The rules of whoever answers for names: who asks the origin, who may have the answer, and how a write makes sure that
// nobody believes what was there before it. On a clock that is passed in, without I/O of its own.
//
// What it promises: once begin has resolved here and at the name's other owner, no answer to a question from before it
// is given to anybody who asks after it; once end has, whoever asks finds what the write left, or asks the origin. That
// holds as well when a mark lapsed or was lost before its end: an end without a mark does begin's work again.
import { elapsedMs, type Instant, instant, type MeshClock } from '../clock.ts';
import type { MemberId, Run } from '../member.ts';
import type { LastKnown, NameOutcome, NameWant } from '../names.ts';
import { owners } from '../rendezvous.ts';
import type { FellowMemory } from './fellow-memory.ts';
import type { KnownName } from './name-wire.ts';
import { disbelieve, type OwnedName, type OwnerAnswer } from './owned-name.ts';
import { OwnedNames, type OwnedNamesOptions } from './owned-names.ts';
import { Questions, type QuestionsOptions, type Reported } from './questions.ts';
import { type Revoke, revokeLeases } from './revoke-leases.ts';

/** The list of trackers, as this gateway sees it. */
export interface TrackerList {
  readonly self: Run;
  trackers(): readonly MemberId[];
  readonly hash: string;
  /** On the clock that never jumps. */
  readonly changedAtMs: number;
}

/** Whether a name's other owner knows of no write that went past this one. */
export interface InTouch {
  /** For how much longer that is certain; 0: it is not. */
  certainForMs(fellow: MemberId): number;
  /** Resolves when it is certain again, or cannot be made so now. Never rejects. */
  renew(fellow: MemberId): Promise<void>;
  /** As renew, for whom nobody waits. */
  renewAhead(fellow: MemberId): void;
}

export interface NameOwnerDeps {
  readonly clock: MeshClock;
  readonly list: TrackerList;
  readonly touch: InTouch;
  readonly memory: Pick<FellowMemory, 'tell' | 'recall'>;
  readonly revoke: Revoke;
}

export interface NameOwnerOptions extends OwnedNamesOptions, QuestionsOptions {
  /** How long after a change of the list others may still go by the one before it, and hold leases of its owners. */
  readonly settleMs: number;
  readonly markTtlMs: number;
}

/** How many owners a name has: each write is made known to all of them. */
export const NAME_OWNERS = 2;

/** A part of a write, and for how long the writer must still wait once all owners have answered. */
export interface Acknowledged {
  readonly waitMs: number;
}

export class NameOwner {
  readonly #deps: NameOwnerDeps;
  readonly #options: NameOwnerOptions;
  readonly #names: OwnedNames;
  readonly #questions: Questions;
  #listChangedAtMs: number;
  #lookedAt: Instant;

  constructor(deps: NameOwnerDeps, options: NameOwnerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#names = new OwnedNames(options);
    const changed = (name: OwnedName) => {
      this.#look();
      this.#names.sort(name);
    };
    const learnt = ({ key }: OwnedName, known: LastKnown) => {
      const fellow = this.#place(key)?.fellow;
      if (fellow !== undefined) deps.memory.tell(fellow, { key, known });
    };
    this.#questions = new Questions({ clock: deps.clock, changed, learnt }, options);
    this.#listChangedAtMs = deps.list.changedAtMs;
    this.#lookedAt = instant(deps.clock);
  }

  /** Names it keeps track of. */
  get size(): number {
    return this.#names.size;
  }

  /** Rejects with MeshError Busy, or with the signal's reason when the caller leaves. */
  async open(key: string, caller: Run, want: NameWant, signal: AbortSignal): Promise<OwnerAnswer> {
    const place = this.#place(key);
    if (place === undefined) return { kind: 'moved' };
    // Whose answer is for himself alone asks for no bytes: only where others may have it is it worth asking the fellow.
    if ((await this.#certainMs(place.fellow)) > 0) await this.#recall(key, place.fellow);
    signal.throwIfAborted();
    this.#look();
    const certainMs = this.#certainNowMs(place.fellow);
    const arrivedAtMs = this.#deps.clock.now();
    return this.#questions.open(this.#names.open(key), { caller, want, arrivedAtMs, certainMs }, signal);
  }

  /** Answers for how long the caller may believe what he reports. A ticket that is not his changes nothing. */
  report(ticket: string, caller: MemberId, reported: Reported): { leaseMs: number } {
    this.#look();
    if (this.#questions.callerOf(ticket) !== caller) return { leaseMs: 0 };
    return this.#questions.report(ticket, reported);
  }

  /** Left: he no longer asks. Failed: the origin did not answer him. */
  giveUp(ticket: string, caller: MemberId, why: 'left' | 'failed'): void {
    if (this.#questions.callerOf(ticket) !== caller) return;
    if (why === 'left') this.#questions.replace(ticket);
    else this.#questions.fail(ticket);
  }

  /** What the other owner says of names: he knows as much, should this one be asked next. Rejects with MeshError Busy. */
  remember(caller: MemberId, names: readonly KnownName[]): void {
    this.#look();
    for (const { key, known } of names) if (this.#place(key)?.fellow === caller) this.#learn(key, known);
  }

  /** Undefined: nothing is known of it here. */
  lastKnown(key: string): LastKnown | undefined {
    return this.#names.find(key)?.lastKnown;
  }

  /** Resolves when the ticket was handed back or is no longer waited for. */
  settled(ticket: string): Promise<void> {
    return this.#questions.settled(ticket);
  }

  /** Resolves when no lease on these names is left. Rejects with MeshError Busy. */
  async begin(mark: string, keys: readonly string[], caller: Run): Promise<Acknowledged> {
    this.#look();
    const names = keys.map((key) => this.#names.open(key));
    this.#mark(names, markId(mark, caller));
    await revokeLeases(this.#deps, names, caller);
    return { waitMs: this.#unsettledMs() };
  }

  /** As begin, but that it is done at once where the mark is still there: nothing was granted since. */
  async end(mark: string, keys: readonly string[], outcome: NameOutcome, caller: Run): Promise<Acknowledged> {
    this.#look();
    const id = markId(mark, caller);
    const unmarked: OwnedName[] = [];
    for (const key of keys) {
      const name = this.#names.open(key);
      if (!name.marks.has(id)) unmarked.push(name);
      this.#end(name, id, outcome);
    }
    if (unmarked.length === 0) return { waitMs: 0 };
    await revokeLeases(this.#deps, unmarked, caller);
    return { waitMs: this.#unsettledMs() };
  }

  /** Writes went past this owner: nothing it knows is believed. */
  disbelieveAll(): void {
    this.#names.disbelieveAll();
  }

  /** A list that changed, or a sleep, means that writes may have gone past this owner. */
  #look(): void {
    const now = instant(this.#deps.clock);
    const slept = elapsedMs(this.#lookedAt, now) === Number.POSITIVE_INFINITY;
    const { changedAtMs } = this.#deps.list;
    // Not by its hash: a list that changed and changed back had other owners in between.
    if (slept || this.#listChangedAtMs !== changedAtMs) this.#names.disbelieveAll();
    this.#listChangedAtMs = changedAtMs;
    this.#lookedAt = now;
  }

  #unsettledMs(): number {
    return Math.max(0, this.#deps.list.changedAtMs + this.#options.settleMs - this.#deps.clock.now());
  }

  /** Among the owners of the name; undefined: it is none. */
  #place(key: string): { readonly fellow: MemberId | undefined } | undefined {
    const { list } = this.#deps;
    const ranked = owners(key, list.trackers(), NAME_OWNERS);
    return ranked.includes(list.self.id) ? { fellow: ranked.find((id) => id !== list.self.id) } : undefined;
  }

  /** For how long from now it is certain that no write goes past this owner; makes it so where it is not. */
  async #certainMs(fellow: MemberId | undefined): Promise<number> {
    const nowMs = this.#certainNowMs(fellow);
    if (fellow === undefined || this.#unsettledMs() > 0) return nowMs;
    if (nowMs <= 0) await this.#deps.touch.renew(fellow);
    else if (nowMs < this.#options.nameLeaseMs / 2) this.#deps.touch.renewAhead(fellow);
    return this.#certainNowMs(fellow);
  }

  #certainNowMs(fellow: MemberId | undefined): number {
    if (this.#unsettledMs() > 0) return 0;
    return fellow === undefined ? Number.POSITIVE_INFINITY : this.#deps.touch.certainForMs(fellow);
  }

  /** What the fellow knows of a name that nobody has asked about here. Rejects with MeshError Busy. */
  async #recall(key: string, fellow: MemberId | undefined): Promise<void> {
    const name = this.#names.find(key);
    if (fellow === undefined || name?.recalled === true || name?.lastKnown !== undefined) return;
    const recalled = await this.#deps.memory.recall(fellow, key);
    if (recalled !== 'unheard' && this.#names.find(key)?.lastKnown === undefined) this.#learn(key, recalled);
  }

  /** A write that is under way makes it another; what it left is known when it ends. */
  #learn(key: string, known: LastKnown | undefined): void {
    const name = this.#names.open(key);
    name.recalled = true;
    if (name.marks.size === 0) name.lastKnown = known;
  }

  #isCertain(key: string): boolean {
    const place = this.#place(key);
    return place !== undefined && this.#certainNowMs(place.fellow) > 0;
  }

  #mark(names: readonly OwnedName[], id: string): void {
    const begunAtMs = this.#deps.clock.now();
    const open = new Set<OwnedName>();
    const cancel = this.#deps.clock.after(this.#options.markTtlMs, () => {
      for (const name of open) this.#end(name, id, 'unknown');
    });
    for (const name of names) {
      const closed = () => {
        open.delete(name);
        if (open.size === 0) cancel();
      };
      name.marks.get(id)?.closed();
      disbelieve(name);
      name.marks.set(id, { generation: name.generation, begunAtMs, certain: this.#isCertain(name.key), closed });
      open.add(name);
      this.#names.sort(name);
    }
  }

  #end(name: OwnedName, id: string, outcome: NameOutcome): void {
    const mark = name.marks.get(id);
    const alone = mark !== undefined && name.marks.size === 1 && mark.generation === name.generation;
    name.marks.delete(id);
    mark?.closed();
    disbelieve(name);
    const left = alone ? outcome : 'unknown';
    name.lastKnown = left === 'unknown' ? undefined : { kind: left };
    // Believed by the same rule as an answer of the origin: a write that went past this owner must come to its ears.
    if (alone && left === 'missing' && mark.certain) {
      name.record = { answer: { kind: 'missing' }, askedAtMs: mark.begunAtMs };
    }
    this.#names.sort(name);
  }
}

/** Two writers do not close each other's marks. */
function markId(mark: string, { id }: Run): string {
  return `${id} ${mark}`;
}
