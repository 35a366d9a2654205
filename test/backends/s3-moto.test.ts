// The s3 backend's second opinion: moto's server.
import { describe, test } from 'vitest';
import { openS3Backend } from '../../backends/s3.ts';
import { backendContract } from '../contracts/backend.ts';
import { hasMoto, startMoto } from '../support/moto.ts';

if (hasMoto()) {
  backendContract('s3 on moto', openOnMoto, { runs: 10, deviations: {} });
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
