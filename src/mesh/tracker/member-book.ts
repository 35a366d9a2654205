// What a tracker knows of each member beyond what it holds: how much it gives, how it behaves.
import type { Member, MemberId } from '../member.ts';

export interface MemberState {
  readonly id: MemberId;
  /** As it last showed itself; undefined: it never called, others name it. */
  about: Member | undefined;
  /** Pieces it gives now, by this tracker's word. */
  uploads: number;
  /** Pieces that this tracker has ever sent others to it for. */
  given: number;
  /** Bytes that others got from it lately, and when that was reckoned: they count less the longer ago they were. */
  gaveBytes: number;
  gaveAtMs: number;
  /** Leases it brought home. */
  leasesDone: number;
  /** It gave bytes that were not what their digest names. */
  strikes: number;
  /** Not answering: its rows count for nothing until it calls again. */
  gone: boolean;
  /** Nobody is sent to it until then. */
  suspectUntilMs: number;
  /** It cannot give until then. */
  busyUntilMs: number;
  /** Others go first until then. */
  slowUntilMs: number;
}

export class MemberBook {
  readonly #members = new Map<MemberId, MemberState>();

  get(id: MemberId): MemberState {
    const known = this.#members.get(id);
    if (known !== undefined) return known;
    const member: MemberState = {
      id,
      about: undefined,
      uploads: 0,
      given: 0,
      gaveBytes: 0,
      gaveAtMs: 0,
      leasesDone: 0,
      strikes: 0,
      gone: false,
      suspectUntilMs: 0,
      busyUntilMs: 0,
      slowUntilMs: 0,
    };
    this.#members.set(id, member);
    return member;
  }

  /** It has just called: whatever was said of it, it is there. */
  seen(about: Member): MemberState {
    const member = this.get(about.id);
    if (member.gone || member.about?.incarnation !== about.incarnation) {
      member.gone = false;
      member.suspectUntilMs = 0;
      member.leasesDone = 0;
    }
    member.about = about;
    return member;
  }

  *[Symbol.iterator](): Generator<MemberState, void, undefined> {
    yield* this.#members.values();
  }
}

/** Bytes that a member gave count half after this time. */
const HALF_MS = 2_000;

/** What others got from it lately, in bytes. */
export function gaveLately(member: MemberState, nowMs: number): number {
  return member.gaveBytes * 0.5 ** ((nowMs - member.gaveAtMs) / HALF_MS);
}

export function noteGiven(member: MemberState, bytes: number, nowMs: number): void {
  member.gaveBytes = gaveLately(member, nowMs) + bytes;
  member.gaveAtMs = nowMs;
}
