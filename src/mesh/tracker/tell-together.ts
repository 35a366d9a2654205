// What is told to a tracker within a moment, in as few entries as say it.
import { SLAB_PIECES, type Slab } from '../slab.ts';
import type { Announced } from './tracker-calls.ts';
import type { SlabWire, Tell } from './tracker-wire.ts';

type Told = Tell['slabs'][number];

export interface ToldOf {
  readonly slab: Slab;
  readonly told: Omit<Told, 'slab'>;
}

/** What is held of a slab goes together; the order of what is told of one slab stays. */
export function together(items: readonly ToldOf[]): Told[] {
  const all: Told[] = [];
  const rooms = new Map<string, Announced[]>();
  for (const { slab, told } of items) {
    const { held, dropped, released } = told;
    const isOnlyHeld = dropped === undefined && released === undefined;
    const room = isOnlyHeld ? rooms.get(slab.key) : undefined;
    if (held !== undefined && room !== undefined && room.length + held.length <= SLAB_PIECES) {
      room.push(...held);
      continue;
    }
    const list = held && [...held];
    all.push({ ...told, slab: wire(slab), ...(list && { held: list }) });
    if (list !== undefined && isOnlyHeld) rooms.set(slab.key, list);
    else rooms.delete(slab.key);
  }
  return all;
}

export function wire({ key, ownerKey, pieces }: Slab): SlabWire {
  return { key, ownerKey, pieces };
}
