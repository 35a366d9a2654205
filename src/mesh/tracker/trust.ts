// Whom a tracker sends others to, by what is said of it. What one member says counts for that member alone, however often
// it says it; what two say counts for everybody, until the one they complain of has answered a question. Pure.
import type { MemberId } from '../member.ts';
import type { MemberState } from './member-book.ts';

export interface Doubt {
  readonly by: MemberId;
  readonly untilMs: number;
}

/** Of them together, whatever each says. */
const DOUBTERS = 2;
const DOUBTED_MS = 5_000;
const LIES = 3;
const BANNED_MS = 60_000;
/** Members whose word on one other is kept. */
const HEARD = 8;

export function isTrusted(member: MemberState, by: MemberId, nowMs: number): boolean {
  if (member.gone) return false;
  if (member.doubts.length === 0 && member.lies.length === 0) return true;
  const doubts = member.doubts.filter(({ untilMs }) => untilMs > nowMs);
  if (doubts.length >= DOUBTERS || doubts.some((doubt) => doubt.by === by)) return false;
  const lies = member.lies.filter(({ untilMs }) => untilMs > nowMs);
  if (lies.length < LIES) return true;
  const accusers = new Set(lies.map((lie) => lie.by)).size;
  return accusers < DOUBTERS && lies.every((lie) => lie.by !== by);
}

/** It gave this member no answer. True: nobody had said so lately. */
export function noteDoubt(member: MemberState, by: MemberId, nowMs: number): boolean {
  const others = member.doubts.filter((doubt) => doubt.untilMs > nowMs && doubt.by !== by);
  const isNew = others.length === 0 && !member.doubts.some((doubt) => doubt.untilMs > nowMs);
  member.doubts = [...others, { by, untilMs: nowMs + DOUBTED_MS }].slice(-HEARD);
  return isNew;
}

/** It gave this member bytes that were not what their digest names. */
export function noteLie(member: MemberState, by: MemberId, nowMs: number): void {
  const recent = member.lies.filter(({ untilMs }) => untilMs > nowMs);
  const own = recent.filter((lie) => lie.by === by);
  // So that nobody's word drives out another's.
  const left = own.length < LIES ? recent : recent.filter((lie) => lie !== own[0]);
  member.lies = [...left, { by, untilMs: nowMs + BANNED_MS }].slice(-HEARD * LIES);
}
