// Which copies of a piece the mesh can do without. Pure. Only those who would be sent to count as holders.
import type { MemberBook, MemberState } from './member-book.ts';
import type { SlabState } from './slab-state.ts';

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
    if (!holder.gone && holder.suspectUntilMs <= nowMs) return true;
  }
  return false;
}
