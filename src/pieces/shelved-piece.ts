// What the process knows in memory of a piece on the shelf. Small: there may be a million.
import { BitSet } from './bit-set.ts';
import { blockBytes, blockCount } from './blocks.ts';
import type { Disk } from './disk.ts';
import type { PieceKey } from './piece.ts';
import type { PieceRecord } from './piece-record.ts';

export interface ShelvedPiece {
  readonly key: PieceKey;
  readonly disk: Disk;
  readonly file: string;
  readonly lengthBytes: number;
  readonly blockSize: number;
  held: BitSet;
  /** Proved by their digests since start-up. */
  verified: BitSet;
  /** What the disk has allotted for it. */
  allocatedBytes: number;
  /** No longer on the shelf: its file is being removed, or has become another piece's. */
  gone: boolean;
  /** It is gone because it was not what its record says. */
  damaged: boolean;
  /** The record to write into while the piece is being written; undefined within: it could not be had. */
  draft: Promise<PieceRecord | undefined> | undefined;
  /** Set once the file is being made; a piece found at start-up has its file. */
  creating: Promise<void> | undefined;
}

export function shelvedPiece(
  key: PieceKey,
  disk: Disk,
  lengthBytes: number,
  record: Pick<PieceRecord, 'file' | 'blockSize' | 'held'>,
): ShelvedPiece {
  const { file, blockSize, held } = record;
  return {
    key,
    disk,
    file,
    lengthBytes,
    blockSize,
    held,
    verified: BitSet.none(held.size),
    allocatedBytes: allotted(disk, held, lengthBytes, blockSize),
    gone: false,
    damaged: false,
    draft: undefined,
    creating: undefined,
  };
}

function allotted(disk: Disk, held: BitSet, lengthBytes: number, blockSize: number): number {
  if (held.isFull && blockSize % disk.unitBytes === 0) return disk.allotted(lengthBytes);
  let bytes = 0;
  for (const block of held) {
    const { start, end } = blockBytes(block, lengthBytes, blockSize);
    bytes += disk.allotted(end - start);
  }
  return bytes;
}

/** The held blocks in the cut of another block size: all when the piece is whole, else none. */
export function heldAs(shelved: ShelvedPiece, blockSize: number): BitSet {
  if (shelved.blockSize === blockSize) return shelved.held;
  const blocks = blockCount(shelved.lengthBytes, blockSize);
  return shelved.held.isFull ? BitSet.full(blocks) : BitSet.none(blocks);
}
