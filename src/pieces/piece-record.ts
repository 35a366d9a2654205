// What LevelDB keeps of a piece on the shelf, and its encoding: a length-prefixed JSON head, then the set of held
// blocks, then a digest a block, then (where kept) a checksum a block.
import { BitSet } from './bit-set.ts';
import { blockCount } from './blocks.ts';
import { BlockDigests, DIGEST_BYTES } from './digests.ts';
import {
  type ObjectVersion,
  objectVersion,
  type Piece,
  type PieceKey,
  pieceKey,
  pieceLength,
  type VersionFields,
  versionIdOf,
} from './piece.ts';

export interface PieceRecord {
  readonly piece: Piece;
  /** Id of the disk, and the file's name there. */
  readonly disk: string;
  readonly file: string;
  readonly blockSize: number;
  /** Seconds since 1970; where a shelf starts again it lines its pieces up by this. */
  readonly madeAt: number;
  held: BitSet;
  readonly digests: BlockDigests;
  /** Absent: the shelf was not told to keep them. */
  readonly checksums: Uint32Array | undefined;
}

const FORMAT = 2;
/** [origin, bucket, key, etag, size, pieceSize, index, disk, file, blockSize, madeAt] */
type Head = [string, string, string, string, number, number, number, string, string, number, number];

export function encodeRecord(record: PieceRecord): Buffer {
  const { version, index } = record.piece;
  const fields: Head = [
    version.origin,
    version.bucket,
    version.key,
    version.etag,
    version.size,
    version.pieceSize,
    index,
    record.disk,
    record.file,
    record.blockSize,
    record.madeAt,
  ];
  const head = Buffer.from(JSON.stringify(fields), 'utf8');
  const prefix = Buffer.alloc(6);
  prefix.writeUInt8(FORMAT, 0);
  prefix.writeUInt8(record.checksums === undefined ? 0 : 1, 1);
  prefix.writeUInt32BE(head.length, 2);
  const parts: Uint8Array[] = [prefix, head, record.held.toBytes(), record.digests.bytes];
  if (record.checksums !== undefined) {
    const checksums = Buffer.alloc(record.checksums.length * 4);
    record.checksums.forEach((value, block) => {
      checksums.writeUInt32BE(value, block * 4);
    });
    parts.push(checksums);
  }
  return Buffer.concat(parts);
}

/** What starting again needs of a record: no digests, and the version's fields are not proved. */
export interface RecordHead {
  readonly fields: VersionFields;
  readonly index: number;
  readonly disk: string;
  readonly file: string;
  readonly blockSize: number;
  readonly madeAt: number;
  readonly held: BitSet;
}

interface Parts {
  readonly head: Head;
  readonly blocks: number;
  readonly held: BitSet;
  readonly digestsStart: number;
  readonly digestsEnd: number;
  readonly keepsChecksums: boolean;
}

/** Undefined: this is no record that this version of the gateway wrote. */
export function decodeHead(value: Uint8Array): RecordHead | undefined {
  const parts = take(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  if (parts === undefined) return undefined;
  const [origin, bucket, key, etag, size, pieceSize, index, disk, file, blockSize, madeAt] = parts.head;
  return {
    fields: { origin, bucket, key, etag, size, pieceSize },
    index,
    disk,
    file,
    blockSize,
    madeAt,
    held: parts.held,
  };
}

/** Undefined: this is no record that this version of the gateway wrote for that piece. */
export function decodeRecord(key: PieceKey, value: Uint8Array): PieceRecord | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const parts = take(bytes);
  if (parts === undefined) return undefined;
  const [origin, bucket, name, etag, size, pieceSize, index, disk, file, blockSize, madeAt] = parts.head;
  const version = identified({ origin, bucket, key: name, etag, size, pieceSize }, versionIdOf(key));
  if (pieceKey({ version, index }) !== key) return undefined;
  const { blocks, held, digestsStart, digestsEnd, keepsChecksums } = parts;
  return {
    piece: { version, index },
    disk,
    file,
    blockSize,
    madeAt,
    held,
    digests: new BlockDigests(new Uint8Array(bytes.subarray(digestsStart, digestsEnd))),
    checksums: keepsChecksums
      ? Uint32Array.from({ length: blocks }, (_, block) => bytes.readUInt32BE(digestsEnd + block * 4))
      : undefined,
  };
}

function take(bytes: Buffer): Parts | undefined {
  try {
    if (bytes.readUInt8(0) !== FORMAT) return undefined;
    const headEnd = 6 + bytes.readUInt32BE(2);
    const head = JSON.parse(bytes.toString('utf8', 6, headEnd)) as unknown;
    if (!isHead(head)) return undefined;
    const [origin, bucket, key, etag, size, pieceSize, index, , , blockSize] = head;
    // No id yet: only the lengths are asked for.
    const piece: Piece = { version: { id: '', origin, bucket, key, etag, size, pieceSize }, index };
    const blocks = blockCount(pieceLength(piece), blockSize);
    const heldEnd = headEnd + Math.ceil(blocks / 8);
    const digestsEnd = heldEnd + blocks * DIGEST_BYTES;
    const keepsChecksums = bytes.readUInt8(1) === 1;
    if (bytes.length !== digestsEnd + (keepsChecksums ? blocks * 4 : 0)) return undefined;
    const held = BitSet.fromBytes(blocks, bytes.subarray(headEnd, heldEnd));
    return { head, blocks, held, digestsStart: heldEnd, digestsEnd, keepsChecksums };
  } catch (error) {
    // A row that cannot be read is as good as none: its file is removed as an orphan.
    if (error instanceof RangeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The types of a head's fields in order, s(tring) or n(umber from 0). */
const HEAD_TYPES = 'ssssnnnssnn';

function isHead(value: unknown): value is Head {
  if (!Array.isArray(value) || value.length !== HEAD_TYPES.length) return false;
  const fields: readonly unknown[] = value;
  return (
    fields.every((field, at) =>
      HEAD_TYPES[at] === 's' ? typeof field === 'string' : Number.isSafeInteger(field) && Number(field) >= 0,
    ) &&
    Number(fields[5]) > 0 &&
    Number(fields[9]) > 0
  );
}

/** A version on its way in has a random id and no etag; every other id follows from its fields. */
function identified(fields: VersionFields, id: string): ObjectVersion {
  return fields.etag === '' ? { ...fields, id } : objectVersion(fields);
}
