// Who belongs to the mesh: the list of trackers, which a provider reads and never we invent, and what is known of
// single gateways. Where the list cannot be read, or comes empty, the last one goes on being used.

import { LRUCache } from 'lru-cache';
import { patienceSignal } from '../concurrency/patience.ts';
import { SharedCall } from '../concurrency/shared-call.ts';
import { isTracker, type Member, type MemberId } from './member.ts';
import type { MembersProvider } from './providers/provider.ts';
import { type TrackerList, trackerList } from './tracker-list.ts';

export interface MembersDeps {
  readonly self: Member;
  readonly provider: MembersProvider;
  readonly observer: MembersObserver;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** Whom the membership tells what an operator should know. Calls must not throw. */
export interface MembersObserver {
  changed(trackers: readonly MemberId[]): void;
  /** The list could not be read; `first` of an outage. */
  readFailed(event: { readonly error: unknown; readonly first: boolean }): void;
  /** It could be read again. */
  recovered(): void;
  /** Several reads on end gave a list that is right for nobody like this gateway. Once each time. */
  mislisted(event: { readonly self: Member; readonly reason: Mislisted }): void;
  leaveFailed(error: unknown): void;
}

export type Mislisted =
  /** It is a tracker, and not on the list: nobody asks it. */
  | 'missing'
  /** It is a peer, and on the list. */
  | 'peer'
  /** It is a peer, and the list names nobody. */
  | 'empty';

export interface MembersOptions {
  /** Between two reads. */
  readonly refreshMs: number;
  /** For one read. */
  readonly readTimeoutMs: number;
  /** After this time a gateway does not wait for its first read any more. */
  readonly firstContactMs: number;
  /** Gateways that something is known of. */
  readonly maxKnown: number;
}

/** Between reads because somebody has another list: doubled while they change nothing. */
const SHORTEST_GAP_MS = 250;
/** Reads of such a list before it is told: a list may be a little late. */
const MISLISTED_READS = 3;

export class Members {
  readonly self: Member;
  /** Resolves after the first read, or when it has been waited for long enough. */
  readonly ready: Promise<void>;
  readonly #deps: MembersDeps;
  readonly #options: MembersOptions;
  readonly #known: LRUCache<MemberId, Member>;
  readonly #listeners = new Set<(trackers: readonly MemberId[]) => void>();
  readonly #closed = new AbortController();
  #read: readonly MemberId[] = [];
  #list: TrackerList;
  #changedAtMs: number;
  #reading: SharedCall<void> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #failing = false;
  #mislistedReads = 0;
  #gapMs = SHORTEST_GAP_MS;
  #left = false;
  #started = false;
  #interval: NodeJS.Timeout | undefined;
  #early: NodeJS.Timeout | undefined;
  #firstContact: NodeJS.Timeout | undefined;
  #contacted: () => void = () => undefined;
  #closing: Promise<void> | undefined;

  constructor(deps: MembersDeps, options: MembersOptions) {
    this.self = deps.self;
    this.#deps = deps;
    this.#options = options;
    this.#known = new LRUCache({ max: options.maxKnown });
    this.#list = trackerList(this.#withSelf([]));
    this.#changedAtMs = deps.now();
    this.ready = new Promise((resolve) => {
      this.#contacted = resolve;
    });
  }

  /** Sorted; the same array until the list changes. With this gateway where it is a tracker. */
  trackers(): readonly MemberId[] {
    return this.#list.ids;
  }

  /** Of the list of trackers: who has another hash has another list. */
  get hash(): string {
    return this.#list.hash;
  }

  /** When the list last became another one, on the clock of `now`. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** What a member said of itself. Undefined: nothing was heard of it. */
  about(id: MemberId): Member | undefined {
    return id === this.self.id ? this.self : this.#known.get(id);
  }

  /** Somebody has proved to be who it says. */
  learn(member: Member): void {
    if (member.id !== this.self.id) this.#known.set(member.id, member);
  }

