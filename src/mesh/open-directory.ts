// Puts the directory together: that of the mesh and that of the own zone, over the same trackers' client and the same
// exchange of pieces.
import type { Piece } from '../pieces/piece.ts';
import { MeshDirectory } from './mesh-directory.ts';
import type { PieceClaimDeps } from './piece-claim.ts';
import { type Slab, slabOf, zoneKey, zoneSlab } from './slab.ts';
import type { TrackerView } from './slab-owners.ts';
import { asksZoneFirst, type ZoneLevel } from './zone-first.ts';
import { ZonedDirectory } from './zoned-directory.ts';

export interface OpenDirectoryDeps extends PieceClaimDeps {
  readonly view: () => TrackerView;
}

export interface OpenDirectoryOptions {
  readonly progressMs: number;
  readonly zoneLevel: ZoneLevel;
}

export interface OpenedDirectory {
  readonly directory: ZonedDirectory;
  /** All that this gateway says of a piece is said of these: the mesh's, and the zone's where it is asked first. */
  readonly slabsOf: (piece: Piece) => readonly Slab[];
}

/** Sources that fail for one piece, at either level, before the next level is asked, or the origin. */
const MAX_SOURCES = 8;

export function openDirectory(deps: OpenDirectoryDeps, options: OpenDirectoryOptions): OpenedDirectory {
  const { self, store, view } = deps;
  const own = self.zone === undefined ? undefined : zoneKey(self.zone);
  const zoneFirst = () => asksZoneFirst(options.zoneLevel, own, view());
  const meshSlabOf = (piece: Piece) => slabOf(piece, store.blockSize);
  const zoneSlabOf = (piece: Piece) => zoneSlab(meshSlabOf(piece), own ?? '');
  const { progressMs } = options;
  const rules = { progressMs, maxSources: MAX_SOURCES };
  const mesh = new MeshDirectory(deps, { ...rules, slabOf: meshSlabOf, lease: 'origin' });
  const zone = new MeshDirectory(deps, { ...rules, slabOf: zoneSlabOf, lease: 'zone' });
  return {
    directory: new ZonedDirectory({ zone, mesh, zoneFirst, key: self.key }),
    slabsOf: (piece) => [meshSlabOf(piece), ...(zoneFirst() ? [zoneSlabOf(piece)] : [])],
  };
}
