// What gateways write to each other about names. Whatever comes is checked here before anybody looks at it; fields that
// are not known are passed over. Infinity is null: JSON has none. Durations are milliseconds.
import { z } from 'zod';
import { objectVersion, type Piece } from '../../pieces/piece.ts';
import type { NameWant } from '../names.ts';
import { MeshError } from '../transport.ts';

/** Names in one call: a batch of deletes is cut into several. */
export const MAX_BATCH = 128;
/** Names in one call with what they stand for, which may be some KiB each. */
export const MAX_TOLD = 32;

const key = z.string().min(1).max(8192);
const id = z.string().min(1).max(100);
const member = z.string().min(1).max(300);
const keys = z.array(key).min(1).max(MAX_BATCH);
const ms = z.number().min(0);
const msOrEver = ms.nullable().transform((value) => value ?? Number.POSITIVE_INFINITY);
const hash = z.string().max(200);

const answer = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('known'), value: z.unknown(), complete: z.boolean() }),
  z.object({ kind: z.literal('missing') }),
]);

const lastKnown = z.union([answer, z.object({ kind: z.literal('written') })]);

const openRequest = z.object({ key, hash, freshMs: msOrEver, missingFreshMs: msOrEver, complete: z.boolean() });

const openLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('answered'), hash, answer, ageMs: ms, leaseMs: ms, joinMs: ms }),
  z.object({
    kind: z.literal('validate'),
    hash,
    ticket: id,
    known: lastKnown.optional(),
    crowded: z.boolean(),
    joinMs: ms,
  }),
  z.object({ kind: z.literal('moved'), hash }),
]);

const arriving = z
  .object({
    origin: z.string().max(1024),
    bucket: z.string().max(1024),
    key: z.string().max(4096),
    etag: z.string().min(1).max(1024),
    size: z.int().min(1),
    pieceSize: z.int().min(1),
    index: z.int().min(0),
    blockSize: z.int().min(1),
  })
  .refine(({ size, pieceSize, index }) => index * pieceSize < size, 'the object has no such piece')
  .transform(({ index, blockSize, ...fields }) => ({ piece: { version: objectVersion(fields), index }, blockSize }));

const reportRequest = z.object({
  ticket: id,
  answer: answer.optional(),
  beganMs: ms,
  arriving: arriving.optional(),
});
const reportReply = z.object({ leaseMs: ms });

const beginRequest = z.object({ hash, mark: id, keys });
const endRequest = beginRequest.extend({ outcome: z.enum(['written', 'missing', 'unknown']) });
const writeReply = z.object({ hash, waitMs: ms });
const revokeRequest = z.object({ keys });
/** `missed`: a write went past this member; the answer says for how long it may still believe what it knows. */
const touchRequest = z.object({ hash, missed: member.optional() });
const missReply = z.object({ waitMs: ms });
/** What a name last stood for: one owner tells the other, or answers it. */
const knownName = z.object({ key, known: lastKnown });
const tellRequest = z.object({ names: z.array(knownName).min(1).max(MAX_TOLD) });
const recallRequest = z.object({ key });
const recallReply = z.object({ known: lastKnown.optional() });
const touchReply = z.object({ hash, confirmed: z.boolean(), heard: z.string().max(200) });

export type OpenLine = z.infer<typeof openLine>;
export type WriteReply = z.infer<typeof writeReply>;
export type TouchReply = z.infer<typeof touchReply>;
export type KnownName = z.infer<typeof knownName>;
/** A piece whose bytes come to the one who reports, in blocks of this size. */
export type Arriving = z.infer<typeof arriving>;

export const readOpenRequest = reader('name-open', openRequest);
export const readOpenLine = reader('name-open', openLine);
export const readReportRequest = reader('name-report', reportRequest);
export const readReportReply = reader('name-report', reportReply);
export const readBeginRequest = reader('name-begin', beginRequest);
export const readEndRequest = reader('name-end', endRequest);
export const readWriteReply = reader('name-begin', writeReply);
export const readRevokeRequest = reader('name-revoke', revokeRequest);
export const readTouchRequest = reader('name-touch', touchRequest);
export const readMissReply = reader('name-touch', missReply);
export const readTouchReply = reader('name-touch', touchReply);
export const readTellRequest = reader('name-tell', tellRequest);
export const readRecallRequest = reader('name-recall', recallRequest);
export const readRecallReply = reader('name-recall', recallReply);

export function writeOpenRequest(name: string, want: NameWant, listHash: string): unknown {
  const { freshMs, missingFreshMs, complete } = want;
  return { key: name, hash: listHash, freshMs: writeMs(freshMs), missingFreshMs: writeMs(missingFreshMs), complete };
}

export function writeArriving({ version, index }: Piece, blockSize: number): unknown {
  const { id: _, ...fields } = version;
  return { ...fields, index, blockSize };
}

function writeMs(value: number): number | null {
  return value === Number.POSITIVE_INFINITY ? null : value;
}

function reader<S extends z.ZodType>(call: string, schema: S): (body: unknown) => z.infer<S> {
  return (body) => {
    const read = schema.safeParse(body);
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    throw new MeshError('Malformed', `${call}: ${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'wrong'}`);
  };
}