  /** Everybody that was heard of, trackers or not, and this gateway. */
  known(): readonly Member[] {
    return [this.self, ...this.#known.values()];
  }

  /** Returns what ends it. */
  onChange(listener: (trackers: readonly MemberId[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Joins, reads the list, and goes on reading it. */
  start(): void {
    if (this.#started || this.#closed.signal.aborted) return;
    this.#started = true;
    this.#firstContact = setTimeout(this.#contacted, this.#options.firstContactMs).unref();
    this.#deps.provider.watch?.(() => this.#readSoon(0));
    this.#beginRead();
    this.#schedule();
  }

  /** Resolves when the list was read or could not be; callers at one time share a read. Rejects when the signal aborts. */
  refresh(signal: AbortSignal): Promise<void> {
    return this.#call().join(signal);
  }

  /** Somebody holds another list: ours is read again, the less often the less that changes. */
  onListHash(_from: Member, hash: string): void {
    if (hash === this.hash || this.#early !== undefined) return;
    const waitMs = Math.max(0, this.#readAtMs + this.#gapMs - this.#deps.now());
    this.#gapMs = Math.min(2 * this.#gapMs, Math.max(SHORTEST_GAP_MS, this.#options.refreshMs));
    this.#readSoon(waitMs);
  }

  /** Takes this gateway off the list where it put itself on it, and goes on reading. Never rejects for that. */
  async leave(signal: AbortSignal): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    // A join that is under way must not come after what takes it back.
    await this.#reading?.join(signal);
    try {
      if (isTracker(this.self)) await this.#deps.provider.leave?.(this.self.id, signal);
    } catch (error) {
      this.#deps.observer.leaveFailed(error);
    }
    if (this.#started && !this.#closed.signal.aborted) await this.refresh(signal);
  }

  /** Stops reading. Does not leave. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed.abort(new Error('The membership is being closed.'));
    for (const timer of [this.#interval, this.#early, this.#firstContact]) clearTimeout(timer);
    this.#contacted();
    await this.#reading?.join(new AbortController().signal);
    this.#listeners.clear();
    await this.#deps.provider.close?.();
  }

  /** About refreshMs apart; gateways that started together do not read together. */
  #schedule(): void {
    const waitMs = this.#options.refreshMs * (0.8 + 0.4 * this.#deps.random());
    this.#interval = setTimeout(() => {
      this.#beginRead();
      this.#schedule();
    }, waitMs).unref();
  }

  #readSoon(waitMs: number): void {
    if (this.#early !== undefined || this.#closed.signal.aborted || !this.#started) return;
    this.#early = setTimeout(() => {
      this.#early = undefined;
      this.#beginRead();
    }, waitMs).unref();
  }

  /** A read that was put off, because nothing seemed to change, is not any more. */
  #readNow(): void {
    if (this.#early === undefined) return;
    clearTimeout(this.#early);
    this.#early = undefined;
    this.#readSoon(0);
  }

  /** Nobody waits for it; what goes wrong is told to the observer, and only an end of all this rejects it. */
  #beginRead(): void {
    this.#call()
      .join(this.#closed.signal)
      .catch(() => undefined);
  }

  #call(): SharedCall<void> {
    if (this.#reading === undefined || !this.#reading.joinable) {
      this.#reading = new SharedCall((signal) => this.#readOnce(signal));
    }
    return this.#reading;
  }

  async #readOnce(left: AbortSignal): Promise<void> {
    const { provider, now } = this.#deps;
    const timeout = patienceSignal(this.#options.readTimeoutMs);
    const signal = AbortSignal.any([left, this.#closed.signal, timeout]);
    this.#readAtMs = now();
    try {
      signal.throwIfAborted();
      if (isTracker(this.self) && !this.#left) await provider.join?.(this.self.id, signal);
      this.#take(await provider.read(signal));
    } catch (error) {
      if (this.#closed.signal.aborted || left.aborted) return;
      this.#deps.observer.readFailed({ error, first: !this.#failing });
      this.#failing = true;
    }
  }

  #take(read: readonly MemberId[]): void {
    if (this.#failing) this.#deps.observer.recovered();
    this.#failing = false;
    // Nobody at all is what a registry says that has lost its memory; those who are gone cost a refused connection each.
    if (read.length > 0) this.#read = read;
    this.#checkOwnPlace(read);
    this.#adopt(trackerList(this.#withSelf(this.#read)));
    clearTimeout(this.#firstContact);
    this.#contacted();
  }

  #adopt(list: TrackerList): void {
    if (list.hash === this.#list.hash) return;
    this.#list = list;
    this.#changedAtMs = this.#deps.now();
    this.#gapMs = SHORTEST_GAP_MS;
    this.#readNow();
    this.#deps.observer.changed(list.ids);
    for (const listener of this.#listeners) listener(list.ids);
  }

  #withSelf(ids: readonly MemberId[]): readonly MemberId[] {
    return isTracker(this.self) && !this.#left ? [...ids, this.self.id] : ids;
  }

  #checkOwnPlace(read: readonly MemberId[]): void {
    const reason = this.#left ? undefined : mislisted(this.self, read);
    this.#mislistedReads = reason === undefined ? 0 : this.#mislistedReads + 1;
    if (reason !== undefined && this.#mislistedReads === MISLISTED_READS) {
      this.#deps.observer.mislisted({ self: this.self, reason });
    }
  }
}

function mislisted(self: Member, read: readonly MemberId[]): Mislisted | undefined {
  const listed = read.includes(self.id);
  if (isTracker(self)) return listed ? undefined : 'missing';
  if (listed) return 'peer';
  return read.length === 0 ? 'empty' : undefined;
}
