// The s3 backend against a real S3 server that checks signatures: Debian's radosgw.
import { describe, test } from 'vitest';
import { openS3Backend } from '../../backends/s3.ts';
import { backendContract } from '../contracts/backend.ts';
import { hasRadosgw, startRadosgw } from '../support/radosgw.ts';

if (hasRadosgw()) {
  backendContract('s3 on radosgw', openOnRadosgw, { runs: 10, deviations: {} });
} else {
  describe('backend contract: s3 on radosgw', () => {
    test.skip('skipped: not installed (apt-get install radosgw ceph-mon ceph-osd ceph-common)', () => undefined);
  });
}

async function openOnRadosgw() {
  const server = await startRadosgw();
  const backend = openS3Backend({ ...server, pathStyle: true });
  const bucket = 'contract';
  await backend.buckets?.create(bucket, { owner: 'tester' }, new AbortController().signal);
  const close = async () => {
    await backend.close();
    await server.close();
  };
  return { backend, bucket, close };
}
