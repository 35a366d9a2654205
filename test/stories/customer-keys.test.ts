// What a client's own key opens is in no cache: not on its way in, not on its way out.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { CachedGateway } from '../support/cached-gateway.ts';
import { MemoryBackend } from '../support/memory-backend.ts';

const KEY = Buffer.alloc(32, 'k');
const CUSTOMER = {
  'x-amz-server-side-encryption-customer-algorithm': 'AES256',
  'x-amz-server-side-encryption-customer-key': KEY.toString('base64'),
  'x-amz-server-side-encryption-customer-key-md5': createHash('md5').update(KEY).digest('base64'),
};

test("bytes under a client's own key are never kept, and replace what was cached of their object", async () => {
  const origin = new MemoryBackend({ capabilities: { encryption: ['customer'] } });
  await origin.buckets.create('sealed', { owner: 'acme' }, new AbortController().signal);
  await using world = await CachedGateway.start({ origin, bucket: { freshness: '1h' } });
  await world.put('/sealed/plain', 'cached');
  expect((await world.get('/sealed/plain')).headers['x-dfstore-source']).not.toBe('origin');
  const cachedBytes = await world.metric('dfstore_cache_bytes');
  expect(cachedBytes).toBeGreaterThan(0);

  expect((await world.put('/sealed/key', 'secret', CUSTOMER)).status).toBe(200);
  for (let time = 1; time <= 3; time += 1) {
    const { body, headers } = await world.get('/sealed/key', CUSTOMER);
    expect([body.toString(), headers['x-dfstore-source']]).toEqual(['secret', 'origin']);
  }
  expect(await world.metric('dfstore_cache_bytes')).toBe(cachedBytes);

  await world.put('/sealed/plain', 'sealed now', CUSTOMER);
  expect((await world.get('/sealed/plain', CUSTOMER)).body.toString()).toBe('sealed now');
  expect(world.log.text).not.toContain(KEY.toString('base64'));
});
