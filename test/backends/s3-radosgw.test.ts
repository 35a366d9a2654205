// The s3 backend against a real S3 server that checks signatures: Debian's radosgw.
import { describe, test } from 'vitest';
import { openS3Backend } from '../../backends/s3.ts';
import { backendContract } from '../contracts/backend.ts';
import { hasRadosgw, startRadosgw } from '../support/radosgw.ts';

/** Of Debian's version, 16. */
const DEVIATIONS = {
  'a token that the backend never gave is InvalidArgument': 'its tokens are keys, and any text is one',
  'parts that were sent but not named are left out': 'it wants every part named',
};

if (hasRadosgw()) {
  backendContract('s3 on radosgw', openOnRadosgw, { runs: 10, deviations: DEVIATIONS });
} else {
  describe('backend contract: s3 on radosgw', () => {
    test.skip('skipped: not installed (apt-get install radosgw ceph-mon ceph-osd ceph-common)', () => undefined);
  });
}

async function openOnRadosgw() {
  const server = await startRadosgw();
  const backend = openS3Backend({ ...server, pathStyle: true, checksums: false });
  const bucket = 'contract';
  await backend.buckets?.create(bucket, { owner: 'tester' }, new AbortController().signal);
  const close = async () => {
    await backend.close();
    await server.close();
  };
  return { backend, bucket, close };
}
