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

export function findStragglers(transfers: readonly Transfer[]): Stragglers {
  const telling = transfers.filter(({ activeMs }) => activeMs >= TELLING_MS);
  const running = telling.filter(({ waiting }) => !waiting);
  return { receivers: slowReceivers(running), givers: slowGivers(running) };
}

function slowReceivers(running: readonly Transfer[]): Set<MemberId> {
  const byReceiver = grouped(running, ({ to }) => to);
  const middles = new Map([...byReceiver].map(([member, own]) => [member, middle(own.map(rate))]));
  const totals = new Map([...byReceiver].map(([member, own]) => [member, sum(own.map(rate))]));
  const slowInTotal = farBelow(totals);
  return new Set([...farBelow(middles)].filter((member) => slowInTotal.has(member)));
}

/** Who gives much in all has a full wire: each of his receivers gets little of it, and none is served better elsewhere. */
function slowGivers(running: readonly Transfer[]): Set<MemberId> {
  const middles = new Map([...grouped(running, ({ to }) => to)].map(([to, own]) => [to, middle(own.map(rate))]));
  const shares = new Map<MemberId, number>();
  const totals = new Map<MemberId, number>();
  for (const [from, given] of grouped(running, ({ from }) => from)) {
    if (from === 'origin') continue;
    shares.set(from, middle(given.map((transfer) => rate(transfer) / (middles.get(transfer.to) || 1))));
    totals.set(from, sum(given.map(rate)));
  }
  const slowInTotal = farBelow(totals);
  return new Set([...farBelow(shares)].filter((member) => slowInTotal.has(member)));
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
