// What a seed is for: gateways with little room scan more than they can keep, through the seed too, and the data set that
// nobody but the seed holds any longer is still in the mesh.
import { expect, test } from 'vitest';
import { MeshGateways } from '../support/mesh-gateways.ts';

const MIB = 1024 * 1024;
/** Of each gateway, in pieces of 1 MiB. */
const CAPACITY = 48;
const HOT = 12;
const SCANNED = 96;

test('after scans of twice what each can keep, the seed still has what only it held: the origin gives none of it', {
  timeout: 120_000,
}, async () => {
  await using mesh = await MeshGateways.start({
    count: 3,
    cache: { capacity: `${CAPACITY}MiB`, memory: 0, readAhead: 0 },
    meshOf: (index) => ({ role: index === 0 ? 'seed' : 'tracker' }),
  });
  const { origin } = mesh;
  const [seed, ...others] = mesh.all;
  const hot = await origin.set('hot', HOT * MIB);
  const scanned = Array.from({ length: SCANNED }, (_, index) => `scanned-${index}`);
  for (const key of scanned) await origin.set(key, MIB);
  await mesh.settled('hot', ...scanned.slice(0, 4));

  // The seed alone, once: by its own order these would be the first to go.
  expect((await seed?.get('hot'))?.status).toBe(200);
  for (const key of scanned) {
    for (const gateway of [...others, seed]) expect((await gateway?.get(key))?.status).toBe(200);
  }
  for (const gateway of mesh.all) {
    expect(await gateway.metric('dfstore_cache_evicted_bytes_total')).toBeGreaterThan((SCANNED - CAPACITY) * MIB);
  }
  origin.reset();
  for (const gateway of others) expect((await gateway.get('hot')).body.equals(hot)).toBe(true);
  expect(origin.bodyBytes).toBe(0);
});
