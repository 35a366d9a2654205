// Who goes first where an origin's limits are reached. Looked at when there is room, not when somebody begins to wait:
// what was only read ahead may have become what a client waits for.
import type { ReadOptions } from '../backend.ts';

export type Priority = NonNullable<ReadOptions['priority']>;

const RANKS: Readonly<Record<Priority, number>> = { demand: 0, prefetch: 1, preheat: 2 };

/** Of those who wait, in the order in which they came; undefined of none. */
export function nextOf<Waiter extends { readonly priority: () => Priority }>(
  waiting: Iterable<Waiter>,
): Waiter | undefined {
  let next: { readonly waiter: Waiter; readonly rank: number } | undefined;
  for (const waiter of waiting) {
    const rank = RANKS[waiter.priority()];
    if (rank === 0) return waiter;
    if (next === undefined || rank < next.rank) next = { waiter, rank };
  }
  return next?.waiter;
}
