// One gateway as a tracker in the simulation: the product's own rules, and what it makes sure of, with a queue for its
// CPU in front.
import type { Member, MemberId } from '../../src/mesh/member.ts';
import { OwnerCalls } from '../../src/mesh/owner-calls.ts';
import { SlabKnowledge } from '../../src/mesh/tracker/slab-knowledge.ts';
import type { SlabState } from '../../src/mesh/tracker/slab-state.ts';
import { Tracker } from '../../src/mesh/tracker/tracker.ts';
import type { Complaint, Holdings, Reported } from '../../src/mesh/tracker/tracker-calls.ts';
import type { Decided, SlabWire } from '../../src/mesh/tracker/tracker-wire.ts';
import { MeshError } from '../../src/mesh/transport.ts';
import type { Place } from './network.ts';
import type { World } from './world.ts';

export interface OpenCall {
  readonly by: Place;
  /** The connection is gone; whatever is still open is to be asked of somebody else. */
  broken(): void;
}

const LONG_POLL_MS = 10_000;
const DOWN_MS = 2_000;
const TICK_MS = 100;

export class SimTracker {
  readonly member: Member;
  readonly tracker: Tracker;
  readonly #world: World;
  readonly #knowledge: SlabKnowledge;
  readonly #calls: OwnerCalls;
  readonly #open = new Set<OpenCall>();
  #cpuFreeMs = 0;
  #ticking = false;
  stopped = false;

  /** `before`: an earlier run's, whose LevelDB this one finds. */
  constructor(world: World, member: Member, before: SimTracker | undefined) {
    this.#world = world;
    this.member = member;
    const now = () => world.queue.nowMs;
    this.#calls = new OwnerCalls({ now }, { downMs: DOWN_MS });
    this.tracker = new Tracker(
      {
        now,
        random: world.random,
        alone: () => false,
        suspected: (id) => this.#probe(id),
        changed: () => undefined,
      },
      { uploadSlots: 32, leases: 4, progressMs: 500, silenceMs: 1_500, maxSlabs: 100_000, maxMembers: 100_000 },
    );
    this.#knowledge = this.#knowledgeOf(before);
  }

  #knowledgeOf(before: SimTracker | undefined): SlabKnowledge {
    const { tracker, member } = this;
    const world = this.#world;
    return new SlabKnowledge({
      tracker,
      db: before === undefined ? undefined : { holdings: async (key) => holdingsIn(before.tracker.find(key)) },
      client: { ask: (to, _call, body) => this.#ask(to, body) },
      calls: this.#calls,
      self: member,
      view: () => world.viewOf(member.id),
      now: () => world.queue.nowMs,
    });
  }

