// Every setting of a bucket, one row each, under `buckets.<name>`; the name '*' stands for every bucket not named.
import { z } from 'zod';
import { knownNamesOnly, shapeOf } from './section-schema.ts';
import { age, type ConfigOf, choice, count, optionalText, requiredText, structure } from './setting.ts';

const FRESHNESS = 'How old an answer may be that is given without asking the origin';

const BUCKET_SETTINGS = {
  backend: requiredText('Name of one of the backends'),
  bucket: optionalText("The bucket's name there, when it is another"),
  prefix: optionalText('Put before every key there, like prod/'),
  freshness: structure(freshnessSchema(), `${FRESHNESS}; 0s asks each time, immutable never again`),
  missingFreshness: age('0s', `${FRESHNESS} that there is no such object`),
  staleIfError: age('0s', 'How old an answer may be while the origin is down'),
  prefixes: structure(prefixesSchema(), 'Other freshness for keys by prefix; the longest prefix counts'),
  cache: choice(['auto', 'on', 'off'], 'auto', 'Whether it is cached; auto: unless its backend is a directory here'),
  writeMode: choice(['write-through', 'write-back', 'ephemeral'], 'write-through', 'When a write is acknowledged'),
  replicas: count(2, 'Gateways that keep what no origin has'),
} as const;

export type BucketConfig = ConfigOf<typeof BUCKET_SETTINGS>;

const bucketSchema: z.ZodType<unknown> = knownNamesOnly(shapeOf(BUCKET_SETTINGS)).readonly();

export const bucketsSchema = z
  .record(z.string(), bucketSchema as z.ZodType<BucketConfig>, 'must be a map of buckets by name')
  .readonly()
  .optional();

/** `models/: { freshness: immutable }`; what is not said there is as the bucket has it. */
function prefixesSchema() {
  const rules = {
    freshness: freshnessSchema().optional(),
    missingFreshness: age('0s', FRESHNESS).schema.optional(),
    staleIfError: age('0s', FRESHNESS).schema.optional(),
  };
  return z.record(z.string(), knownNamesOnly(rules).readonly()).readonly().optional();
}

function freshnessSchema(): z.ZodType<number | 'immutable'> {
  return z.union([z.literal('immutable'), age('0s', FRESHNESS).schema], {
    error: "must be a duration like 30s, or 'immutable'",
  });
}
