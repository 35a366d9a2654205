// The contract's versioning over the store: the switch is part of the bucket's row, what it means is in succession.ts.
import type { Versioning } from '../backend.ts';
import type { FsRoot } from './root.ts';
import { listVersions } from './version-listing.ts';

type Run = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

export function versioningOf({ buckets, index }: Pick<FsRoot, 'buckets' | 'index'>, run: Run): Versioning {
  return {
    get: (bucket, signal) =>
      run(signal, async () => {
        buckets.require(bucket);
        return buckets.versioning(bucket);
      }),
    set: (bucket, status, signal) => run(signal, () => buckets.setVersioning(bucket, status)),
    list: (bucket, options, signal) =>
      run(signal, async () => {
        buckets.require(bucket);
        return listVersions(index.rows, bucket, options);
      }),
  };
}
