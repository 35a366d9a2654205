// What gateways and trackers say to each other, as JSON. Fields that a gateway does not know are ignored, so that old
// and new ones talk.
import { z } from 'zod';
import { BitSet } from '../../pieces/bit-set.ts';
import { SLAB_KEY, SLAB_PIECES } from '../slab.ts';
import { MeshError } from '../transport.ts';
import type { Holdings, Reported } from './tracker-calls.ts';

/** Of one piece. */
const MAX_READERS = 64;
/** Of one call. */
export const MAX_SLABS = 256;

const piece = z
  .number()
  .int()
  .min(0)
  .max(SLAB_PIECES - 1);
const pieces = z.array(piece).max(SLAB_PIECES);
const member = z.string().min(1).max(300);

const slabSchema = z.object({
  key: z.string().regex(SLAB_KEY),
  ownerKey: z.string().max(8192),
  pieces: z.number().int().min(1).max(SLAB_PIECES),
});

const rootSchema = z.string().regex(/^[0-9a-f]{64}$/);

const announcedSchema = z.object({
  piece,
  root: rootSchema,
  bytes: z.number().int().nonnegative().optional(),
});

const proofSchema = z.object({
  root: rootSchema.optional(),
  readerKeys: z.array(z.string().max(64)).max(MAX_READERS).readonly(),
});

const reportedSchema = z.object({
  piece,
  source: member,
  bytes: z.number().int().nonnegative(),
  waiting: z.boolean(),
  /** Of who brings the piece into its zone: what its blocks are proved by. */
  proof: proofSchema.optional(),
});

const acquireSchema = z.object({
  slab: slabSchema,
  pieces,
  avoid: z.array(member).max(64),
  /** Trackers that the caller has waited for in vain: they are not worth waiting for again. */
  unreachable: z.array(member).max(64).optional(),
});

const tellSchema = z.object({
  slabs: z
    .array(
      z.object({
        slab: slabSchema,
        /** Held whole from now on. */
        held: z.array(announcedSchema).max(SLAB_PIECES).optional(),
        /** No longer held. */
        dropped: pieces.optional(),
        /** No longer on their way. */
        released: pieces.optional(),
      }),
    )
    .max(MAX_SLABS),
  /** The caller is about to stop: nothing of its is to be counted on. */
  leaving: z.boolean().optional(),
});

const spokenSchema = z.object({
  /** Held by so few of the zone as far that the caller is to tell the mesh's trackers of them too. */
  speaksFor: z
    .array(z.object({ slab: z.string(), pieces }))
    .max(MAX_SLABS)
    .default([]),
});

const COMPLAINTS = ['unreachable', 'silent', 'short', 'not-held', 'unproved', 'busy'] as const;

const complainSchema = z.object({ slab: slabSchema, piece, holder: member, complaint: z.enum(COMPLAINTS) });

/** Of each piece: the place of its source in the list, bytes so far, 1 where it waits, and what proves it in a zone. */
const reportedRow = z.tuple([
  piece,
  z.int().min(0).max(SLAB_PIECES),
  z.int().nonnegative(),
  z.literal([0, 1]),
  proofSchema.optional(),
]);

/** Short, since each gateway says it of all that is on its way to it, once or twice a second. */
const reportsSchema = z
  .object({
    slab: slabSchema,
    sources: z.array(member).max(SLAB_PIECES),
    pieces: z.array(reportedRow).max(SLAB_PIECES),
  })
  .transform(({ slab, sources, pieces }, context) => ({
    slab,
    pieces: pieces.map(([piece, at, bytes, waits, proof]): Reported => {
      const source = sources[at];
      if (source === undefined) context.addIssue('There is no such source.');
      return { piece, source: source ?? 'origin', bytes, waiting: waits === 1, proof };
    }),
  }));

const progressSchema = z.object({ slabs: z.array(reportsSchema).max(MAX_SLABS) });

const movedSchema = z.object({ moved: z.array(z.object({ slab: z.string(), pieces })).max(MAX_SLABS) });

const spareSchema = z.object({ slabs: z.array(z.object({ slab: slabSchema, pieces })).max(MAX_SLABS) });

const sparedSchema = z.object({ spared: z.array(z.object({ slab: z.string(), pieces })).max(MAX_SLABS) });

const peekSchema = z.object({ slab: slabSchema });

const rowsSchema = z.object({
  roots: z.array(announcedSchema).max(SLAB_PIECES),
  /** The bitmap of who holds which, in base64. */
  rows: z.array(z.object({ member, held: z.string().max(2 * SLAB_PIECES) })),
  /** To whom a piece is on its way, and from whom. */
  receivers: z.array(reportedSchema.extend({ member })).optional(),
});

const decidedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('held'), piece, from: member, arriving: z.boolean(), proof: proofSchema }),
  z.object({ kind: z.literal('leased'), piece }),
  /** Nothing to tell for long: ask again. */
  z.object({ kind: z.literal('again'), piece }),
]);

export type SlabWire = z.infer<typeof slabSchema>;
export type Acquire = z.infer<typeof acquireSchema>;
export type Tell = z.infer<typeof tellSchema>;
export type Spoken = z.infer<typeof spokenSchema>;
export type Complain = z.infer<typeof complainSchema>;
export type Progress = z.infer<typeof progressSchema>;
export type Moved = z.infer<typeof movedSchema>;
export type Spare = z.infer<typeof spareSchema>;
export type Spared = z.infer<typeof sparedSchema>;
export type Rows = z.infer<typeof rowsSchema>;
export type Decided = z.infer<typeof decidedSchema>;

export const parseAcquire = parser(acquireSchema);
export const parseTell = parser(tellSchema);
export const parseSpoken = parser(spokenSchema);
export const parseComplain = parser(complainSchema);
export const parseProgress = parser(progressSchema);
export const parseMoved = parser(movedSchema);
export const parseSpare = parser(spareSchema);
export const parseSpared = parser(sparedSchema);
export const parsePeek = parser(peekSchema);
export const parseRows = parser(rowsSchema);
export const parseDecided = parser(decidedSchema);

export function writeProgress(slabs: Progress['slabs']): unknown {
  return {
    slabs: slabs.map(({ slab, pieces }) => {
      const sources = [...new Set(pieces.map(({ source }) => source))];
      const row = ({ piece, source, bytes, waiting, proof }: Reported) => [
        ...[piece, sources.indexOf(source), bytes, waiting ? 1 : 0],
        ...(proof === undefined ? [] : [proof]),
      ];
      return { slab, sources, pieces: pieces.map(row) };
    }),
  };
}

export function rowsOf({ roots, rows }: Holdings, receivers: NonNullable<Rows['receivers']>): Rows {
  return {
    roots: [...roots].map(([piece, root]) => ({ piece, root })),
    rows: rows.map(({ member, held }) => ({ member, held: Buffer.from(held.toBytes()).toString('base64') })),
    receivers,
  };
}

/** Bits past the slab's pieces, or short of them, are none. */
export function holdingsOf({ roots, rows }: Rows, pieces: number): Holdings {
  return {
    roots: new Map(roots.map(({ piece, root }) => [piece, root])),
    rows: rows.map(({ member, held }) => {
      const bytes = Buffer.alloc(Math.ceil(pieces / 8));
      bytes.write(held, 'base64');
      return { member, held: BitSet.fromBytes(pieces, bytes) };
    }),
  };
}

/** Throws 'Malformed'. */
function parser<T>(schema: z.ZodType<T>): (body: unknown) => T {
  return (body) => {
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new MeshError('Malformed', 'What another gateway said is not what the call allows.', { cause: parsed.error });
  };
}
