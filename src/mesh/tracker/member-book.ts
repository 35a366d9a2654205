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
