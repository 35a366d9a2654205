// The contract of a shelf of pieces. test/contracts/piece-store.ts is its suite; every implementation passes it.
//
// Rules that hold for every method:
// - A shelf in trouble (a disk gone, LevelDB failing) is a slower shelf, never a wrong one: reads answer undefined,
//   writes answer false, nothing rejects for it. Only callers' mistakes throw (RangeError), and use after close.
// - Bytes that a read answers with have been proved by their block's digest as `cache.verify` says. What fails the
//   proof is discarded and reported to the observer.
// - It knows bytes, digests and disks; what an object is now, and where else its bytes are, is not its business.
import type { BitSet } from './bit-set.ts';
import type { BlockDigests } from './digests.ts';
import type { ObjectVersion, Piece, Slice } from './piece.ts';

export interface PieceBytes {
  /** Exactly the slice's bytes. Not to be written to. */
  readonly bytes: Uint8Array;
  /** origin, peer: they have just arrived from there. */
  readonly source: 'memory' | 'disk' | 'peer' | 'origin';
  /** Of the block that they are from, where that is at hand. */
  readonly digest?: Uint8Array | undefined;
  /** Call once the bytes are no longer looked at: their memory is used again. Further calls do nothing. */
  release(): void;
}

/** Puts the blocks of one piece on the shelf, in any order; several writers of one piece do not hurt each other. */
export interface PieceWriter {
  /**
   * All of a block, with its digest (the caller took or checked it). True: it is on the shelf, or was there already.
   * False: it is not, for want of room or health; the caller goes on without. The bytes are the writer's until then.
   */
  write(block: number, bytes: Uint8Array, digest: Uint8Array): Promise<boolean>;
  /** The piece may be evicted again. Waits for the writes under way; further calls do nothing. */
  close(): Promise<void>;
}

/** What a shelf holds of one version. */
export interface Holding {
  readonly version: ObjectVersion;
  /** Whole pieces. */
  readonly pieces: BitSet;
  /** Pieces of which some blocks are held, not all. */
  readonly begun: BitSet;
}

export interface Usage {
  /** Bytes the pieces take on disk (as the file system allots them) and in memory. */
  readonly diskBytes: number;
  readonly memoryBytes: number;
  readonly capacityBytes: number;
  readonly pieces: number;
}

export type Soundness = 'sound' | 'damaged' | 'absent';

export interface PieceStore {
  /** Of new pieces; digests and block sets are counted in it. */
  readonly blockSize: number;
  /** False while nothing new can be kept (no disk takes any): what is not held is then better read past the shelf. */
  readonly accepting: boolean;
  /** What read() would answer with, where it waits for nothing; undefined: ask it. */
  atHand(slice: Slice): PieceBytes | undefined;
  /** Undefined when not all of the slice is held. One buffer: ask for long slices in steps (piece.ts). */
  read(slice: Slice): Promise<PieceBytes | undefined>;
  write(piece: Piece): PieceWriter;
  /** Which blocks of the piece are held. */
  blocks(piece: Piece): BitSet;
  /** Which of these pieces are held whole: bit 0 is piece `first`. Without a window: all of the version's. */
  held(version: ObjectVersion, window?: { first: number; count: number }): BitSet;
  /** Of the blocks that are held; undefined when none is, or when they were cut by another block size. */
  digests(piece: Piece): Promise<BlockDigests | undefined>;
  /** Counts as a read towards staying, where the bytes were served from elsewhere. */
  touch(piece: Piece): void;
  /** Reads all that is held of a piece and proves it; what is damaged is discarded. */
  check(piece: Piece): Promise<Soundness>;
  /** Everything held, by version, in no promised order: what was there when it came by. */
  list(): AsyncIterable<Holding>;
  /** A pinned version's pieces are never evicted. Pins are counted, and last until unpinned or the process ends. */
  pin(version: ObjectVersion): void;
  unpin(version: ObjectVersion): void;
  forget(piece: Piece): Promise<void>;
  drop(version: ObjectVersion): Promise<void>;
  /** What is held under one version is from now on held under the other: same bytes, same cuts. Writers are closed. */
  adopt(from: ObjectVersion, to: ObjectVersion): Promise<void>;
  usage(): Usage;
  close(): Promise<void>;
}

export type DiscardReason = 'digest' | 'checksum' | 'short' | 'missing' | 'unreadable' | 'record';

/** Whom a shelf tells what an operator should know. Calls must not throw. */
export interface PieceObserver {
  /** A piece failed its proof and is gone from the shelf. */
  discarded(event: { readonly key: string; readonly disk: string; readonly reason: DiscardReason }): void;
  evicted(event: { readonly key: string; readonly disk: string; readonly bytes: number }): void;
  /** `reading`: it still serves what it holds, and takes nothing new. */
  diskFailed(event: { readonly disk: string; readonly reading: boolean; readonly error: unknown }): void;
  diskHealed(event: { readonly disk: string }): void;
  /** LevelDB refused; `lost` marks are not kept over a restart. */
  databaseFailed(event: { readonly error: unknown; readonly lost: number }): void;
}

export type PieceErrorCode =
  /** The bytes are not those their digest names. */
  | 'DigestMismatch'
  /** A feed ended before it had brought what it claimed. */
  | 'Incomplete'
  /** Nobody wanted it any longer. */
  | 'Abandoned'
  /** More pieces are arriving at once than the limit allows. */
  | 'TooMany'
  | 'Closed';

export class PieceError extends Error {
  override readonly name = 'PieceError';
  readonly code: PieceErrorCode;

  constructor(code: PieceErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }
}
