// The directory over trackers of one level: the mesh's, or those of a zone (zoned-directory.ts puts the two together). Its
// claims say in one voice that they are still at it, and move when a tracker knows a better source.
import type { Piece } from '../pieces/piece.ts';
import type { ClaimProgress, Directory } from './directory.ts';
import { announceWhole, type ClaimLevel, PieceClaim, type PieceClaimDeps } from './piece-claim.ts';
import type { Slab } from './slab.ts';

export interface MeshDirectoryOptions extends ClaimLevel {
  /** How often the trackers are told that pieces are still on their way here. */
  readonly progressMs: number;
  /** Sources that fail for one piece before its origin is read. */
  readonly maxSources: number;
}

/** Trackers who hear of a piece so often on its way know enough of it. */
const REPORTS_PER_PIECE = 8;
/** Pieces over which it is reckoned how long one takes. */
const RECKONED = 8;

export class MeshDirectory implements Directory {
  readonly #deps: PieceClaimDeps;
  readonly #options: MeshDirectoryOptions;
  readonly #claims = new Set<PieceClaim>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  /** How long a piece takes to come, lately. */
  #pieceMs = 0;

  constructor(deps: PieceClaimDeps, options: MeshDirectoryOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  claim(piece: Piece, progress: ClaimProgress): PieceClaim {
    const { slabOf, lease, maxSources } = this.#options;
    const begunMs = this.#deps.now();
    const claim: PieceClaim = new PieceClaim(this.#deps, piece, progress, {
      slabOf,
      lease,
      maxSources,
      changed: () => this.#report([claim], 'all'),
      ended: () => {
        this.#claims.delete(claim);
        this.#pieceMs += (this.#deps.now() - begunMs - this.#pieceMs) / RECKONED;
      },
    });
    this.#claims.add(claim);
    this.#timer ??= setInterval(() => this.#tick(), this.#options.progressMs).unref();
    return claim;
  }

  adopted(piece: Piece, progress: ClaimProgress): PieceClaim {
    const claim = this.claim(piece, progress);
    claim.readsOrigin();
    return claim;
  }

  announce(pieces: readonly Piece[]): void {
    if (this.#deps.alone()) return;
    for (const piece of pieces) this.#deps.background.run('announce', this.tellHeld(piece));
  }

  /** To the owners of its slab; nothing where the shelf no longer has it. */
  async tellHeld(piece: Piece): Promise<void> {
    await announceWhole(this.#deps, this.#options.slabOf(piece), piece);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    for (const claim of this.#claims) claim.hurry();
    this.#ticks += 1;
    if (this.#claims.size === 0) this.close();
    else if (this.#ticks % 2 === 0) this.#report(this.#claims, 'all');
    else if (!this.#isSlow) this.#report(this.#claims, 'first');
  }

  /** Twice as many reports would tell little more, and on thin wires they are much of what comes to a tracker. */
  get #isSlow(): boolean {
    return this.#pieceMs > REPORTS_PER_PIECE * 2 * this.#options.progressMs;
  }

  #report(claims: Iterable<PieceClaim>, to: 'first' | 'all'): void {
    const bySlab = new Map<string, { slab: Slab; pieces: ReturnType<PieceClaim['report']>[] }>();
    for (const claim of claims) {
      if (claim.source === undefined) continue;
      const entry = bySlab.get(claim.slab.key) ?? { slab: claim.slab, pieces: [] };
      bySlab.set(claim.slab.key, entry);
      entry.pieces.push(claim.report());
    }
    this.#deps.trackers.progress(
      [...bySlab.values()].map(({ slab, pieces }) => ({ slab, pieces: pieces.filter((piece) => piece !== undefined) })),
      (moved) => {
        for (const { slab, pieces } of moved) this.#move(slab, pieces);
      },
      to,
    );
  }

  #move(slab: string, pieces: readonly number[]): void {
    for (const claim of this.#claims) {
      if (claim.slab.key === slab && pieces.includes(claim.index)) claim.move();
    }
  }
}
