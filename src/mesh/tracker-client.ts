// The asking side of trackers: a piece's owners are found by rendezvous, what is asked at once goes in one call, and
// what is on its way here is told to both owners, so that the second knows enough when the first dies. Calls of this
// gateway's own tracker are plain calls.
import { LRUCache } from 'lru-cache';
import type { Background } from '../concurrency/background.ts';
import { leftByAll } from '../concurrency/left-by-all.ts';
import { Batched } from './batched.ts';
import type { Member, MemberId } from './member.ts';
import type { OwnerCalls } from './owner-calls.ts';
import type { Slab } from './slab.ts';
import { slabOwners, type TrackerView } from './slab-owners.ts';
import { type ToldOf, wire } from './tracker/tell-together.ts';
import type { TrackerService } from './tracker/tracker-service.ts';
import {
  type Complain,
  type Decided,
  type Moved,
  type Progress,
  parseDecided,
  parseRows,
  type Rows,
  type Tell,
} from './tracker/tracker-wire.ts';
import { TrackerTellings } from './tracker-tellings.ts';
import type { MeshClient } from './transport.ts';

export interface TrackerClientDeps {
  readonly client: Pick<MeshClient, 'ask' | 'lines'>;
  readonly self: Member;
  readonly view: () => TrackerView;
  /** This gateway's own; undefined where it is no tracker. */
  readonly local: Pick<TrackerService, 'acquire' | 'tell' | 'complain' | 'progress' | 'peek'> | undefined;
  readonly calls: OwnerCalls;
  readonly background: Background;
}

export interface TrackerClientOptions {
  /** Owners of a slab that are told what is held and what is on its way. */
  readonly owners: number;
  /** How long a call that nobody waits for may take. */
  readonly tellMs: number;
}

export interface Wish {
  readonly slab: Slab;
  /** Within the slab. */
  readonly piece: number;
  readonly avoid: readonly MemberId[];
  readonly signal: AbortSignal;
}

interface Waiting extends Wish {
  readonly decided: (decision: Decided | 'alone') => void;
}

/** Undecided wishes by piece. */
type Open = Map<number, Waiting[]>;

export class TrackerClient {
  readonly #deps: TrackerClientDeps;
  readonly #options: TrackerClientOptions;
  readonly #wishes = new Batched<Waiting>((wishes) => this.#acquireAll(wishes), 0);
  readonly #tellings: TrackerTellings;
  readonly #owners = new LRUCache<string, readonly MemberId[]>({ max: 4096 });

