// Gets a piece from another gateway, block by block as they come, each proved before anybody sees it: by the digests
// that the piece's root names, or by the signature of who reads it from its origin. Neither is taken on the word of the
// one who sends the bytes.
import type { Urgency } from '../../concurrency/haste.ts';
import { blockBytes, blockCount } from '../../pieces/blocks.ts';
import { BlockDigests } from '../../pieces/digests.ts';
import { type Piece, pieceLength } from '../../pieces/piece.ts';
import type { Feed } from '../../pieces/piece-feed.ts';
import { PieceError } from '../../pieces/piece-store.ts';
import type { MemberId } from '../member.ts';
import type { Proof } from '../tracker/slab-state.ts';
import type { Complaint } from '../tracker/tracker-calls.ts';
import { type ByteTarget, type MeshClient, MeshError, type MeshErrorCode } from '../transport.ts';
import { type Frame, FrameReader, type FrameTarget } from './frames.ts';
import { encodePieceRequest } from './piece-request.ts';
import { BlockVerifier, digestsOf } from './proof.ts';
import type { PieceProof, ProofBook } from './proof-book.ts';

export interface PieceBorrowerDeps {
  readonly client: Pick<MeshClient, 'bytes'>;
  readonly proofs: ProofBook;
  readonly received: (bytes: number, from: MemberId) => void;
  /** How long to wait for others where the limit is this. */
  readonly patience: (limitMs: number) => number;
}

export interface PieceBorrowerOptions {
  readonly blockSize: number;
  /** A sender from whom nothing comes for so long, not even that he waits, is given up. */
  readonly silenceMs: number;
}

export interface Loan {
  readonly from: MemberId;
  readonly proof: Proof;
  /** It is on its way to the sender too, who may have to wait. Who has all of it has nothing to wait for. */
  readonly arriving: boolean;
  readonly urgency: Urgency;
  /** Told whether the sender has nothing to send at the moment: of what is arriving there, not until a block is whole. */
  readonly waiting: (isWaiting: boolean) => void;
}

export class PieceBorrower {
  readonly #deps: PieceBorrowerDeps;
  readonly #options: PieceBorrowerOptions;

