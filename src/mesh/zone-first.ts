// Whether a gateway asks the trackers of its zone before those of the mesh. Gateways need not agree: whoever does not
// asks the mesh, which sends it to others of its zone as well as it knows them.
import type { ZoneKey } from './slab.ts';
import type { TrackerView } from './slab-owners.ts';

export type ZoneLevel = 'auto' | 'on' | 'off';

/** From so many trackers on one object that everybody wants at once is too much for its owner: see docs/SCALE.md. */
const AUTO_TRACKERS = 256;

export function asksZoneFirst(level: ZoneLevel, zone: ZoneKey | undefined, view: TrackerView): boolean {
  if (level === 'off' || zone === undefined) return false;
  if (level === 'auto' && view.trackers.length < AUTO_TRACKERS) return false;
  const near = view.within(zone).length;
  // A zone that is the whole mesh would only ask twice.
  return near > 0 && near < view.trackers.length;
}
