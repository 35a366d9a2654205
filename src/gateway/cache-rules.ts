// What the configuration says of caching a key: whether, and for how long an answer about it is believed.
import type { ObjectRef } from '../../backends/backend.ts';
import type { BucketConfig } from '../config.ts';
import type { BucketMap } from '../objects/bucket-map.ts';
import type { Freshness } from '../objects/versions.ts';

export interface CacheRules {
  isCached(ref: ObjectRef): boolean;
  freshnessOf(ref: ObjectRef): Freshness;
}

type FreshnessConfig = Pick<BucketConfig, 'freshness' | 'missingFreshness' | 'staleIfError'>;

export function cacheRules(buckets: Readonly<Record<string, BucketConfig>>, map: BucketMap): CacheRules {
  const compiled = new Map(Object.entries(buckets).map(([name, bucket]) => [name, compile(bucket)]));
  const rulesOf = (name: string) => compiled.get(name) ?? compiled.get('*');
  return {
    isCached: ({ bucket }) => {
      const wish = (buckets[bucket] ?? buckets['*'])?.cache;
      return wish === 'auto' ? map.route(bucket).capabilities.local !== true : wish === 'on';
    },
    freshnessOf: ({ bucket, key }) =>
      rulesOf(bucket)?.find(({ prefix }) => key.startsWith(prefix))?.freshness ?? ALWAYS_ASK,
  };
}

const ALWAYS_ASK: Freshness = { freshMs: 0, missingFreshMs: 0, staleIfErrorMs: 0 };

/** Longest prefix first; the bucket's own rule is that of the empty prefix. */
function compile(bucket: BucketConfig): readonly { prefix: string; freshness: Freshness }[] {
  const rules = Object.entries(bucket.prefixes ?? {}).map(([prefix, own]) => ({
    prefix,
    freshness: toFreshness({
      freshness: own.freshness ?? bucket.freshness,
      missingFreshness: own.missingFreshness ?? bucket.missingFreshness,
      staleIfError: own.staleIfError ?? bucket.staleIfError,
    }),
  }));
  const longestFirst = rules.sort((left, right) => right.prefix.length - left.prefix.length);
  return [...longestFirst, { prefix: '', freshness: toFreshness(bucket) }];
}

function toFreshness({ freshness, missingFreshness, staleIfError }: FreshnessConfig): Freshness {
  return {
    freshMs: freshness === 'immutable' ? Number.POSITIVE_INFINITY : freshness,
    missingFreshMs: missingFreshness,
    staleIfErrorMs: staleIfError,
  };
}
