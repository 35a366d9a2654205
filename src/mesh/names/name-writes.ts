// Tells the owners of names that a write begins, or has ended, and waits until nobody can believe what was there before
// it. An owner that cannot be told is waited for: the other owner of the name says for how long. Where none can be told
// this gateway is not connected, and the write goes on.
import { delay, type MeshClock, within } from '../clock.ts';
import type { MemberId } from '../member.ts';
import type { NameMark, NameOutcome } from '../names.ts';
import { owners } from '../rendezvous.ts';
import { nameKey } from '../slab.ts';
import { type MeshClient, MeshError } from '../transport.ts';
import type { NameCalls } from './name-calls.ts';
import { NAME_OWNERS, type TrackerList } from './name-owner.ts';
import { MAX_BATCH, readMissReply, readWriteReply, type WriteReply } from './name-wire.ts';
import type { Silence } from './silence.ts';

export interface NameWritesDeps {
  readonly client: Pick<MeshClient, 'ask'>;
  readonly clock: MeshClock;
  readonly list: TrackerList;
  /** Resolves when the list is as new as it can be had. Never rejects. */
  readonly refresh: () => Promise<void>;
  readonly here: Pick<NameCalls, 'begin' | 'end' | 'miss'>;
  readonly silence: Silence;
  readonly signal: AbortSignal;
}

export interface NameWritesOptions {
  readonly nameLeaseMs: number;
  /** How long an owner may take that need not wait for anybody else. */
  readonly patienceMs: number;
}

/** How often the list may change while one write tells its owners. */
const ROUNDS = 4;

/** One call to one owner; undefined: it did not answer. */
interface Told {
  readonly owner: MemberId;
  readonly keys: readonly string[];
  readonly reply: WriteReply | undefined;
}

export class NameWrites {
  readonly #deps: NameWritesDeps;
  readonly #options: NameWritesOptions;

  constructor(deps: NameWritesDeps, options: NameWritesOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** `outcome`: undefined when it begins. Never rejects. */
  async tell(mark: NameMark, outcome: NameOutcome | undefined): Promise<void> {
    const keys = [...new Set(mark.names.map(nameKey))];
    const all: Told[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { hash } = this.#deps.list;
      const calls = this.#callsFor(keys, all);
      if (calls.length === 0) break;
      const told = await Promise.all(calls.map((call) => this.#tellOwner(call, mark.id, outcome)));
      all.push(...told);
      if (told.every(({ reply }) => reply === undefined || reply.hash === hash) && this.#deps.list.hash === hash) break;
      await this.#deps.refresh();
    }
    const waits = all.map(({ reply }) => reply?.waitMs ?? 0);
    const misses = await this.#tellMisses(all);
    await delay(this.#deps.clock, Math.max(0, ...waits, ...misses));
  }

  /** The owners of each name by the list as it is now, but those that were asked already. */
  #callsFor(keys: readonly string[], all: readonly Told[]): Omit<Told, 'reply'>[] {
    const asked = new Set(all.flatMap((told) => told.keys.map((key) => `${told.owner} ${key}`)));
    const trackers = this.#deps.list.trackers();
    const batches = new Map<MemberId, string[]>();
    for (const key of keys) {
      for (const owner of owners(key, trackers, NAME_OWNERS)) {
        if (asked.has(`${owner} ${key}`)) continue;
        const batch = batches.get(owner) ?? [];
        batch.push(key);
        batches.set(owner, batch);
      }
    }
    return [...batches].flatMap(([owner, batch]) => chunks(batch).map((chunk) => ({ owner, keys: chunk })));
  }

  async #tellOwner(
    { owner, keys }: Omit<Told, 'reply'>,
    mark: string,
    outcome: NameOutcome | undefined,
  ): Promise<Told> {
    const { list, here, silence } = this.#deps;
    // It may have to wait for leases that run out; one that was silent a moment ago is not waited for as long.
    const patienceMs = silence.isSilent(owner)
      ? this.#options.patienceMs
      : this.#options.patienceMs + this.#options.nameLeaseMs;
    try {
      if (owner === list.self.id) {
        const { self } = list;
        const reply = outcome === undefined ? here.begin(self, mark, keys) : here.end(self, mark, keys, outcome);
        return { owner, keys, reply: await reply };
      }
      const call = outcome === undefined ? 'name-begin' : 'name-end';
      const body = { hash: list.hash, mark, keys, ...(outcome === undefined ? {} : { outcome }) };
      const reply = readWriteReply(await this.#ask(owner, call, body, patienceMs));
      silence.heard(owner);
      return { owner, keys, reply };
    } catch {
      // What that means for the write is decided above, with all who did answer.
      silence.missed(owner);
      return { owner, keys, reply: undefined };
    }
  }

  /** Who could be told hears of who could not. Answers for how long the latter may believe what they know. */
  async #tellMisses(all: readonly Told[]): Promise<number[]> {
    const answered = new Map<string, MemberId>();
    for (const { owner, keys, reply } of all) if (reply) for (const key of keys) answered.set(key, owner);
    const pairs = new Map<string, { missed: MemberId; fellow: MemberId }>();
    for (const { owner: missed, keys, reply } of all) {
      for (const key of reply === undefined ? keys : []) {
        const fellow = answered.get(key);
        if (fellow !== undefined) pairs.set(`${missed} ${fellow}`, { missed, fellow });
      }
    }
    return Promise.all([...pairs.values()].map(({ missed, fellow }) => this.#tellMiss(missed, fellow)));
  }

  async #tellMiss(missed: MemberId, fellow: MemberId): Promise<number> {
    const { list, here } = this.#deps;
    try {
      if (fellow === list.self.id) return here.miss(missed).waitMs;
      const body = { hash: list.hash, missed };
      return readMissReply(await this.#ask(fellow, 'name-touch', body, this.#options.patienceMs)).waitMs;
    } catch {
      // Lost as well, a moment after it answered: what it confirmed last runs out as a lease does.
      return this.#options.nameLeaseMs;
    }
  }

  #ask(to: MemberId, call: 'name-begin' | 'name-end' | 'name-touch', body: unknown, ms: number): Promise<unknown> {
    const { client, clock, signal } = this.#deps;
    const late = () => new MeshError('Unreachable', `${to} did not answer in time.`);
    return within(clock, ms, signal, (limited) => client.ask(to, call, body, limited), late);
  }
}

function chunks(keys: readonly string[]): string[][] {
  const count = Math.ceil(keys.length / MAX_BATCH);
  return Array.from({ length: count }, (_, index) => keys.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH));
}