  constructor(deps: TrackerClientDeps, options: TrackerClientOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#tellings = new TrackerTellings(
      {
        ...deps,
        ownersOf: (slab) => this.#toldOf(slab),
        firstOf: (slab) => this.ownersOf(slab).slice(0, 1),
        isTracker: (id) => deps.view().trackers.includes(id),
      },
      options,
    );
  }

  /** 'alone': no owner answers, or the signal is aborted. */
  acquire(wish: Wish): Promise<Decided | 'alone'> {
    return new Promise((resolve) => {
      const leave = () => resolve('alone');
      wish.signal.addEventListener('abort', leave, { once: true });
      const decided = (decision: Decided | 'alone') => {
        wish.signal.removeEventListener('abort', leave);
        resolve(decision);
      };
      this.#wishes.add({ ...wish, decided });
    });
  }

  /** Without waiting for an answer; what is told within a moment goes together, in order. */
  tell(slab: Slab, told: ToldOf['told']): void {
    this.#tellings.tell(slab, told);
  }

  complain(slab: Slab, complaint: Omit<Complain, 'slab'>): void {
    this.#tellings.complain(slab, complaint);
  }

  /** `moved` is told of pieces for which there is a better source. `to`: all owners, or who decides. */
  progress(
    reports: readonly { slab: Slab; pieces: Progress['slabs'][number]['pieces'] }[],
    moved: (moved: Moved['moved']) => void,
    to: 'first' | 'all',
  ): void {
    this.#tellings.progress(reports, moved, to);
  }

  /** What the slab's owners know of it; of those that answer, so none at all where none does. */
  async peek(slab: Slab, signal: AbortSignal): Promise<readonly Rows[]> {
    const asked = this.ownersOf(slab).map((owner) => this.#peekAt(owner, slab, signal));
    return (await Promise.all(asked)).filter((rows) => rows !== undefined);
  }

  async #peekAt(owner: MemberId, slab: Slab, signal: AbortSignal): Promise<Rows | undefined> {
    const { local, client, calls } = this.#deps;
    if (owner === this.#self.id && local !== undefined) return local.peek(wire(slab));
    try {
      const rows = parseRows(await client.ask(owner, 'peek', { slab: wire(slab) }, signal));
      calls.answered(owner);
      return rows;
    } catch (error) {
      signal.throwIfAborted();
      calls.note(owner, error);
      return undefined;
    }
  }

  /** Before this gateway stops: nobody is to count on it any longer. */
  async leave(signal: AbortSignal): Promise<void> {
    this.#tellings.flush();
    const others = this.#deps.view().trackers.filter((id) => id !== this.#self.id);
    await Promise.allSettled(
      others.map((id) => this.#deps.client.ask(id, 'announce', { slabs: [], leaving: true } satisfies Tell, signal)),
    );
  }

  /** Those who are told of it: the first that answered lately. */
  ownersOf(slab: Slab): readonly MemberId[] {
    return this.#deps.calls.inOrder(this.#ranked(slab)).slice(0, this.#options.owners);
  }

  /** Those, and who is to know of it when he answers again. */
  #toldOf(slab: Slab): readonly MemberId[] {
    const ranked = this.#ranked(slab).slice(0, this.#options.owners);
    return [...new Set([...ranked, ...this.ownersOf(slab)])];
  }

  /** Asked in turn when those before do not answer, so that those who are cut off from the owners still find each other. */
  #ranked(slab: Slab): readonly MemberId[] {
    const view = this.#deps.view();
    if (view.trackers.length <= 1) return view.trackers;
    const key = `${view.hash}\n${slab.ownerKey}`;
    const known = this.#owners.get(key) ?? slabOwners(slab, view);
    this.#owners.set(key, known);
    return known;
  }

  get #self(): Member {
    return this.#deps.self;
  }

  #acquireAll(wishes: Waiting[]): void {
    const alike = new Map<string, Waiting[]>();
    for (const wish of wishes) {
      const key = [wish.slab.key, ...wish.avoid].join('\n');
      alike.set(key, [...(alike.get(key) ?? []), wish]);
    }
    for (const group of alike.values()) this.#deps.background.run('acquire', this.#acquireTogether(group));
  }

  /** Wishes for pieces of one slab, at its first owner that answers. Never rejects. */
  async #acquireTogether(wishes: readonly Waiting[]): Promise<void> {
    const [first] = wishes;
    if (first === undefined) return;
    const open: Open = new Map();
    for (const wish of wishes) open.set(wish.piece, [...(open.get(wish.piece) ?? []), wish]);
    const left = leftByAll(wishes.map(({ signal }) => signal));
    try {
      for (const owner of this.#deps.calls.inOrder(this.#ranked(first.slab))) {
        if (open.size === 0 || left.signal.aborted) break;
        await this.#acquireAt(owner, first, open, left.signal);
      }
    } finally {
      left.end();
      for (const wish of [...open.values()].flat()) wish.decided('alone');
    }
  }

  async #acquireAt(owner: MemberId, { slab, avoid }: Wish, open: Open, signal: AbortSignal): Promise<void> {
    const { local, client, calls } = this.#deps;
    const unreachable = this.#ranked(slab).filter((id) => calls.isDown(id));
    const body = { slab: wire(slab), pieces: [...open.keys()], avoid: [...avoid], unreachable };
    try {
      if (owner === this.#self.id && local !== undefined) {
        for await (const decided of local.acquire(body, this.#self, signal)) this.#decide(slab, decided, open);
      } else {
        for await (const line of await client.lines(owner, 'acquire', body, signal)) {
          this.#decide(slab, parseDecided(line), open);
        }
        calls.answered(owner);
      }
    } catch (error) {
      // Whatever is still open is asked of the next one.
      if (!signal.aborted) this.#deps.calls.note(owner, error);
    }
  }

  #decide(slab: Slab, decided: Decided, open: Open): void {
    const wishes = open.get(decided.piece) ?? [];
    open.delete(decided.piece);
    const isWanted = wishes.some(({ signal }) => !signal.aborted);
    // Nobody here wants it any longer, though others of the same call were still waited for.
    if (!isWanted && decided.kind !== 'again') this.tell(slab, { released: [decided.piece] });
    for (const wish of wishes) wish.decided(decided);
  }
}
