// The directory over the mesh's trackers. A claim is one piece on its way here: it asks where to get it, tells the
// trackers that it is still at it, moves when they know a better source, and announces the piece when it is whole.
import type { Background } from '../concurrency/background.ts';
import { type Piece, pieceLength } from '../pieces/piece.ts';
import type { Feed } from '../pieces/piece-feed.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import type { Claim, ClaimProgress, Directory, Whereabouts } from './directory.ts';
import { LoanError, type PieceBorrower } from './exchange/piece-borrower.ts';
import { rootOf } from './exchange/proof.ts';
import type { ProofBook } from './exchange/proof-book.ts';
import type { MemberId } from './member.ts';
import { type Slab, slabOf } from './slab.ts';
import type { Source } from './tracker/slab-state.ts';
import type { Complaint } from './tracker/tracker-calls.ts';
import type { Decided } from './tracker/tracker-wire.ts';
import type { TrackerClient } from './tracker-client.ts';

/** Why a piece comes from elsewhere: what was wrong with its source, a better one, or that no tracker answers. */
export type Detour = Complaint | 'slow' | 'alone';

export interface MeshDirectoryDeps {
  readonly trackers: TrackerClient;
  readonly borrower: PieceBorrower;
  readonly proofs: ProofBook;
  readonly store: Pick<PieceStore, 'blockSize' | 'blocks' | 'digests'>;
  readonly background: Background;
  /** Nobody else is there to hear what is held. */
  readonly alone: () => boolean;
  readonly detoured: (reason: Detour) => void;
  /** Another gateway sent bytes that were not those of the piece, or nothing that proves them. */
  readonly unproved: (event: { readonly from: MemberId; readonly key: string; readonly error: unknown }) => void;
}

export interface MeshDirectoryOptions {
  /** How often the trackers are told that pieces are still on their way here. */
  readonly progressMs: number;
  /** Sources that fail for one piece before its origin is read. */
  readonly maxSources: number;
}

export class MeshDirectory implements Directory {
  readonly #deps: MeshDirectoryDeps;
  readonly #options: MeshDirectoryOptions;
  readonly #claims = new Set<PieceClaim>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: MeshDirectoryDeps, options: MeshDirectoryOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  claim(piece: Piece, progress: ClaimProgress): Claim {
    return this.#begin(piece, progress);
  }

  adopted(piece: Piece, progress: ClaimProgress): Claim {
    const claim = this.#begin(piece, progress);
    claim.reads('origin');
    this.#report();
    return claim;
  }

  announce(pieces: readonly Piece[]): void {
    if (this.#deps.alone()) return;
    for (const piece of pieces) this.#deps.background.run('announce', this.tellHeld(piece));
  }

  /** To the owners of its slab; nothing where the shelf no longer has it. */
  async tellHeld(piece: Piece): Promise<void> {
    await announceWhole(this.#deps, slabOf(piece, this.#deps.store.blockSize), piece);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #begin(piece: Piece, progress: ClaimProgress): PieceClaim {
    const claim: PieceClaim = new PieceClaim(this.#deps, piece, progress, {
      maxSources: this.#options.maxSources,
      leased: () => this.#report(claim),
      ended: () => this.#claims.delete(claim),
    });
    this.#claims.add(claim);
    this.#timer ??= setInterval(() => this.#tick(), this.#options.progressMs).unref();
    return claim;
  }

  #tick(): void {
    if (this.#claims.size > 0) this.#report();
    else this.close();
  }

  #report(only?: PieceClaim): void {
    const bySlab = new Map<string, { slab: Slab; pieces: ReturnType<PieceClaim['report']>[] }>();
    for (const claim of only === undefined ? this.#claims : [only]) {
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
    );
  }

  #move(slab: string, pieces: readonly number[]): void {
    for (const claim of this.#claims) {
      if (claim.slab.key === slab && pieces.includes(claim.index)) claim.move();
    }
  }
}

interface ClaimOptions {
  readonly maxSources: number;
  readonly leased: () => void;
  readonly ended: () => void;
}

class PieceClaim implements Claim {
  readonly slab: Slab;
  /** Within the slab. */
  readonly index: number;
  readonly #deps: MeshDirectoryDeps;
  readonly #piece: Piece;
  readonly #progress: ClaimProgress;
  readonly #options: ClaimOptions;
  readonly #avoid = new Set<MemberId>();
  #source: Source | undefined;
  #waiting = false;
  #moving = new AbortController();
  #ended = false;
  #reportedBytes = 0;

