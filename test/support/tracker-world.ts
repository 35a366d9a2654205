// A tracker on a clock that tests move, and members that ask it.
import type { Member, MemberId } from '../../src/mesh/member.ts';
import type { Decision } from '../../src/mesh/tracker/slab-state.ts';
import { Tracker, type TrackerOptions } from '../../src/mesh/tracker/tracker.ts';
import { seeded } from './seeded.ts';

export const TRACKER_OPTIONS: TrackerOptions = {
  uploadSlots: 4,
  leases: 4,
  progressMs: 500,
  silenceMs: 1500,
  maxSlabs: 100,
  maxMembers: 100,
};
const TICK_MS = 100;

export interface Asking {
  /** What was decided so far, by piece. */
  readonly decided: Map<number, Decision>;
  leave(): void;
}

export class TrackerWorld {
  nowMs = 1_000_000;
  readonly slab = { key: `${'0'.repeat(40)}.1.0`, pieces: 256 };
  readonly suspected: MemberId[] = [];
  readonly changed: { slab: string; member: MemberId }[] = [];
  readonly tracker: Tracker;
  alone = false;
  readonly #members = new Map<MemberId, Member>();

  constructor(options: Partial<TrackerOptions> = {}, random: () => number = seeded(1)) {
    this.tracker = new Tracker(
      {
        now: () => this.nowMs,
        random,
        alone: () => this.alone,
        suspected: (member) => this.suspected.push(member),
        changed: (slab, member) => this.changed.push({ slab, member }),
      },
      { ...TRACKER_OPTIONS, ...options },
    );
  }

  member(id: MemberId, about: Partial<Member> = {}): Member {
    const known = this.#members.get(id);
    if (known !== undefined && Object.keys(about).length === 0) return known;
    const member = { id, role: 'tracker' as const, zone: undefined, incarnation: '1', key: `key of ${id}`, ...about };
    this.#members.set(id, member);
    return member;
  }

  ask(
    id: MemberId,
    pieces: readonly number[],
    avoid: readonly MemberId[] = [],
    inPlaceOf: readonly MemberId[] = [],
  ): Asking {
    const decided = new Map<number, Decision>();
    const asked = { slab: this.slab, pieces, avoid, inPlaceOf };
    const leave = this.tracker.acquire(asked, this.member(id), (piece, decision) => decided.set(piece, decision));
    return { decided, leave };
  }

  /** Answers what was decided at once for one piece. */
  askOne(id: MemberId, piece: number, avoid: readonly MemberId[] = []): Decision | undefined {
    return this.ask(id, [piece], avoid).decided.get(piece);
  }

  announce(id: MemberId, pieces: readonly number[], root: (piece: number) => string = rootOf): number[] {
    const announced = pieces.map((piece) => ({ piece, root: root(piece) }));
    return this.tracker.announce(this.slab, this.member(id), announced);
  }

  /** It is still at it; by default the source is the one that the tracker knows. */
  progress(id: MemberId, piece: number, bytes: number, more: { source?: string; waiting?: boolean } = {}): number[] {
    const source = more.source ?? this.sourceOf(id, piece) ?? 'origin';
    return this.tracker.progress(this.slab, this.member(id), [
      { piece, source, bytes, waiting: more.waiting ?? false },
    ]);
  }

  sourceOf(id: MemberId, piece: number): string | undefined {
    return this.tracker.find(this.slab.key)?.receivers(piece)?.get(id)?.source;
  }

  /** Time goes by, with the ticks of who runs the tracker; `each` is called after every one. */
  pass(ms: number, each: () => void = () => undefined): void {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.nowMs += Math.min(TICK_MS, left);
      this.tracker.tick();
      each();
    }
  }
}

export function rootOf(piece: number): string {
  return piece.toString(16).padStart(64, '0');
}
