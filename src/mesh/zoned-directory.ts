// The directory of a gateway that asks the trackers of its zone first. Who gets the zone's lease of a piece asks those of
// the mesh, for whom it is one among others; for its zone it is the one that brings the piece in. So a piece leaves the
// origin once and comes into a zone once, and however many ask for it, the mesh's trackers hear of a few from each zone.
// A zone whose trackers do not answer is as good as none.
import type { Piece } from '../pieces/piece.ts';
import type { Claim, ClaimProgress, Directory, Whereabouts } from './directory.ts';
import type { MeshDirectory } from './mesh-directory.ts';
import type { PieceClaim } from './piece-claim.ts';

export interface ZonedDirectoryDeps {
  readonly zone: MeshDirectory;
  readonly mesh: MeshDirectory;
  /** The zone has trackers, and they are to be asked first: it may change from one piece to the next. */
  readonly zoneFirst: () => boolean;
  /** What this gateway signs blocks with that it reads from an origin. */
  readonly key: string;
}

export class ZonedDirectory implements Directory {
  readonly #deps: ZonedDirectoryDeps;

  constructor(deps: ZonedDirectoryDeps) {
    this.#deps = deps;
  }

  claim(piece: Piece, progress: ClaimProgress): Claim {
    const { zone, mesh, zoneFirst } = this.#deps;
    const farClaim = () => mesh.claim(piece, progress);
    return zoneFirst() ? new ZonedClaim(zone.claim(piece, progress), farClaim) : farClaim();
  }

  adopted(piece: Piece, progress: ClaimProgress): Claim {
    const { zone, mesh, zoneFirst, key } = this.#deps;
    const far = mesh.adopted(piece, progress);
    if (!zoneFirst()) return far;
    const near = zone.claim(piece, progress);
    near.brings({ readerKeys: [key] });
    return new ZonedClaim(near, () => far, far);
  }

  announce(pieces: readonly Piece[]): void {
    const { zone, mesh, zoneFirst } = this.#deps;
    mesh.announce(pieces);
    if (zoneFirst()) zone.announce(pieces);
  }

  /** Held already: the zone's trackers answer whether those of the mesh are to know, too. */
  async tellHeld(piece: Piece): Promise<void> {
    const { zone, mesh, zoneFirst } = this.#deps;
    await (zoneFirst() ? zone : mesh).tellHeld(piece);
  }

  close(): void {
    this.#deps.zone.close();
    this.#deps.mesh.close();
  }
}

class ZonedClaim implements Claim {
  readonly #near: PieceClaim;
  readonly #farClaim: () => PieceClaim;
  /** Once this gateway has the zone's lease. */
  #far: PieceClaim | undefined;

  constructor(near: PieceClaim, farClaim: () => PieceClaim, far?: PieceClaim) {
    this.#near = near;
    this.#farClaim = farClaim;
    this.#far = far;
  }

  async acquire(signal: AbortSignal): Promise<Whereabouts> {
    if (this.#far === undefined) {
      const near = await this.#near.acquire(signal);
      if (near.kind === 'held') return near;
      this.#far = this.#farClaim();
    }
    const far = await this.#far.acquire(signal);
    this.#near.brings(far.proof);
    return far;
  }

  async end(): Promise<void> {
    await Promise.all([this.#near.end(), this.#far?.end()]);
  }
}
