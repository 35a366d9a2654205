// One piece on its way here, as trackers of one level know it: asks them where to get it, tells them that it is still at
// it, and announces the piece when it is whole.
import type { Background } from '../concurrency/background.ts';
import { isBefore, type Urgency } from '../concurrency/haste.ts';
import { type Piece, pieceLength } from '../pieces/piece.ts';
import type { Feed } from '../pieces/piece-feed.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import type { Claim, ClaimProgress, Whereabouts } from './directory.ts';
import { LoanError, type PieceBorrower } from './exchange/piece-borrower.ts';
import { rootOf } from './exchange/proof.ts';
import type { ProofBook } from './exchange/proof-book.ts';
import type { Member, MemberId } from './member.ts';
import type { Slab } from './slab.ts';
import type { Proof, Source } from './tracker/slab-state.ts';
import type { Complaint, Reported } from './tracker/tracker-calls.ts';
import type { Decided } from './tracker/tracker-wire.ts';
import type { TrackerClient } from './tracker-client.ts';

/** Why a piece comes from elsewhere: what was wrong with its source, a better one, or that no tracker answers. */
export type Detour = Complaint | 'slow' | 'alone';

export interface PieceClaimDeps {
  readonly self: Member;
  readonly trackers: TrackerClient;
  readonly borrower: PieceBorrower;
  readonly proofs: ProofBook;
  readonly store: Pick<PieceStore, 'blockSize' | 'blocks' | 'digests'>;
  readonly background: Background;
  /** Nobody else is there to hear what is held. */
  readonly alone: () => boolean;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
  readonly detoured: (reason: Detour) => void;
  /** Another gateway sent bytes that were not those of the piece, or nothing that proves them. */
  readonly unproved: (event: { readonly from: MemberId; readonly key: string; readonly error: unknown }) => void;
}

/** Which trackers a claim is for. */
export interface ClaimLevel {
  /** Of the piece, as they know it. */
  readonly slabOf: (piece: Piece) => Slab;
  /** What their lease is for: to read the piece from its origin, or to bring it into the zone from wherever it is. */
  readonly lease: 'origin' | 'zone';
}

export interface PieceClaimOptions extends ClaimLevel {
  readonly maxSources: number;
  /** The trackers are to hear of it at once. */
  readonly changed: () => void;
  readonly ended: () => void;
}

export type Placed = Whereabouts & {
  /** What blocks from there are proved by. */
  readonly proof: Proof;
};

/** A piece that was moved stays where it is for so long, and twice as long after each further move. */
const STAY_MS = 1_000;
/** A block that has begun to come may take so long. */
const FINISH_MS = 1_000;

export class PieceClaim implements Claim {
  readonly slab: Slab;
  /** Within the slab. */
  readonly index: number;
  readonly #deps: PieceClaimDeps;
  readonly #piece: Piece;
  readonly #progress: ClaimProgress;
  readonly #options: PieceClaimOptions;
  readonly #avoid = new Set<MemberId>();
  #source: Source | undefined;
  #proof: Proof | undefined;
  #waiting = false;
  #moving = new AbortController();
  #ended = false;
  #reportedBytes = 0;
  #wantsToMove = false;
  #moves = 0;
  #mayMoveMs = 0;
  /** How urgent it was when somebody to whom it still arrives was asked for it. */
  #askedAs: Urgency | undefined;

  constructor(deps: PieceClaimDeps, piece: Piece, progress: ClaimProgress, options: PieceClaimOptions) {
    this.#deps = deps;
    this.#piece = piece;
    this.#progress = progress;
    this.#options = options;
    this.slab = options.slabOf(piece);
    this.index = piece.index - this.slab.first;
  }

  /** Undefined: nothing is on its way. */
  get source(): Source | undefined {
    return this.#source;
  }

  /** The origin sends it, asked or unasked. */
  readsOrigin(): void {
    this.#reads('origin');
    this.#deps.proofs.of(this.#piece).isReader = true;
    this.#options.changed();
  }

