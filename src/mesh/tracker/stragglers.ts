// Who is much slower than the others. Pure. Only comparisons count: where an origin is slow every lease is slow, and
// nobody is a straggler for it. What waits for its own source is not slow itself and says nothing.
import type { MemberId } from '../member.ts';
import type { Source } from './slab-state.ts';

export interface Transfer {
  readonly to: MemberId;
  readonly from: Source;
  readonly bytes: number;
  /** For how long there was something to receive. */
  readonly activeMs: number;
  readonly waiting: boolean;
}

export interface Stragglers {
  /** Receive so slowly, from everybody, that nobody should depend on them. */
  readonly receivers: ReadonlySet<MemberId>;
  /** Give so slowly, compared with what the same receivers get from others, that they should give less. */
  readonly givers: ReadonlySet<MemberId>;
}

/** What had something to receive for a shorter time tells nothing. */
const TELLING_MS = 1_500;
/** Slower than the others' middle by this factor. */
const FACTOR = 4;
/** Fewer others are no crowd to be compared with. */
const OTHERS = 2;

/** Bytes in the last seconds, over all transfers. */
export interface InAll {
  got(member: MemberId): number;
  gave(member: MemberId): number;
}

export function findStragglers(transfers: readonly Transfer[], inAll: InAll): Stragglers {
  const telling = transfers.filter(({ activeMs, waiting }) => activeMs >= TELLING_MS && !waiting);
  const receiving = new Map([...grouped(telling, ({ to }) => to)].map(([to, own]) => [to, middle(own.map(rate))]));
  return {
    receivers: alsoInAll(receiving, (id) => inAll.got(id)),
    givers: alsoInAll(sharesGiven(telling, receiving), (id) => inAll.gave(id)),
  };
}

/** What members get from each giver, as a share of what they get from others. */
function sharesGiven(telling: readonly Transfer[], receiving: ReadonlyMap<MemberId, number>): Map<MemberId, number> {
  const shares = new Map<MemberId, number>();
  for (const [from, given] of grouped(telling, ({ from }) => from)) {
    if (from === 'origin') continue;
    shares.set(from, middle(given.map((transfer) => rate(transfer) / (receiving.get(transfer.to) || 1))));
  }
  return shares;
}

/**
 * Far below the others by its transfers, and in all. Whoever gives much has a full wire: each of its receivers gets
 * little of it, and none is served better elsewhere. And of whoever gets much, only what is slow lasts for long.
 */
function alsoInAll(values: ReadonlyMap<MemberId, number>, bytesOf: (member: MemberId) => number): Set<MemberId> {
  const below = farBelow(values);
  if (below.size === 0) return below;
  const belowInAll = farBelow(new Map([...values.keys()].map((id) => [id, bytesOf(id)])));
  return new Set([...below].filter((id) => belowInAll.has(id)));
}

/** Each compared with the middle of the others. */
function farBelow(values: ReadonlyMap<MemberId, number>): Set<MemberId> {
  const others = values.size - 1;
  if (others < OTHERS) return new Set();
  const sorted = [...values.values()].sort((left, right) => left - right);
  const at = Math.floor((others - 1) / 2);
  // Without the one who is compared all above it move down by a place.
  const [lower, upper] = [sorted[at] ?? 0, sorted[at + 1] ?? 0];
  return new Set(
    [...values].filter(([, value]) => value * FACTOR < (value <= lower ? upper : lower)).map(([id]) => id),
  );
}

/** Bytes a millisecond. */
function rate({ bytes, activeMs }: Transfer): number {
  return bytes / activeMs;
}

function grouped<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
