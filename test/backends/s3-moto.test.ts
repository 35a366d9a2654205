// The s3 backend's second opinion: moto's server.
import { describe, test } from 'vitest';
import { openS3Backend } from '../../backends/s3.ts';
import { backendContract } from '../contracts/backend.ts';
import { hasMoto, startMoto } from '../support/moto.ts';

const DEVIATIONS = {
  'checksums of parts become the composite checksum of the object': "moto does not tell an upload's algorithm",
  'checksums of parts become the full-object checksum, and a wrong one declared is BadDigest': 'moto checks none',
  'a complete that declares another size commits nothing': 'moto does not look at the size',
  'a token that the backend never gave is InvalidArgument': 'moto fails with a traceback',
  'an upload that is unknown, completed or aborted is NoSuchUpload': 'moto fails with a traceback on a part of one',
  'parts are listed by number, page by page': 'moto takes the marker for an index, and leaves parts out',
  'uploads under way are listed by key and then by age, page by page': 'moto has one page',
  'a part copied from beyond the end, from an absent key or against a condition is refused':
    'moto copies what is there',
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
