// What shelf-load.ts works with, and whoever looks at what it left behind.
const blockSize = 16 * 1024;
const pieceSize = 4 * blockSize;

export const LOAD = {
  blockSize,
  pieceSize,
  /** Three pieces and a short one. */
  size: 3 * pieceSize + 5000,
  pieces: 4,
  /** Of the shortest piece. */
  blocks: 1,
  keys: 60,
  capacityBytes: 100 * pieceSize,
} as const;