  /** It comes into the zone by way of this gateway, from wherever: others of the zone prove it by this. */
  brings(proof: Proof): void {
    if (this.#source !== 'origin') this.#reads('origin');
    this.#proof = proof;
    this.#options.changed();
  }

  report(): Reported | undefined {
    if (this.#source === undefined) return undefined;
    const { bytes } = this.#progress;
    // A reader of the origin to whom nothing has come since the last report waits for the origin.
    const idle = this.#source === 'origin' ? bytes === this.#reportedBytes : this.#waiting;
    this.#reportedBytes = bytes;
    const proof = this.#source === 'origin' && this.#proof !== undefined ? { proof: this.#proof } : {};
    return { piece: this.index, source: this.#source, bytes, waiting: idle, ...proof };
  }

  /** The tracker knows a better source than the one that sends now: once its block has come, or does not come. */
  move(): void {
    if (this.#source === 'origin' || this.#deps.now() < this.#mayMoveMs) return;
    this.#mayMoveMs = this.#deps.now() + STAY_MS * 2 ** this.#moves;
    this.#moves += 1;
    const moving = this.#moving;
    this.#wantsToMove = true;
    if (this.#waiting) moving.abort();
    else setTimeout(() => moving.abort(), FINISH_MS).unref();
  }

  /** A client waits for it who did not when its source was asked: the source is asked again, and hears of it. */
  hurry(): void {
    if (this.#isMoreUrgent) this.#moving.abort();
  }

  get #isMoreUrgent(): boolean {
    return this.#askedAs !== undefined && isBefore(this.#progress.urgency, this.#askedAs);
  }

  async acquire(signal: AbortSignal): Promise<Placed> {
    this.#source = undefined;
    for (;;) {
      signal.throwIfAborted();
      const decided = await this.#ask(signal);
      if (decided === 'again') continue;
      if (decided === 'leased') {
        if (this.#options.lease === 'origin') this.readsOrigin();
        else this.#reads('origin');
        return { kind: 'leased', proof: { readerKeys: [this.#deps.self.key] } };
      }
      this.#reads(decided.from, decided.arriving);
      return {
        kind: 'held',
        proof: decided.proof,
        bring: (feed, endBlock, until) => this.#bring(decided, feed, endBlock, until),
      };
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

  /** `waiting`: until its source has something to send. */
  #reads(source: Source, waiting = false): void {
    this.#source = source;
    this.#waiting = waiting;
    this.#moving = new AbortController();
    this.#wantsToMove = false;
  }

  /** Nobody answers, or everybody failed: the origin is always there, and so are the trackers of the mesh for a zone. */
  async #ask(signal: AbortSignal): Promise<'leased' | 'again' | (Decided & { kind: 'held' })> {
    if (this.#avoid.size >= this.#options.maxSources) return 'leased';
    const wish = { slab: this.slab, piece: this.index, avoid: [...this.#avoid], signal };
    const decided = await this.#deps.trackers.acquire(wish);
    signal.throwIfAborted();
    if (decided === 'alone' && this.#options.lease === 'origin') this.#deps.detoured('alone');
    if (decided === 'alone' || decided.kind === 'leased') return 'leased';
    return decided.kind === 'again' ? 'again' : decided;
  }

  async #bring(decided: Decided & { kind: 'held' }, feed: Feed, endBlock: number, signal: AbortSignal): Promise<void> {
    const { from, proof } = decided;
    const moving = this.#moving.signal;
    this.#askedAs = decided.arriving ? this.#progress.urgency : undefined;
    const loan = {
      from,
      proof: { root: proof.root, readerKeys: proof.readerKeys },
      arriving: decided.arriving,
      urgency: this.#progress.urgency,
      waiting: (isWaiting: boolean) => {
        this.#waiting = isWaiting;
        if (isWaiting && this.#wantsToMove) this.#moving.abort();
      },
    };
    try {
      await this.#deps.borrower.borrow(this.#piece, endBlock, feed, loan, AbortSignal.any([signal, moving]));
    } catch (error) {
      signal.throwIfAborted();
      feed.signal.throwIfAborted();
      if (moving.aborted) {
        if (!this.#isMoreUrgent) this.#deps.detoured('slow');
        return;
      }
      if (!(error instanceof LoanError)) throw error;
      this.#blame(from, error);
    } finally {
      this.#askedAs = undefined;
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
export async function announceWhole(
  { store, trackers }: Pick<PieceClaimDeps, 'store' | 'trackers'>,
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
