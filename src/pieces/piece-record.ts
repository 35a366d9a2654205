// What LevelDB keeps of a piece on the shelf, and its encoding: a length-prefixed JSON head, then the set of held
// blocks, then a digest a block, then (where kept) a checksum a block.
import { BitSet } from './bit-set.ts';
import { blockCount } from './blocks.ts';
import { BlockDigests, DIGEST_BYTES } from './digests.ts';
import { type ObjectVersion, objectVersion, type Piece, pieceLength } from './piece.ts';

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

const FORMAT = 1;
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

/** Undefined: this is no record that this version of the gateway wrote for that id. */
export function decodeRecord(versionId: string, value: Uint8Array): PieceRecord | undefined {
  try {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (bytes.readUInt8(0) !== FORMAT) return undefined;
    const headEnd = 6 + bytes.readUInt32BE(2);
    const head = JSON.parse(bytes.toString('utf8', 6, headEnd)) as Head;
    const [origin, bucket, key, etag, size, pieceSize, index, disk, file, blockSize, madeAt] = head;
    const version = identified({ origin, bucket, key, etag, size, pieceSize }, versionId);
    if (version === undefined) return undefined;
    const piece: Piece = { version, index };
    const blocks = blockCount(pieceLength(piece), blockSize);
    const heldEnd = headEnd + Math.ceil(blocks / 8);
    const digestsEnd = heldEnd + blocks * DIGEST_BYTES;
    const kept = bytes.readUInt8(1) === 1;
    if (bytes.length !== digestsEnd + (kept ? blocks * 4 : 0)) return undefined;
    return {
      piece,
      disk,
      file,
      blockSize,
      madeAt,
      held: BitSet.fromBytes(blocks, bytes.subarray(headEnd, heldEnd)),
      digests: new BlockDigests(Uint8Array.from(bytes.subarray(heldEnd, digestsEnd))),
      checksums: kept
        ? Uint32Array.from({ length: blocks }, (_, block) => bytes.readUInt32BE(digestsEnd + block * 4))
        : undefined,
    };
  } catch (error) {
    // A row that cannot be read is as good as none: its file is removed as an orphan.
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** A version on its way in has a random id and no etag; every other id is proved by its fields. */
function identified(fields: Omit<ObjectVersion, 'id'>, id: string): ObjectVersion | undefined {
  if (fields.etag === '') return { ...fields, id };
  const version = objectVersion(fields);
  return version.id === id ? version : undefined;
}
