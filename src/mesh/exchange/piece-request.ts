// What one gateway asks another for: blocks of a piece, named by what makes its bytes what they are. There is no path in
// it: the version's id is computed anew from the fields, so that nothing else can be asked for.
import { z } from 'zod';
import type { Urgency } from '../../concurrency/haste.ts';
import { type BlockRange, blockCount } from '../../pieces/blocks.ts';
import { objectVersion, type Piece, pieceLength } from '../../pieces/piece.ts';
import { MeshError } from '../transport.ts';

export interface PieceRequest {
  readonly piece: Piece;
  readonly blockSize: number;
  readonly blocks: BlockRange;
  /** How urgently the caller waits for it. */
  readonly urgency: Urgency;
  /** The caller can prove blocks by the list of all digests, */
  readonly knowsRoot: boolean;
  /** or by the signature of who reads them from the origin. */
  readonly knowsReaders: boolean;
}

const whole = z.number().int().nonnegative();

const schema = z.object({
  origin: z.string(),
  bucket: z.string(),
  key: z.string(),
  etag: z.string().min(1),
  size: whole,
  pieceSize: whole,
  index: whole,
  blockSize: whole,
  first: whole,
  end: whole,
  knowsRoot: z.boolean(),
  knowsReaders: z.boolean(),
  urgency: z.enum(['demand', 'ahead', 'preheat']).default('demand'),
});

export function encodePieceRequest(request: PieceRequest): z.input<typeof schema> {
  const { piece, blockSize, blocks, knowsRoot, knowsReaders, urgency } = request;
  const { origin, bucket, key, etag, size, pieceSize } = piece.version;
  const { index } = piece;
  return { origin, bucket, key, etag, size, pieceSize, index, blockSize, ...blocks, knowsRoot, knowsReaders, urgency };
}

/** Throws 'Malformed'. */
export function decodePieceRequest(body: unknown): PieceRequest {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw malformed(parsed.error);
  const { index, blockSize, first, end, knowsRoot, knowsReaders, urgency, ...fields } = parsed.data;
  try {
    const piece = { version: objectVersion(fields), index };
    const blocks = blockCount(pieceLength(piece), blockSize);
    if (first >= end || end > blocks) throw new RangeError(`The piece has no blocks ${first} to ${end}.`);
    return { piece, blockSize, blocks: { first, end }, knowsRoot, knowsReaders, urgency };
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause: unknown): MeshError {
  return new MeshError('Malformed', 'There is no such piece.', { cause });
}
