// What a tracker knows of each member beyond what it holds: how much it gives, how it behaves.
import type { Member, MemberId } from '../member.ts';
import type { Doubt } from './trust.ts';

export interface MemberState {
  readonly id: MemberId;
  /** As it last showed itself; undefined: it never called, others name it. */
  about: Member | undefined;
  /** Pieces it gives now, by this tracker's word. */
  uploads: number;
  /** Pieces that this tracker has ever sent others to it for. */
  given: number;
  /** Bytes that others got from it. */
  gave: Flow;
  /** Bytes that it got from anybody. */
  got: Flow;
  /** Leases it brought home. */
  leasesDone: number;
  /** Who says that it gave bytes that were not what their digest names; the last last. */
  lies: readonly Doubt[];
  /** Not answering: its rows count for nothing until it calls again. */
  gone: boolean;
  /** Who says that it does not answer. */
  doubts: readonly Doubt[];
  /** When it last called. */
  calledMs: number;
  /** When it last answered a question whether it is there. */
  answeredMs: number;
  /** It cannot give until then. */
  busyUntilMs: number;
  /** Others go first until then. */
  slowUntilMs: number;
  /** How often in a row it was found slow again soon after others had gone first for a while. */
  slowTimes: number;
}

const NONE: readonly Doubt[] = [];

/** Bytes, and when they were reckoned: they count less the longer ago they were. */
interface Flow {
  readonly bytes: number;
  readonly atMs: number;
}

const NO_FLOW: Flow = { bytes: 0, atMs: 0 };

export interface MemberBookOptions {
  /** Of those who have called, and of those whom others have named, each. */
  readonly maxMembers: number;
}

/** Past the limit those are forgotten of whom nothing was heard for longest. They call again, or are asked again. */
export class MemberBook {
  readonly #options: MemberBookOptions;
  /** The one heard of last is last. */
  readonly #called = new Map<MemberId, MemberState>();
  /** Apart, so that nobody can have those forgotten who call by naming others who do not exist. */
  readonly #named = new Map<MemberId, MemberState>();

  constructor(options: MemberBookOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#called.size + this.#named.size;
  }

  get(id: MemberId): MemberState {
    const known = this.#called.get(id) ?? this.#named.get(id);
    if (known !== undefined) return known;
    const member = newMember(id);
    this.#named.set(id, member);
    this.#forgetOldest(this.#named);
    return member;
  }

  /** It has just called: whatever was said of it, it is there. */
  seen(about: Member, nowMs: number): MemberState {
    const { id } = about;
    const member = this.#called.get(id) ?? this.#named.get(id) ?? newMember(id);
    if (member.gone || member.about?.incarnation !== about.incarnation) {
      member.gone = false;
      member.doubts = NONE;
      member.leasesDone = 0;
    }
    member.about = about;
    member.calledMs = nowMs;
    this.#named.delete(id);
    this.#called.delete(id);
    this.#called.set(id, member);
    this.#forgetOldest(this.#called);
    return member;
  }

  /** Who gives something now is needed until it has ended; there are no more of these than there are transfers. */
  #forgetOldest(members: Map<MemberId, MemberState>): void {
    let left = members.size;
    for (const [id, member] of members) {
      if (members.size <= this.#options.maxMembers || left <= 1) return;
      left -= 1;
      members.delete(id);
      if (member.uploads > 0) members.set(id, member);
    }
  }
}

function newMember(id: MemberId): MemberState {
  return {
    id,
    about: undefined,
    uploads: 0,
    given: 0,
    gave: NO_FLOW,
    got: NO_FLOW,
    leasesDone: 0,
    lies: NONE,
    gone: false,
    doubts: NONE,
    calledMs: Number.NEGATIVE_INFINITY,
    answeredMs: Number.NEGATIVE_INFINITY,
    busyUntilMs: 0,
    slowUntilMs: 0,
    slowTimes: 0,
  };
}

/** Bytes count half after this time. */
const HALF_MS = 2_000;

export function lately({ bytes, atMs }: Flow, nowMs: number): number {
  return bytes * 0.5 ** ((nowMs - atMs) / HALF_MS);
}

export function grown(flow: Flow, bytes: number, nowMs: number): Flow {
  return { bytes: lately(flow, nowMs) + bytes, atMs: nowMs };
}

const SLOW_MS = 5_000;
/** Doubled so many times. */
const SLOW_TIMES = 4;
/** Who was not found slow for so long begins anew. */
const FORGIVEN_MS = 30_000;

/** Others go first for a while, and for longer each time: trying it again costs all of them what it is slow at. */
export function noteSlow(member: MemberState, nowMs: number): void {
  if (member.slowUntilMs > nowMs) return;
  const isAgain = member.slowUntilMs > 0 && nowMs - member.slowUntilMs < FORGIVEN_MS;
  member.slowTimes = isAgain ? Math.min(member.slowTimes + 1, SLOW_TIMES) : 0;
  member.slowUntilMs = nowMs + SLOW_MS * 2 ** member.slowTimes;
}
