// From what was written to what is meant: defaults that depend on other settings, and what must fit together. Settings
// of abilities that this version does not have are refused here, so that nobody relies on what does not happen.
import { join } from 'node:path';
import type { BucketConfig, Config, SETTINGS } from '../config.ts';
import { backendsSchema } from './backend-settings.ts';
import { bucketsSchema } from './bucket-settings.ts';
import { checkLimits } from './check-limits.ts';
import { checkMesh } from './check-mesh.ts';
import { deepFreeze } from './deep-freeze.ts';
import { nearestName } from './nearest-name.ts';
import type { ConfigOf } from './setting.ts';

type Parsed = ConfigOf<typeof SETTINGS>;

/** What is wrong is added to `problems`; with any, the result must not be used. */
export function completeConfig(parsed: Parsed, problems: string[]): Config {
  const backends = parsed.backends ?? defaultBackends(parsed.data);
  const buckets = parsed.buckets ?? defaultBuckets(backends, problems);
  const config: Config = { ...parsed, backends, buckets };
  checkBuckets(config, problems);
  checkPairs(config, problems);
  checkLimits(config, problems);
  checkMesh(config, problems);
  return deepFreeze(config);
}

function defaultBackends(data: string): Config['backends'] {
  return backendsSchema.parse({ local: { type: 'fs', root: join(data, 'objects') } }) ?? {};
}

function defaultBuckets(backends: Config['backends'], problems: string[]): Readonly<Record<string, BucketConfig>> {
  const names = Object.keys(backends);
  const [backend] = names;
  if (backend === undefined || names.length > 1) {
    problems.push(
      backend === undefined
        ? 'backends: must have at least one backend'
        : `buckets: say which backend holds which bucket; with several backends (${names.join(', ')}) none is the default`,
    );
    return {};
  }
  return bucketsSchema.parse({ '*': { backend } }) ?? {};
}

function checkBuckets({ backends, buckets }: Config, problems: string[]): void {
  const known = Object.keys(backends);
  for (const [name, bucket] of Object.entries(buckets)) {
    if (!known.includes(bucket.backend)) {
      const nearest = nearestName(bucket.backend, known) ?? known.join(', ');
      problems.push(`buckets.${name}.backend: there is no backend '${bucket.backend}'; did you mean ${nearest}?`);
    }
    if (name === '*' && bucket.bucket !== undefined) {
      problems.push('buckets.*.bucket: every bucket would be the same one; name buckets one by one instead');
    }
    if (bucket.writeMode !== 'write-through') {
      problems.push(
        `buckets.${name}.writeMode: '${bucket.writeMode}' is not available in this version; use write-through`,
      );
    }
  }
}

function checkPairs({ tls, auth }: Config, problems: string[]): void {
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    problems.push(`tls: cert and key belong together; ${tls.cert === undefined ? 'cert' : 'key'} is missing`);
  }
  if ((auth.accessKeyId === undefined) !== (auth.secretAccessKey === undefined)) {
    const missing = auth.accessKeyId === undefined ? 'DFSTORE_ACCESS_KEY_ID' : 'DFSTORE_SECRET_ACCESS_KEY';
    problems.push(`auth: accessKeyId and secretAccessKey belong together; ${missing} is missing`);
  }
}
