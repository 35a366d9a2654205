// What a tracker makes sure of before it sends anybody to the origin: what an earlier run of it wrote down, and what the
// slab's other owners know. Asked again when the list of members is another, and when nobody has asked for the slab in
// a while, since meanwhile others may have been asked in its place.
import type { Member, MemberId } from '../member.ts';
import type { OwnerCalls } from '../owner-calls.ts';
import { slabOwners, type TrackerView } from '../slab-owners.ts';
import type { MeshClient } from '../transport.ts';
import type { SlabState } from './slab-state.ts';
import type { Tracker } from './tracker.ts';
import type { Holdings } from './tracker-calls.ts';
import type { TrackerDb } from './tracker-db.ts';
import { holdingsOf, parseRows, type Rows, rowsOf, type SlabWire } from './tracker-wire.ts';

export interface SlabKnowledgeDeps {
  readonly tracker: Tracker;
  readonly db: Pick<TrackerDb, 'holdings'> | undefined;
  readonly client: Pick<MeshClient, 'ask'>;
  readonly calls: Pick<OwnerCalls, 'isDown' | 'note' | 'answered'>;
  readonly self: Member;
  readonly view: () => TrackerView;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
}

interface Sure {
  /** Of the list of trackers. */
  readonly hash: string;
  /** The slab as it was then: one that was forgotten since is another. */
  readonly state: SlabState | undefined;
  readonly askedMs: number;
}

/** Owners asked for what they know: the two that should, and one that may have before the list changed. */
const ASKED_OWNERS = 3;
/** A slab that nobody asked for in this time may have been asked of others. */
const SURE_MS = 10_000;
const MAX_SURE = 100_000;
/** Of one answer, so that it stays below what an answer may be. */
const MAX_ROWS = 4_096;
const MAX_RECEIVERS = 2_048;
const NOTHING: Holdings = { roots: new Map(), rows: [] };

export class SlabKnowledge {
  readonly #deps: SlabKnowledgeDeps;
  /** The one asked for last is last. */
  readonly #sure = new Map<string, Sure>();
  /** Slabs of which what an earlier run wrote down is known too. */
  readonly #recalled = new WeakSet<SlabState>();
  readonly #asking = new Map<string, Promise<void>>();

  constructor(deps: SlabKnowledgeDeps) {
    this.#deps = deps;
  }

  /** Resolves at once where it is sure. Never rejects. `limit`: how long others may take, but for the unreachable. */
  async makeSure(slab: SlabWire, limit: () => AbortSignal, unreachable: readonly MemberId[] = []): Promise<void> {
    if (!this.#isSure(slab)) {
      const running =
        this.#asking.get(slab.key) ??
        this.#learn(slab, limit, unreachable).finally(() => this.#asking.delete(slab.key));
      this.#asking.set(slab.key, running);
      await running;
    }
    const { view, tracker, now } = this.#deps;
    this.#sure.delete(slab.key);
    this.#sure.set(slab.key, { hash: view().hash, state: tracker.find(slab.key), askedMs: now() });
    for (const key of this.#sure.keys()) {
      if (this.#sure.size <= MAX_SURE) return;
      this.#sure.delete(key);
    }
  }

  /** For another owner. */
  async tell(slab: SlabWire): Promise<Rows> {
    const { tracker, db } = this.#deps;
    if (!tracker.knows(slab.key)) return rowsOf((await db?.holdings(slab.key)) ?? NOTHING, []);
    const state = await this.recall(slab);
    const receivers = [...state.allReceivers()].map(([piece, { member, source, bytes, waiting }]) => {
      const proof = source === 'origin' ? state.brought(piece) : undefined;
      return { piece, member, source, bytes, waiting, ...(proof && { proof: { ...proof } }) };
    });
    // Who reads the origin matters most: the others say it themselves before long.
    receivers.sort((left, right) => Number(right.source === 'origin') - Number(left.source === 'origin'));
    const rows = [...state.holders].slice(0, MAX_ROWS).map(([member, held]) => ({ member, held }));
    return rowsOf({ roots: state.roots, rows }, receivers.slice(0, MAX_RECEIVERS));
  }

  #isSure({ key }: SlabWire): boolean {
    const { view, tracker, now } = this.#deps;
    const sure = this.#sure.get(key);
    if (sure?.hash !== view().hash || sure.state === undefined || sure.state !== tracker.find(key)) return false;
    return now() - sure.askedMs < SURE_MS;
  }

  async #learn(slab: SlabWire, limit: () => AbortSignal, unreachable: readonly MemberId[]): Promise<void> {
    await this.recall(slab);
    const { self, view, calls } = this.#deps;
    const asked = slabOwners(slab, view()).slice(0, ASKED_OWNERS);
    const others = asked.filter((id) => id !== self.id && !unreachable.includes(id) && !calls.isDown(id));
    await Promise.all(others.map((id) => this.#askOwner(id, slab, limit())));
  }

  /** With what an earlier run wrote down of it. */
  async recall(slab: SlabWire): Promise<SlabState> {
    const { tracker, db } = this.#deps;
    const known = tracker.find(slab.key);
    if (known !== undefined && this.#recalled.has(known)) return known;
    const state = tracker.absorb(slab, (await db?.holdings(slab.key)) ?? NOTHING);
    this.#recalled.add(state);
    return state;
  }

  async #askOwner(id: MemberId, slab: SlabWire, signal: AbortSignal): Promise<void> {
    const { client, tracker, calls } = this.#deps;
    try {
      const told = parseRows(await client.ask(id, 'peek', { slab }, signal));
      calls.answered(id);
      tracker.absorb(slab, holdingsOf(told, slab.pieces));
      for (const { member, ...receiver } of told.receivers ?? []) tracker.learn(slab, member, receiver);
    } catch (error) {
      // An owner that does not answer knows nothing for us; at worst the origin is read once more.
      calls.note(id, error);
    }
  }
}
