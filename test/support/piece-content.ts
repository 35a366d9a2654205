// Versions and their bytes for tests: every byte follows from the version's key and its place, so that a wrong or
// misplaced byte shows.
import { createCipheriv, createHash } from 'node:crypto';
import { blockBytes, blockCount } from '../../src/pieces/blocks.ts';
import { blockDigest } from '../../src/pieces/digests.ts';
import { type ObjectVersion, objectVersion, type Piece, pieceLength } from '../../src/pieces/piece.ts';
import type { PieceStore } from '../../src/pieces/piece-store.ts';

export function testVersion(key: string, size: number, pieceSize: number): ObjectVersion {
  return objectVersion({ origin: 'test', bucket: 'bucket', key, etag: 'e0', size, pieceSize });
}

/** A key stream of AES: byte n of the object is byte n of the stream of its key. */
export function contentOf(piece: Piece): Buffer {
  const length = pieceLength(piece);
  const base = piece.index * piece.version.pieceSize;
  const key = createHash('sha256').update(`${piece.version.bucket}/${piece.version.key}`).digest().subarray(0, 16);
  const counter = Buffer.alloc(16);
  counter.writeBigUInt64BE(BigInt(Math.floor(base / 16)), 8);
  const stream = createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(length + (base % 16)));
  return stream.subarray(base % 16);
}

/** Puts blocks of a piece on the shelf (default: all); answers how many were kept. */
export async function shelve(store: PieceStore, piece: Piece, blocks?: Iterable<number>): Promise<number> {
  const content = contentOf(piece);
  const writer = store.write(piece);
  let kept = 0;
  for (const block of blocks ?? Array(blockCount(content.length, store.blockSize)).keys()) {
    const { start, end } = blockBytes(block, content.length, store.blockSize);
    const bytes = content.subarray(start, end);
    if (await writer.write(block, bytes, blockDigest(bytes))) kept += 1;
  }
  await writer.close();
  return kept;
}

/** A copy of what the store reads; undefined when it does not hold all of it. */
export async function readAll(
  store: PieceStore,
  piece: Piece,
  start = 0,
  end = pieceLength(piece),
): Promise<Buffer | undefined> {
  const read = await store.read({ piece, start, end });
  const copy = read === undefined ? undefined : Buffer.from(read.bytes);
  read?.release();
  return copy;
}

/** Whether these are the piece's bytes; compared as a whole, since a matcher that lists bytes takes seconds. */
export function isContent(bytes: Uint8Array | undefined, piece: Piece, start = 0, end = pieceLength(piece)): boolean {
  return bytes !== undefined && contentOf(piece).subarray(start, end).equals(bytes);
}
