// The call by which one gateway has another read objects into its cache. The other reads by its own bucket names and
// its own rules; who asks names no origin, path or address.
import { z } from 'zod';
import type { MemberId } from './member.ts';
import { type Handlers, type MeshClient, MeshError } from './transport.ts';

/** Keys of one call. */
export const PREHEAT_KEYS = 100;

const requestSchema = z.object({
  bucket: z.string().min(1).max(255),
  keys: z.array(z.string().min(1).max(4_096)).min(1).max(PREHEAT_KEYS),
});

const warmedSchema = z.discriminatedUnion('kind', [
  /** Read since this was last said. */
  z.object({ kind: z.literal('bytes'), bytes: z.number().nonnegative() }),
  z.object({ kind: z.literal('warm'), key: z.string() }),
  /** The gateway does not cache this object. */
  z.object({ kind: z.literal('uncached'), key: z.string() }),
  z.object({ kind: z.literal('failed'), key: z.string(), error: z.string() }),
]);

/** What is told of objects that are read into a cache: bytes from time to time, and of each object once what came of it. */
export type Warmed = z.infer<typeof warmedSchema>;

/** Reads objects into this gateway's cache. */
export type Warm = (
  bucket: string,
  keys: readonly string[],
  signal: AbortSignal,
) => AsyncGenerator<Warmed, void, undefined>;

export function preheatHandlers(warm: Warm): Handlers {
  const handle = (body: unknown, _caller: unknown, signal: AbortSignal) => {
    const { bucket, keys } = parse(requestSchema, body);
    return warm(bucket, keys, signal);
  };
  return { preheat: { kind: 'lines', handle } };
}

/** Has another gateway read them. Rejects with MeshError. */
export async function* warmAt(
  client: Pick<MeshClient, 'lines'>,
  to: MemberId,
  bucket: string,
  keys: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Warmed, void, undefined> {
  for await (const line of await client.lines(to, 'preheat', { bucket, keys }, signal)) yield parse(warmedSchema, line);
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new MeshError('Malformed', 'What another gateway said is not what the call allows.', { cause: parsed.error });
}
