// The documents kept with a bucket: a row each in the index, removed with the bucket's own row (fs/bucket-store.ts).
import type { BucketDocuments } from '../backend.ts';
import { rowName } from './records.ts';
import type { FsRoot } from './root.ts';

type Run = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

export function documentsOf({ buckets, index }: Pick<FsRoot, 'buckets' | 'index'>, run: Run): BucketDocuments {
  return {
    get: (bucket, name, signal) =>
      run(signal, async () => {
        buckets.require(bucket);
        return index.rows.get<string>(rowName.document(bucket, name));
      }),
    set: (bucket, name, document, signal) =>
      run(signal, () =>
        buckets.within(bucket, () =>
          index.write([{ type: 'put', key: rowName.document(bucket, name), value: document }], 'durable'),
        ),
      ),
    delete: (bucket, name, signal) =>
      run(signal, () =>
        buckets.within(bucket, () => index.write([{ type: 'del', key: rowName.document(bucket, name) }], 'durable')),
      ),
  };
}
