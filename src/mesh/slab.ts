// A slab is what one tracker keeps track of at once: up to 256 pieces in a row of one version, as gateways with the
// same block size cut them. The first slab of a version belongs to who answers for the object's name, so that opening an
// object and finding its first pieces is one way; each further one has owners of its own. A zone has slabs of its own,
// of the same pieces: who in it holds them, and who of it brings them in.
import { hash } from 'node:crypto';
import { type ObjectVersion, type Piece, pieceCount } from '../pieces/piece.ts';

export const SLAB_PIECES = 256;

/** The version's id, its block size and the slab's index; a zone's with a prefix. */
export type SlabKey = string;

/** A zone as keys name it: what operators call it may have any characters. */
export type ZoneKey = string;

export interface Slab {
  readonly key: SlabKey;
  /** What its owners are found by (slab-owners.ts). */
  readonly ownerKey: string;
  /** Index of its first piece within the version, and how many it has. */
  readonly first: number;
  readonly pieces: number;
}

/** One that has the mesh's slab in it, under a prefix of always the same length. */
type Keyed = Pick<Slab, 'key' | 'ownerKey'>;

export const SLAB_KEY = /^(zone:[0-9a-f]{16}\/)?[0-9a-f]{40}\.\d{1,12}\.\d{1,12}$/;
const ZONE_DIGITS = 16;
const ZONE_PREFIX = /^zone:([0-9a-f]{16})\//;
const PREFIX_LENGTH = 'zone:'.length + ZONE_DIGITS + 1;

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

export function zoneKey(zone: string): ZoneKey {
  return hash('sha256', zone, 'hex').slice(0, ZONE_DIGITS);
}

/** The zone's slab of the pieces of a slab of the mesh. */
export function zoneSlab<Of extends Keyed>(slab: Of, zone: ZoneKey): Of {
  const prefix = `zone:${zone}/`;
  return { ...slab, key: prefix + slab.key, ownerKey: prefix + slab.ownerKey };
}

/** The mesh's slab of the pieces of a slab of a zone. */
export function meshSlab<Of extends Keyed>(slab: Of): Of {
  if (zoneOfSlab(slab.key) === undefined) return slab;
  return { ...slab, key: slab.key.slice(PREFIX_LENGTH), ownerKey: slab.ownerKey.slice(PREFIX_LENGTH) };
}

/** Undefined: it is the mesh's. */
export function zoneOfSlab(key: SlabKey): ZoneKey | undefined {
  return ZONE_PREFIX.exec(key)?.[1];
}

/** An object's name as its origin has it; every field with its length, so that no two names give the same key. */
export function nameKey({ origin, bucket, key }: Pick<ObjectVersion, 'origin' | 'bucket' | 'key'>): string {
  return [origin, bucket, key].map((field) => `${Buffer.byteLength(field, 'utf8')}:${field}`).join('');
}
