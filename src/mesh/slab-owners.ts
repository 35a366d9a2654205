// Who answers for a slab. The mesh's: the first of all trackers by rank, and then one of another zone, so that no zone
// takes all that is known of a slab with it. A zone's: the first of its own trackers. Where trackers are is what each
// gateway has learnt of them, and not on the list that all share: of who disagree one asks in vain, or asks the mesh for
// what its zone would have known, and no more than that. The owners of names never depend on it.
import { hash } from 'node:crypto';
import type { MemberId } from './member.ts';
import { owners } from './rendezvous.ts';
import { type Slab, type ZoneKey, zoneKey, zoneOfSlab } from './slab.ts';

/** Ranks that are ever asked for, and among which one of another zone is looked for. */
export const RANKS = 6;
/** Of a zone's trackers: where these do not answer, the mesh's are asked. */
export const ZONE_RANKS = 3;

/** The list of trackers, with the zones that are known. It never changes; there is another one instead. */
export class TrackerView {
  readonly trackers: readonly MemberId[];
  /** Views with the same trackers in the same zones have the same. */
  readonly hash: string;
  readonly #zones = new Map<MemberId, ZoneKey>();
  readonly #byZone = new Map<ZoneKey, MemberId[]>();

  /** `zoneOf`: undefined where it is in none, or nobody knows. */
  constructor(trackers: readonly MemberId[], zoneOf: (id: MemberId) => string | undefined = () => undefined) {
    this.trackers = trackers;
    for (const id of trackers) {
      const zone = zoneOf(id);
      if (zone !== undefined) this.#add(id, zoneKey(zone));
    }
    const lines = trackers.map((id) => `${id} ${this.#zones.get(id) ?? ''}`);
    this.hash = hash('sha256', lines.join('\n'), 'hex').slice(0, 16);
  }

  get zones(): readonly ZoneKey[] {
    return [...this.#byZone.keys()];
  }

  zoneOf(id: MemberId): ZoneKey | undefined {
    return this.#zones.get(id);
  }

  within(zone: ZoneKey): readonly MemberId[] {
    return this.#byZone.get(zone) ?? [];
  }

  #add(id: MemberId, zone: ZoneKey): void {
    this.#zones.set(id, zone);
    const near = this.#byZone.get(zone);
    if (near === undefined) this.#byZone.set(zone, [id]);
    else near.push(id);
  }
}

/** In order of their rank; the first decides. */
export function slabOwners({ key, ownerKey }: Pick<Slab, 'key' | 'ownerKey'>, view: TrackerView): MemberId[] {
  const zone = zoneOfSlab(key);
  if (zone !== undefined) return owners(ownerKey, view.within(zone), ZONE_RANKS);
  return spread(owners(ownerKey, view.trackers, RANKS), view);
}

/** The second is the first that is known to be in another zone than the first. */
function spread(ranked: readonly MemberId[], view: TrackerView): MemberId[] {
  const [first, ...next] = ranked;
  if (first === undefined) return [];
  const zone = view.zoneOf(first);
  const elsewhere = next.find((id) => zone !== undefined && (view.zoneOf(id) ?? zone) !== zone);
  if (elsewhere === undefined) return [first, ...next];
  return [first, elsewhere, ...next.filter((id) => id !== elsewhere)];
}
