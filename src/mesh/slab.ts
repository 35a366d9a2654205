// A slab is what one tracker keeps track of at once: up to 256 pieces in a row of one version, as gateways with the
// same block size cut them. The first slab of a version belongs to who answers for the object's name, so that opening an
// object and finding its first pieces is one way; each further one has owners of its own.
import { type ObjectVersion, type Piece, pieceCount } from '../pieces/piece.ts';

export const SLAB_PIECES = 256;

/** The version's id, its block size and the slab's index. */
export type SlabKey = string;

export interface Slab {
  readonly key: SlabKey;
  /** What its owners are found by (rendezvous.ts). */
  readonly ownerKey: string;
  /** Index of its first piece within the version, and how many it has. */
  readonly first: number;
  readonly pieces: number;
}

export function slabOf({ version, index }: Piece, blockSize: number): Slab {
  const slab = Math.floor(index / SLAB_PIECES);
  const first = slab * SLAB_PIECES;
  const key = `${version.id}.${blockSize}.${slab}`;
  return {
    key,
    ownerKey: slab === 0 ? nameKey(version) : key,
    first,
    pieces: Math.min(SLAB_PIECES, pieceCount(version) - first),
  };
}

/** An object's name as its origin has it; every field with its length, so that no two names give the same key. */
export function nameKey({ origin, bucket, key }: Pick<ObjectVersion, 'origin' | 'bucket' | 'key'>): string {
  return [origin, bucket, key].map((field) => `${Buffer.byteLength(field, 'utf8')}:${field}`).join('');
}