  constructor(deps: MeshDirectoryDeps, piece: Piece, progress: ClaimProgress, options: ClaimOptions) {
    this.#deps = deps;
    this.#piece = piece;
    this.#progress = progress;
    this.#options = options;
    this.slab = slabOf(piece, deps.store.blockSize);
    this.index = piece.index - this.slab.first;
  }

  /** Undefined: nothing is on its way. */
  get source(): Source | undefined {
    return this.#source;
  }

  /** `waiting`: until its source has something to send. */
  reads(source: Source, waiting = false): void {
    this.#source = source;
    this.#waiting = waiting;
    this.#moving = new AbortController();
    if (source === 'origin') this.#deps.proofs.of(this.#piece).isReader = true;
  }

  report() {
    if (this.#source === undefined) return undefined;
    const { bytes } = this.#progress;
    // A reader of the origin to whom nothing has come since the last report waits for the origin.
    const idle = this.#source === 'origin' ? bytes === this.#reportedBytes : this.#waiting;
    this.#reportedBytes = bytes;
    return { piece: this.index, source: this.#source, bytes, waiting: idle };
  }

  /** The tracker knows a better source than the one that sends now. */
  move(): void {
    if (this.#source !== 'origin') this.#moving.abort();
  }

  async acquire(signal: AbortSignal): Promise<Whereabouts> {
    this.#source = undefined;
    for (;;) {
      signal.throwIfAborted();
      const decided = await this.#ask(signal);
      if (decided === 'again') continue;
      if (decided === 'leased') {
        this.reads('origin');
        this.#options.leased();
        return { kind: 'leased' };
      }
      this.reads(decided.from, decided.arriving);
      return { kind: 'held', bring: (feed, endBlock, until) => this.#bring(decided, feed, endBlock, until) };
    }
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.ended();
    const isWhole = !this.#deps.alone() && this.#deps.store.blocks(this.#piece).isFull;
    if (isWhole && (await announceWhole(this.#deps, this.slab, this.#piece, this.#progress.bytes))) return;
    if (this.#source !== undefined) this.#deps.trackers.tell(this.slab, { released: [this.index] });
  }

  /** Nobody answers, or everybody failed: the origin is always there. */
  async #ask(signal: AbortSignal): Promise<'leased' | 'again' | (Decided & { kind: 'held' })> {
    if (this.#avoid.size >= this.#options.maxSources) return 'leased';
    const wish = { slab: this.slab, piece: this.index, avoid: [...this.#avoid], signal };
    const decided = await this.#deps.trackers.acquire(wish);
    signal.throwIfAborted();
    if (decided === 'alone') this.#deps.detoured('alone');
    if (decided === 'alone' || decided.kind === 'leased') return 'leased';
    return decided.kind === 'again' ? 'again' : decided;
  }

  async #bring(decided: Decided & { kind: 'held' }, feed: Feed, endBlock: number, signal: AbortSignal): Promise<void> {
    const { from, proof } = decided;
    const moving = this.#moving.signal;
    const loan = {
      from,
      proof: { root: proof.root, readerKeys: proof.readerKeys },
      arriving: decided.arriving,
      urgency: this.#progress.urgency,
      waiting: (isWaiting: boolean) => {
        this.#waiting = isWaiting;
      },
    };
    try {
      await this.#deps.borrower.borrow(this.#piece, endBlock, feed, loan, AbortSignal.any([signal, moving]));
    } catch (error) {
      signal.throwIfAborted();
      feed.signal.throwIfAborted();
      if (moving.aborted) {
        this.#deps.detoured('slow');
        return;
      }
      if (!(error instanceof LoanError)) throw error;
      this.#blame(from, error);
    }
  }

  #blame(holder: MemberId, error: LoanError): void {
    const { complaint } = error;
    // Who has no room, or nothing to prove the piece by yet, may have it in a moment; the tracker waits with him.
    if (complaint !== 'busy') this.#avoid.add(holder);
    if (complaint === 'unproved') this.#deps.unproved({ from: holder, key: this.#piece.version.key, error });
    this.#deps.detoured(complaint);
    this.#deps.trackers.complain(this.slab, { piece: this.index, holder, complaint });
  }
}

/** False: the shelf cannot tell the digests of its blocks. */
async function announceWhole(
  { store, trackers }: Pick<MeshDirectoryDeps, 'store' | 'trackers'>,
  slab: Slab,
  piece: Piece,
  cameBytes?: number,
): Promise<boolean> {
  const digests = await store.digests(piece);
  const blocks = Math.ceil(pieceLength(piece) / store.blockSize);
  if (digests === undefined || digests.blocks !== blocks) return false;
  const root = rootOf(digests, store.blockSize);
  trackers.tell(slab, { held: [{ piece: piece.index - slab.first, root, bytes: cameBytes }] });
  return true;
}
