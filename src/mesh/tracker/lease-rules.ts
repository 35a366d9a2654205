// Whether a member is the one to read a piece from its origin, when nobody has it. Pure. Leases spread: nobody gets many
// while others want some, and those that read side by side take turns.
import type { MemberId } from '../member.ts';
import type { MemberBook } from './member-book.ts';
import type { SlabState, Waiter } from './slab-state.ts';

export interface LeaseRules {
  /** Pieces of one slab that one member reads from the origin at once, while others want them too. */
  readonly leases: number;
  /** How often gateways say what is on its way to them, or half as often. */
  readonly progressMs: number;
}

/** How long a lone reader waits for others to take their share of the leases. */
const SPREAD_MS = 30;
/** Nobody waits longer than this for a piece that nobody reads, whatever his share, or that only somebody he cannot reach reads. */
export const PATIENCE_MS = 1_000;
/** On its way, and through a process that is starved. */
const LATE_MS = 100;
/** Who was sent for something that is being read so lately reads side by side with others. */
const HERD_MS = 2_000;
/** Of whoever is ahead of those while none of them asks: with the next one begun the origin sends on when one has come. */
const AHEAD_LEASES = 2;
/** Of those, looked at to see who had less, or holds less. */
const COMPARED = 32;
/** Pieces: whoever holds so many more than all others who read beside it came before them, and leads. */
const LEAD = 6;

/** `alone`: this gateway is the whole mesh. */
export function mayRead(
  slab: SlabState,
  members: MemberBook,
  waiter: Pick<Waiter, 'piece' | 'by' | 'inPlaceOf' | 'sinceMs'>,
  now: { readonly nowMs: number; readonly alone: boolean },
  rules: LeaseRules,
): boolean {
  const { nowMs, alone } = now;
  const by = members.get(waiter.by);
  const waitedMs = nowMs - waiter.sinceMs;
  const othersAsk = slab.askers.size > 1 || !slab.askers.has(by.id);
  if (alone) return true;
  const leases = slab.leases(by.id);
  const isPatient = waitedMs >= PATIENCE_MS;
  // Who should have been asked is there, if slow, and may just have sent somebody, who is about to say so here too: whoever
  // reads calls its trackers at least so often.
  const thereMs = 2 * rules.progressMs + LATE_MS;
  const isDeputy = waiter.inPlaceOf.some((id) => nowMs - members.get(id).calledMs < thereMs);
  if (isDeputy && !isPatient) return false;
  if (!othersAsk && waitedMs >= SPREAD_MS) return isPatient || leases < rules.leases;
  if (by.slowUntilMs > nowMs) return isPatient && leases === 0;
  // Who came first wants all of it soonest; what others read in its place it gets by wires that are full of their wants.
  const herd = herdOf(slab, members, nowMs);
  const leader = leaderOf(slab, herd);
  if (leader === by.id) return leases < rules.leases;
  if (leader !== undefined && slab.waits(leader, waiter.piece)) return isPatient && leases === 0;
  // Who reads the origin gets ahead of those that wait for him, until he alone reads it and all of them wait for what he
  // can give. So they stay side by side: whoever had more than his share lets the others come up.
  if (hasMoreThan(herd, slab, by.id)) return isPatient && leases < AHEAD_LEASES;
  // Who has not brought one home yet may be slow: he gets one to begin with.
  return leases < (isPatient ? rules.leases : Math.min(rules.leases, 1 + by.leasesDone));
}

function hasMoreThan(herd: readonly MemberId[], slab: SlabState, member: MemberId): boolean {
  return slab.share(member) > Math.min(...herd.map((id) => slab.share(id))) + 1;
}

/** Undefined: those who read side by side came at about the same time, or only one does. */
function leaderOf(slab: SlabState, herd: readonly MemberId[]): MemberId | undefined {
  let leader: MemberId | undefined;
  let [most, next] = [-1, -1];
  for (const id of herd) {
    const held = slab.holders.get(id)?.count ?? 0;
    if (held > most) [leader, most, next] = [id, held, most];
    else next = Math.max(next, held);
  }
  return next >= 0 && most > next + LEAD ? leader : undefined;
}

/** Of those who read side by side, some, and none that is slow. */
function herdOf(slab: SlabState, members: MemberBook, nowMs: number): MemberId[] {
  const herd: MemberId[] = [];
  for (const [id, sentMs] of slab.herd) {
    if (nowMs - sentMs > HERD_MS) slab.herd.delete(id);
    else if (members.get(id).slowUntilMs <= nowMs) herd.push(id);
    if (herd.length >= COMPARED) break;
  }
  return herd;
}
