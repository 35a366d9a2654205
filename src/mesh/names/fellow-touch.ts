// How the two owners of a name make sure that no write goes past one of them. Each may believe its records only while
// the other has confirmed, less than a name lease ago, that it knows of no write that this one missed. A writer who
// reaches only one of them tells it so; that one counts a miss, and knows by when the other's last confirmation has
// run out. Once the other asks again it sees that misses were counted, and forgets what it believed. Its first question
// has nothing to compare with: what an owner learned out of touch must not have become a record.
import type { Background } from '../../concurrency/background.ts';
import { elapsedMs, type Instant, instant, type MeshClock, within } from '../clock.ts';
import type { MemberId } from '../member.ts';
import { type MeshClient, MeshError } from '../transport.ts';
import type { InTouch, TrackerList } from './name-owner.ts';
import { readTouchReply, type TouchReply } from './name-wire.ts';

export interface FellowTouchDeps {
  readonly client: Pick<MeshClient, 'ask'>;
  readonly clock: MeshClock;
  readonly list: TrackerList;
  /** Somebody has another list of trackers. */
  readonly otherList: () => void;
  /** Writes went past this owner. */
  readonly missed: () => void;
  readonly background: Pick<Background, 'run'>;
}

export interface FellowTouchOptions {
  readonly nameLeaseMs: number;
  /** How long a fellow may take to confirm. */
  readonly patienceMs: number;
}

/** How long a fellow that did not answer is not asked again. */
const RETRY_MS = 1_000;

interface Fellow {
  /** When the last question that it confirmed was sent. */
  confirmed: Instant | undefined;
  /** Its run, and the misses it had counted by then. */
  heard: string | undefined;
  failedAtMs: number;
  asking: Promise<void> | undefined;
}

export class FellowTouch implements InTouch {
  readonly #deps: FellowTouchDeps;
  readonly #options: FellowTouchOptions;
  readonly #startedAtMs: number;
  /** Of the list as it was last seen; with another one all owners begin anew. */
  readonly #fellows = new Map<MemberId, Fellow>();
  /** Whom we confirmed, when last, and which was the last miss. */
  readonly #confirmed = new Map<MemberId, { atMs: number; lastMiss: number }>();
  #misses = 0;
  #listChangedAtMs: number | undefined;
  readonly #closing = new AbortController();

  constructor(deps: FellowTouchDeps, options: FellowTouchOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#startedAtMs = deps.clock.now();
  }

  certainForMs(id: MemberId): number {
    this.#look();
    const confirmed = this.#fellows.get(id)?.confirmed;
    if (confirmed === undefined) return 0;
    return Math.max(0, this.#options.nameLeaseMs - elapsedMs(confirmed, instant(this.#deps.clock)));
  }

  renew(id: MemberId): Promise<void> {
    this.#look();
    const fellow = this.#fellow(id);
    if (fellow.asking === undefined && this.#deps.clock.now() - fellow.failedAtMs < RETRY_MS) return Promise.resolve();
    fellow.asking ??= this.#ask(id, fellow).finally(() => {
      fellow.asking = undefined;
    });
    return fellow.asking;
  }

  renewAhead(id: MemberId): void {
    if (this.#fellow(id).asking === undefined) this.#deps.background.run('touch', this.renew(id));
  }

  /** What a fellow is told who asks. */
  confirm(caller: MemberId, listHash: string): TouchReply {
    this.#look();
    const { list } = this.#deps;
    if (listHash !== list.hash) this.#deps.otherList();
    if (listHash !== list.hash || !this.#isTracker(caller)) return { hash: list.hash, confirmed: false, heard: '' };
    const about = this.#about(caller);
    const heard = `${list.self.incarnation} ${about.lastMiss}`;
    about.atMs = this.#deps.clock.now();
    return { hash: list.hash, confirmed: true, heard };
  }

  /** A write went past this fellow. Answers for how much longer it may believe what it knows. */
  miss(id: MemberId): number {
    this.#look();
    if (!this.#isTracker(id)) return this.#options.nameLeaseMs;
    const about = this.#about(id);
    this.#misses += 1;
    about.lastMiss = this.#misses;
    return Math.max(0, about.atMs + this.#options.nameLeaseMs - this.#deps.clock.now());
  }

  /** Nobody is asked any longer. */
  close(): void {
    this.#closing.abort(new MeshError('Closed', 'This gateway is leaving the mesh.'));
  }

  /** Never rejects. */
  async #ask(id: MemberId, fellow: Fellow): Promise<void> {
    const { clock, client, list } = this.#deps;
    const sent = instant(clock);
    const late = () => new MeshError('Unreachable', `${id} did not answer in time.`);
    try {
      const ask = (signal: AbortSignal) => client.ask(id, 'name-touch', { hash: list.hash }, signal);
      const { patienceMs } = this.#options;
      const reply = readTouchReply(await within(clock, patienceMs, this.#closing.signal, ask, late));
      if (reply.hash !== list.hash) this.#deps.otherList();
      if (!reply.confirmed || reply.hash !== list.hash) throw late();
      if (fellow.heard !== undefined && fellow.heard !== reply.heard) this.#deps.missed();
      fellow.heard = reply.heard;
      fellow.confirmed = sent;
    } catch {
      // Whoever needed it goes without: it asks the origin instead.
      fellow.failedAtMs = clock.now();
    }
  }

  #look(): void {
    const { list, clock } = this.#deps;
    if (this.#listChangedAtMs === list.changedAtMs) return;
    this.#listChangedAtMs = list.changedAtMs;
    this.#fellows.clear();
    const trackers = new Set(list.trackers());
    const longAgoMs = clock.now() - this.#options.nameLeaseMs;
    for (const [id, { atMs }] of this.#confirmed) {
      if (!trackers.has(id) && atMs < longAgoMs) this.#confirmed.delete(id);
    }
  }

  #isTracker(id: MemberId): boolean {
    return this.#deps.list.trackers().includes(id);
  }

  #fellow(id: MemberId): Fellow {
    const none = { confirmed: undefined, heard: undefined, failedAtMs: Number.NEGATIVE_INFINITY, asking: undefined };
    return getOr(this.#fellows, id, () => none);
  }

  /** An earlier run of this gateway may have confirmed anybody until it ended. */
  #about(id: MemberId) {
    return getOr(this.#confirmed, id, () => {
      this.#misses += 1;
      return { atMs: this.#startedAtMs, lastMiss: this.#misses };
    });
  }
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
