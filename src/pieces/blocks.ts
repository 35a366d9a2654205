// The unit of verification: a piece is checked and passed on block by block. Pure arithmetic; the last block of a
// piece may be short.
import type { ByteRange } from '../../backends/backend.ts';

/** Half-open, in blocks. */
export interface BlockRange {
  readonly first: number;
  readonly end: number;
}

export function blockCount(lengthBytes: number, blockSize: number): number {
  return Math.ceil(lengthBytes / blockSize);
}

/** The bytes of one block within a piece of this length. */
export function blockBytes(block: number, lengthBytes: number, blockSize: number): ByteRange {
  const start = block * blockSize;
  if (block < 0 || start >= lengthBytes) {
    throw new RangeError(`A piece of ${lengthBytes} bytes has no block ${block} of ${blockSize} bytes.`);
  }
  return { start, end: Math.min(lengthBytes, start + blockSize) };
}

/** The blocks that a range of bytes touches. */
export function blocksOf(range: ByteRange, blockSize: number): BlockRange {
  return { first: Math.floor(range.start / blockSize), end: Math.ceil(range.end / blockSize) };
}

/** The bytes that a range of blocks covers within a piece of this length. */
export function bytesOf(blocks: BlockRange, lengthBytes: number, blockSize: number): ByteRange {
  return { start: blocks.first * blockSize, end: Math.min(lengthBytes, blocks.end * blockSize) };
}
