// The fs backend keeps the backend contract.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFsBackend } from '../../backends/fs.ts';
import { backendContract } from '../contracts/backend.ts';

backendContract('fs', async () => {
  const root = await mkdtemp(join(tmpdir(), 'dfstore-fs-'));
  const backend = await openFsBackend({ root, partMinBytes: 1_000, reserveBytes: 0 });
  await backend.buckets?.create('contract', { owner: 'tester' }, new AbortController().signal);
  const close = async (): Promise<void> => {
    await backend.close();
    await rm(root, { recursive: true });
  };
  return { backend, bucket: 'contract', close };
});
