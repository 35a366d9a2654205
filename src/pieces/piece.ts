// What bytes are called here: a version of an object, its pieces, slices of them. Pure arithmetic, no bytes.
// A version's id is made of everything that tells its bytes from others, and of the size of its pieces, so that
// gateways configured apart share nothing rather than corrupt each other.
import { hash } from 'node:crypto';
import type { ByteRange } from '../../backends/backend.ts';

/** 40 hexadecimal digits: 160 bits of SHA-256. */
export type VersionId = string;

export interface VersionFields {
  /** Which origin: two origins may hold the same bucket, key and etag over different bytes. */
  readonly origin: string;
  readonly bucket: string;
  readonly key: string;
  /** Unquoted. Empty only while the bytes are on their way to the origin (staging.ts). */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes of every piece but the last. */
  readonly pieceSize: number;
}

export interface ObjectVersion extends VersionFields {
  readonly id: VersionId;
}

export interface Piece {
  readonly version: ObjectVersion;
  /** From 0. */
  readonly index: number;
}

/** Half-open, within the piece. */
export interface Slice {
  readonly piece: Piece;
  readonly start: number;
  readonly end: number;
}

/** A piece's name on the shelf: the version's id, then the index in eight hexadecimal digits; sorts in reading order. */
export type PieceKey = string;

const ID_DIGITS = 40;

export function objectVersion(fields: VersionFields): ObjectVersion {
  if (!Number.isSafeInteger(fields.size) || fields.size < 0) {
    throw new RangeError(`An object's size is a whole number of bytes, not ${fields.size}.`);
  }
  if (!Number.isSafeInteger(fields.pieceSize) || fields.pieceSize < 1) {
    throw new RangeError(`A piece's size is a whole number of bytes above 0, not ${fields.pieceSize}.`);
  }
  const { origin, bucket, key, etag, size, pieceSize } = fields;
  return { id: versionId(fields), origin, bucket, key, etag, size, pieceSize };
}

/** Every field is prefixed with its length in bytes: no two lists of fields give the same input. */
function versionId(fields: VersionFields): VersionId {
  const { origin, bucket, key, etag, size, pieceSize } = fields;
  const input = ['dfstore version 1', origin, bucket, key, etag, String(size), String(pieceSize)]
    .map((field) => `${Buffer.byteLength(field, 'utf8')}:${field}`)
    .join('');
  return hash('sha256', input, 'hex').slice(0, ID_DIGITS);
}

/** Of the first pieces of versions in use: a hit looks its piece up more than once, and by the same string fastest. */
const keys = new WeakMap<ObjectVersion, PieceKey[]>();
const KEPT_KEYS = 1024;

export function pieceKey({ version, index }: Piece): PieceKey {
  if (index >= KEPT_KEYS) return makeKey(version, index);
  let kept = keys.get(version);
  if (kept === undefined) {
    kept = [];
    keys.set(version, kept);
  }
  kept[index] ??= makeKey(version, index);
  return kept[index];
}

function makeKey(version: ObjectVersion, index: number): PieceKey {
  return version.id + index.toString(16).padStart(8, '0');
}

export function versionIdOf(key: PieceKey): VersionId {
  return key.slice(0, ID_DIGITS);
}

/** An empty object has no pieces. */
export function pieceCount(version: ObjectVersion): number {
  return Math.ceil(version.size / version.pieceSize);
}

/** Bytes of this piece: the version's pieceSize, or less in the last one. */
export function pieceLength(piece: Piece): number {
  const { size, pieceSize } = piece.version;
  const start = piece.index * pieceSize;
  if (!Number.isSafeInteger(piece.index) || piece.index < 0 || start >= size) {
    throw new RangeError(`The object has ${pieceCount(piece.version)} pieces; there is no piece ${piece.index}.`);
  }
  return Math.min(pieceSize, size - start);
}

/** The slices that make up a range of the object, in order, none empty. */
export function* cut(version: ObjectVersion, range: ByteRange): Generator<Slice, void, undefined> {
  if (range.start < 0 || range.end > version.size || range.start > range.end) {
    throw new RangeError(`The range ${range.start}-${range.end} is not within the object's ${version.size} bytes.`);
  }
  const { pieceSize } = version;
  for (let at = range.start; at < range.end; ) {
    const index = Math.floor(at / pieceSize);
    const base = index * pieceSize;
    const end = Math.min(range.end, base + pieceSize);
    yield { piece: { version, index }, start: at - base, end: end - base };
    at = end;
  }
}

/** A slice in steps that end at multiples of stepBytes within the piece, so that all but the outer ones are aligned. */
export function* steps(slice: Slice, stepBytes: number): Generator<Slice, void, undefined> {
  for (let start = slice.start; start < slice.end; ) {
    const end = Math.min(slice.end, (Math.floor(start / stepBytes) + 1) * stepBytes);
    yield { piece: slice.piece, start, end };
    start = end;
  }
}
