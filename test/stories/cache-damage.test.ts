// Promise 6 of docs/SEMANTICS.md at a whole gateway: whatever happens to the files of its cache, while it runs or while it
// does not, no wrong byte is served, and each object is served right.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CachedGateway } from '../support/cached-gateway.ts';
import { damage, inflict } from '../support/inflict-damage.ts';
import { SyntheticOrigin, syntheticBytes } from '../support/synthetic-origin.ts';

const KIB = 1024;
const SIZES: Readonly<Record<string, number>> = { small: 3 * KIB, whole: 1024 * KIB, large: 3 * 1024 * KIB + 777 };
const CACHE = { memory: 0, pieceSize: '1MiB', blockSize: '64KiB', scrub: 0 };
const damages = fc.array(damage, { minLength: 1, maxLength: 4 });

async function startWorld(verify: 'first' | 'always'): Promise<CachedGateway> {
  const origin = new SyntheticOrigin();
  for (const [key, size] of Object.entries(SIZES)) origin.set(key, size);
  return CachedGateway.start({ origin, cache: { ...CACHE, verify }, bucket: { freshness: '1h' } });
}

async function serveAll(world: CachedGateway): Promise<void> {
  for (const [key, size] of Object.entries(SIZES)) {
    const range = { start: Math.floor(size / 3), end: Math.ceil(size / 2) };
    const part = await world.get(`/models/${key}`, { range: `bytes=${range.start}-${range.end - 1}` });
    expect(part.body.equals(syntheticBytes(`etag-of-${key}`, range.start, range.end))).toBe(true);
    const { status, body } = await world.get(`/models/${key}`);
    expect(status).toBe(200);
    expect(body.equals(syntheticBytes(`etag-of-${key}`, 0, size))).toBe(true);
  }
}

async function cacheFiles({ gateway }: CachedGateway): Promise<string[]> {
  const entries = await readdir(join(gateway.dataDir, 'cache'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test('whatever happens to the cache of a stopped gateway, each object is served right after its start', {
  timeout: 120_000,
}, async () => {
  await using world = await startWorld('first');
  await serveAll(world);
  await fc.assert(
    fc.asyncProperty(damages, async (all) => {
      await world.gateway.restart(async () => {
        const files = await cacheFiles(world);
        expect(files.length).toBeGreaterThan(0);
        for (const each of all) await inflict(join(world.gateway.dataDir, 'index'), files, each);
      });
      await serveAll(world);
    }),
    { numRuns: 15 },
  );
});

test('with cache.verify: always, whatever happens to the cache of a running gateway, each object is served right', {
  timeout: 120_000,
}, async () => {
  await using world = await startWorld('always');
  await serveAll(world);
  await fc.assert(
    fc.asyncProperty(damages, async (all) => {
      const files = await cacheFiles(world);
      const toFiles = all.filter(({ kind }) => kind !== 'delete LevelDB');
      for (const each of toFiles) await inflict('', files, each);
      await serveAll(world);
    }),
    { numRuns: 15 },
  );
  expect(await world.metric('dfstore_piece_verification_failures_total')).toBeGreaterThan(0);
});