  constructor(deps: PieceBorrowerDeps, options: PieceBorrowerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Resolves when the feed has all that it promised. Rejects with LoanError otherwise; blocks that came stay, and the
   * feed may go on from elsewhere. `end`: the feed's last block, exclusive.
   */
  async borrow(piece: Piece, end: number, feed: Feed, loan: Loan, signal: AbortSignal): Promise<void> {
    const { blockSize, silenceMs } = this.#options;
    // What another source began of a block is dropped, so that the feed stands where a block begins.
    feed.from('peer', BlockDigests.empty(0));
    const first = end - blockCount(feed.remainingBytes, blockSize);
    const body = encodePieceRequest({
      piece,
      blockSize,
      blocks: { first, end },
      urgency: loan.urgency,
      knowsRoot: loan.proof.root !== undefined,
      knowsReaders: loan.proof.readerKeys.length > 0,
    });
    const silence = new Silence(this.#deps.patience(silenceMs));
    const both = AbortSignal.any([signal, silence.signal]);
    const receiving = new Receiving(piece, blockSize, end, feed, loan, this.#deps, both);
    const frames = new FrameReader(receiving, { maxBlocks: receiving.blocks });
    const into: ByteTarget = {
      space: () => silence.during(frames.space()),
      taken: (bytes) => {
        frames.taken(bytes);
        if (receiving.isGiving || loan.arriving) silence.hear();
      },
    };
    try {
      await this.#deps.client.bytes(loan.from, 'piece', body, into, both);
    } catch (error) {
      signal.throwIfAborted();
      if (silence.signal.aborted) throw new LoanError('silent', `${loan.from} says nothing.`, { cause: error });
      throw asLoanError(error, loan.from, receiving.hasBegun);
    } finally {
      silence.end();
      receiving.count();
    }
    if (feed.remainingBytes > 0) throw new LoanError('not-held', `${loan.from} did not send all of the piece.`);
  }
}

/** A piece did not come, or not all of it, from who was to lend it. */
export class LoanError extends Error {
  override readonly name = 'LoanError';
  /** What is to be said of the lender. */
  readonly complaint: Complaint;

  constructor(complaint: Complaint, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.complaint = complaint;
  }
}

/** What comes of one piece from one member. */
class Receiving implements FrameTarget {
  readonly blocks: number;
  readonly #piece: Piece;
  readonly #blockSize: number;
  readonly #feed: Feed;
  readonly #loan: Loan;
  readonly #received: PieceBorrowerDeps['received'];
  readonly #proof: PieceProof;
  readonly #digests: BlockDigests;
  readonly #signal: AbortSignal;
  /** Where the feed ends within the piece. */
  readonly #endBytes: number;
  #verifier: BlockVerifier | undefined;
  #isListed = false;
  /** Of the frame that is coming. */
  #leftBytes = 0;
  #uncountedBytes = 0;
  /** What came last was not only that there is nothing to give. */
  isGiving = true;
  /** Some of its bytes have come. */
  hasBegun = false;

  constructor(
    piece: Piece,
    blockSize: number,
    end: number,
    feed: Feed,
    loan: Loan,
    deps: Pick<PieceBorrowerDeps, 'proofs' | 'received'>,
    signal: AbortSignal,
  ) {
    this.#piece = piece;
    this.#blockSize = blockSize;
    this.#feed = feed;
    this.#loan = loan;
    this.#received = deps.received;
    this.#proof = deps.proofs.of(piece);
    this.#signal = signal;
    this.blocks = blockCount(pieceLength(piece), blockSize);
    this.#digests = BlockDigests.empty(this.blocks);
    this.#endBytes = Math.min(pieceLength(piece), end * blockSize);
    feed.from('peer', this.#digests);
  }

  frame(frame: Frame): void {
    this.isGiving = frame.kind !== 'waiting';
    if (frame.kind === 'waiting') this.#loan.waiting(true);
    if (frame.kind === 'digests') this.#list(frame.bytes);
    if (frame.kind === 'run' || frame.kind === 'signed') this.#checkPlace(frame);
    if (frame.kind === 'run' && !this.#isListed) throw unproved('Blocks came without anything that proves them.');
    if (frame.kind === 'signed') this.#checkSignature(frame);
    if (frame.kind === 'run' || frame.kind === 'signed') this.#begin(frame.lengthBytes);
  }

  space(): Uint8Array | Promise<void> {
    return this.#feed.space(this.#signal);
  }

  taken(bytes: number): void {
    this.hasBegun = true;
    this.#uncountedBytes += bytes;
    this.#leftBytes -= bytes;
    this.#feed.filled(bytes);
    if (this.#leftBytes > 0) return;
    this.count();
    if (this.#loan.arriving) this.#loan.waiting(true);
  }

  /** Once for each frame, and at the end: bytes come in thin streams of many reads. */
  count(): void {
    if (this.#uncountedBytes > 0) this.#received(this.#uncountedBytes, this.#loan.from);
    this.#uncountedBytes = 0;
  }

  #begin(lengthBytes: number): void {
    this.#leftBytes = lengthBytes;
    this.#loan.waiting(false);
  }

  #list(bytes: Buffer): void {
    const { root } = this.#loan.proof;
    const digests = root === undefined ? undefined : digestsOf(root, bytes, this.#blockSize);
    if (digests?.blocks !== this.blocks) throw unproved('The digests that came are not those that the tracker names.');
    this.#digests.bytes.set(digests.bytes);
    this.#proof.digests = digests;
    this.#isListed = true;
  }

  /** Blocks come in order, whole, and no more of them than were asked for. */
  #checkPlace({ block, lengthBytes }: { block: number; lengthBytes: number }): void {
    const left = this.#feed.remainingBytes;
    const lengthOfPiece = pieceLength(this.#piece);
    if (block >= this.blocks || lengthBytes > left || lengthBytes === 0) throw misplaced();
    const { start } = blockBytes(block, lengthOfPiece, this.#blockSize);
    const endsWithBlock = (start + lengthBytes) % this.#blockSize === 0 || start + lengthBytes === lengthOfPiece;
    if (start !== this.#endBytes - left || !endsWithBlock) throw misplaced();
  }

  #checkSignature({ block, digest, signature }: Frame & { kind: 'signed' }): void {
    const { readerKeys } = this.#loan.proof;
    if (readerKeys.length === 0) throw unproved('The tracker names nobody who reads the piece from its origin.');
    this.#verifier ??= new BlockVerifier(readerKeys);
    if (!this.#verifier.accepts(this.#piece, block, this.#blockSize, digest, signature)) {
      throw new MeshError('NotHeld', 'A block is not signed by who reads it from the origin, as the tracker knows it.');
    }
    this.#digests.set(block, digest);
    this.#proof.signed.set(block, { digest: Buffer.from(digest), signature: Buffer.from(signature) });
  }
}

/** Within the time after which silence is too long. */
const LOOKS = 4;

/** Ends what has been silent for too long, while it is listened to. */
class Silence {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #listening = true;
  #quietLooks = 0;

  /** Counts its own looks and no clock, so that what came while this process was starved is heard first. */
  constructor(limitMs: number) {
    this.#timer = setInterval(() => {
      if (this.#listening) this.#quietLooks += 1;
      if (this.#quietLooks > LOOKS) this.#controller.abort();
    }, limitMs / LOOKS);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something came that was worth listening to. */
  hear(): void {
    this.#quietLooks = 0;
  }

  /** While there is no room for what comes, nobody listens. */
  during(space: Uint8Array | Promise<void>): Uint8Array | Promise<void> {
    if (space instanceof Uint8Array) return space;
    this.#listening = false;
    return space.finally(() => {
      this.#listening = true;
    });
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

/** What is not the lender's fault stays as it is. */
function asLoanError(error: unknown, from: MemberId, hasBegun: boolean): unknown {
  if (error instanceof PieceError && error.code === 'DigestMismatch') {
    return new LoanError('unproved', `${from} sent bytes that are not those of the piece.`, { cause: error });
  }
  if (!(error instanceof MeshError)) return error;
  const complaint = COMPLAINTS[error.code];
  const isShort = complaint === 'unreachable' && hasBegun;
  return new LoanError(isShort ? 'short' : complaint, error.message, { cause: error });
}

const COMPLAINTS: Readonly<Record<MeshErrorCode, Complaint>> = {
  Unreachable: 'unreachable',
  Refused: 'unreachable',
  NotHeld: 'not-held',
  Busy: 'busy',
  Malformed: 'unproved',
  Unproved: 'unproved',
  Closed: 'unreachable',
};

function unproved(message: string): MeshError {
  return new MeshError('Unproved', message);
}

function misplaced(): MeshError {
  return new MeshError('Malformed', 'Blocks came that were not asked for.');
}