  /** Its CPU takes the calls in turn. */
  #work(costUs: number, run: () => void): void {
    const { queue, stats } = this.#world;
    stats.called(this.member.id);
    this.#cpuFreeMs = Math.max(queue.nowMs, this.#cpuFreeMs) + costUs / 1_000;
    stats.waitedMs(this.#cpuFreeMs - queue.nowMs);
    queue.at(this.#cpuFreeMs, () => {
      if (this.stopped) return;
      run();
      this.#tickLater();
    });
  }

  /** `decided` is called at once, without the way back. Answers how to leave. */
  acquire(
    slab: SlabWire,
    pieces: readonly number[],
    avoid: readonly MemberId[],
    by: Member,
    call: OpenCall,
    decided: (decided: Decided) => void,
  ): () => void {
    this.#open.add(call);
    const undecided = new Set(pieces);
    let leave: () => void = () => undefined;
    let hasLeft = false;
    const end = () => {
      this.#open.delete(call);
      hasLeft = true;
      leave();
    };
    const begin = () => {
      if (hasLeft || this.stopped) return;
      leave = this.tracker.acquire({ slab, pieces, avoid }, by, (piece, decision) => {
        undecided.delete(piece);
        decided({ ...decision, piece });
        if (undecided.size === 0) this.#open.delete(call);
      });
      if (undecided.size === 0) return;
      this.#world.queue.after(LONG_POLL_MS, () => {
        if (hasLeft || this.stopped || undecided.size === 0) return;
        end();
        for (const piece of undecided) decided({ kind: 'again', piece });
      });
    };
    this.#work(35 + 2 * pieces.length, () => {
      this.#world.queue.unsettled();
      void this.#knowledge.makeSure(slab, () => new AbortController().signal).then(begin);
    });
    return end;
  }

  /** `speak`: told which of them the mesh's trackers are to hear of too. */
  announce(
    slab: SlabWire,
    by: Member,
    pieces: readonly number[],
    speak: (pieces: readonly number[]) => void = () => undefined,
  ): void {
    this.#work(35 + pieces.length, () => {
      this.tracker.announce(
        slab,
        by,
        pieces.map((piece) => ({ piece, root: rootOf(piece) })),
      );
      const state = this.tracker.find(slab.key);
      const spoken = pieces.filter((piece) => state?.speaksFor(by.id, piece));
      if (spoken.length > 0) speak(spoken);
    });
  }

  release(slab: SlabWire, by: Member, pieces: readonly number[]): void {
    this.#work(35, () => this.tracker.release(slab.key, by.id, pieces));
  }

  complain(slab: SlabWire, by: Member, holder: MemberId, piece: number, complaint: Complaint): void {
    this.#work(35, () => this.tracker.complain(slab.key, by, holder, piece, complaint));
  }

  progress(
    slab: SlabWire,
    by: Member,
    reported: readonly Reported[],
    moved: (pieces: readonly number[]) => void,
  ): void {
    this.#work(35 + 2 * reported.length, () => {
      const found = this.tracker.progress(slab, by, reported);
      if (found.length > 0) moved(found);
    });
  }

  gone(id: MemberId): void {
    this.#work(35, () => this.tracker.gone(id));
  }

  /** For another owner. */
  peek(slab: SlabWire, told: (rows: unknown) => void): void {
    this.#work(100, () => {
      this.#world.queue.unsettled();
      void this.#knowledge.tell(slab).then(told);
    });
  }

  /** Everybody who waits here notices in his own time. */
  stop(): void {
    this.stopped = true;
    for (const call of this.#open) call.broken();
    this.#open.clear();
  }

  #ask(to: MemberId, body: unknown): Promise<unknown> {
    const { network, queue } = this.#world;
    const there = this.#world.place(to);
    return new Promise((resolve, reject) => {
      const fail = () => {
        queue.unsettled();
        reject(new MeshError('Unreachable', `${to} does not answer.`));
      };
      network.send(
        this.member,
        there,
        () => {
          const other = this.#world.trackerAt(to);
          if (other === undefined) fail();
          else {
            other.peek((body as { slab: SlabWire }).slab, (rows) => {
              queue.after(network.oneWayMs(there, this.member), () => {
                queue.unsettled();
                resolve(JSON.parse(JSON.stringify(rows)));
              });
            });
          }
        },
        fail,
      );
    });
  }

  #probe(id: MemberId): void {
    this.#world.network.send(
      this.member,
      this.#world.place(id),
      () => this.tracker.cleared(id),
      () => {
        if (!this.stopped) this.tracker.gone(id);
      },
    );
  }

  #tickLater(): void {
    if (this.#ticking || this.stopped || this.tracker.busySlabs === 0) return;
    this.#ticking = true;
    this.#world.queue.after(TICK_MS, () => {
      this.#ticking = false;
      if (this.stopped) return;
      this.tracker.tick();
      this.#tickLater();
    });
  }
}

/** Of every piece the same bytes for everybody. */
function rootOf(piece: number): string {
  return piece.toString(16).padStart(64, '0');
}

function holdingsIn(state: SlabState | undefined): Holdings {
  if (state === undefined) return { roots: new Map(), rows: [] };
  return { roots: state.roots, rows: [...state.holders].map(([member, held]) => ({ member, held })) };
}
