// The s3 backend's second opinion: moto's server.
import { describe, test } from 'vitest';
import { openS3Backend } from '../../backends/s3.ts';
import { backendContract } from '../contracts/backend.ts';
import { hasMoto, startMoto } from '../support/moto.ts';

const DEVIATIONS = {
  'a read of an object that has not changed tells its etag, and when it was changed last':
    "moto's 304 has no Last-Modified",
  'checksums of parts become the composite checksum of the object': "moto does not tell an upload's algorithm",
  'checksums of parts become the full-object checksum, and a wrong one declared is BadDigest': 'moto checks none',
  'a complete that declares another size commits nothing': 'moto does not look at the size',
  'a token that the backend never gave is InvalidArgument': 'moto fails with a traceback',
  'an upload that is unknown, completed or aborted is NoSuchUpload': 'moto fails with a traceback on a part of one',
  'parts are listed by number, page by page': 'moto takes the marker for an index, and leaves parts out',
  'uploads under way are listed by key and then by age, page by page': 'moto has one page',
  'a part copied from beyond the end, from an absent key or against a condition is refused':
    'moto copies what is there',
  'an object that is not there has no tags to read, set or delete': 'moto fails with a traceback',
  'a delete puts a marker on top, which hides the object and nothing else': 'moto takes a marker for no version',
  'a key that was never there gets a marker all the same, and markers pile up': 'moto makes none',
  'when the newest version or marker is removed, what was before it is the object again': 'moto tells no version',
  'what was written before versions were switched on is the null version': 'moto tells no version of it',
  'while suspended, a write replaces the null version and leaves the others': 'moto drops the others',
  'while suspended, a delete replaces the null version with a marker': 'moto makes none',
  'a null version among newer ones is replaced where it is, and the new one is the newest': 'moto drops the others',
  'a multipart upload makes a version, which keeps its parts when another follows': 'moto ignores part numbers',
  'versions are listed by key and age, page by page, prefixes once': 'moto makes no marker of a key it has not',
  'any order of writes, deletes and removals leaves the versions that a model has': 'for all of these reasons',
  'puts of one key at once leave one of them, whole': "moto's threads trip over each other",
};

if (hasMoto()) {
  backendContract('s3 on moto', openOnMoto, {
    runs: 10,
    acceptsKey: (key) => !key.includes('\n'),
    deviations: DEVIATIONS,
  });
} else {
  describe('backend contract: s3 on moto', () => {
    test.skip("skipped: not installed (pip install 'moto[server]')", () => undefined);
  });
}

async function openOnMoto() {
  const server = await startMoto();
  const backend = openS3Backend({ ...server, pathStyle: true });
  const bucket = 'contract';
  await backend.buckets?.create(bucket, { owner: 'tester' }, new AbortController().signal);
  const close = async () => {
    await backend.close();
    await server.close();
  };
  return { backend, bucket, close };
}
