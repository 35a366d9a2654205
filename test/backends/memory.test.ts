// The memory backend keeps the contract that it stands in for.
import { backendContract } from '../contracts/backend.ts';
import { MemoryBackend } from '../support/memory-backend.ts';

backendContract('memory', async () => {
  const backend = new MemoryBackend();
  await backend.buckets.create('contract', { owner: 'tester' }, new AbortController().signal);
  return { backend, bucket: 'contract', close: () => backend.close() };
});
