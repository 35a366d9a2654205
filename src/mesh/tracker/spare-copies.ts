// Which copies of a piece the mesh can do without. Pure. Of whom anybody says that it does not answer is no holder.
import type { MemberBook, MemberState } from './member-book.ts';
import type { SlabState } from './slab-state.ts';
import { isTrusted } from './trust.ts';

export function isHeldByOthers(
  slab: SlabState,
  piece: number,
  by: MemberState,
  members: MemberBook,
  nowMs: number,
): boolean {
  const holding = slab.holding(piece);
  for (let step = 0; step < (holding?.size ?? 0); step += 1) {
    const id = holding?.at(step, 0);
    if (id === undefined || id === by.id) continue;
    const holder = members.get(id);
    const isDoubted = holder.doubts.some(({ untilMs }) => untilMs > nowMs);
    if (!isDoubted && isTrusted(holder, by.id, nowMs)) return true;
  }
  return false;
}
