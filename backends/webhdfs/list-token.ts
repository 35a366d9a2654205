// A page's token: where the walk stands, and what it was a listing of. Clients may send anything as a token; what it
// leads to is still walked and filtered under the prefix that was asked for.
import { z } from 'zod';
import { BackendError, type ListOptions } from '../backend.ts';
import type { WalkPlace } from './tree-walk.ts';

export interface ListToken {
  readonly places: readonly WalkPlace[];
  /** The common prefix given out last; keys beneath it are reported already. */
  readonly reported?: string | undefined;
}

const name = z
  .string()
  .max(1_024)
  .refine((text) => !text.includes('/') && text !== '.' && text !== '..');

const tokenShape = z.strictObject({
  version: z.literal(1),
  prefix: z.string(),
  delimiter: z.string(),
  reported: z.string().optional(),
  places: z
    .array(z.strictObject({ name, after: name, held: z.array(name).max(255), sortedAfter: z.string().optional() }))
    .max(1_024),
});

export function encodeToken(token: ListToken, options: ListOptions): string {
  const { prefix = '', delimiter = '' } = options;
  return Buffer.from(JSON.stringify({ version: 1, prefix, delimiter, ...token })).toString('base64url');
}

export function decodeToken(text: string, options: ListOptions): ListToken {
  const parsed = tokenShape.safeParse(parse(text));
  const { prefix = '', delimiter = '' } = options;
  if (!parsed.success || parsed.data.prefix !== prefix || parsed.data.delimiter !== delimiter) {
    throw new BackendError('InvalidArgument', 'The continuation token is not one of this listing.');
  }
  return parsed.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
