// Promise 8 of docs/SEMANTICS.md at a whole gateway: without its cache it is a plain, correct proxy that says so.
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CachedGateway } from '../support/cached-gateway.ts';
import { WARN } from '../support/log-lines.ts';
import { SyntheticOrigin, syntheticBytes } from '../support/synthetic-origin.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const MIB = 1024 * 1024;
const SIZE = 9 * MIB;

function originOf(...keys: string[]): SyntheticOrigin {
  const origin = new SyntheticOrigin();
  for (const key of keys) origin.set(key, SIZE);
  return origin;
}

async function expectRight(world: CachedGateway, key: string): Promise<string> {
  const { status, body, headers } = await world.get(`/models/${key}`);
  expect(status).toBe(200);
  expect(body.equals(syntheticBytes(`etag-of-${key}`, 0, SIZE))).toBe(true);
  expect(headers['x-dfstore-version-age']).toMatch(/^\d+\.\d{3}$/);
  return String(headers['x-dfstore-source']);
}

test('with the cache off every read goes to the origin, as it was asked', async () => {
  const origin = originOf('k');
  await using world = await CachedGateway.start({ origin, cache: { enabled: false }, bucket: { freshness: '60s' } });
  for (let round = 0; round < 3; round += 1) expect(await expectRight(world, 'k')).toBe('origin');
  const { body } = await world.get('/models/k', { range: 'bytes=5000000-5000099' });
  expect(body.equals(syntheticBytes('etag-of-k', 5_000_000, 5_000_100))).toBe(true);
  expect(origin.counts).toMatchObject({ gets: 4, heads: 0, bodyBytes: 3 * SIZE + 100 });
});

test('a gateway whose cache directory cannot be made starts, serves, and says what is wrong', async () => {
  const file = join(import.meta.dirname, 'cache-degrade.test.ts');
  const origin = originOf('k');
  await using world = await CachedGateway.start({ origin, cache: { disks: [join(file, 'cache')] } });
  await expectRight(world, 'k');
  await expectRight(world, 'k');
  const { body } = await world.get('/models/k', { range: 'bytes=10-19' });
  expect(body.equals(syntheticBytes('etag-of-k', 10, 20))).toBe(true);
  expect(origin.counts.bodyBytes).toBe(2 * SIZE + 10);
  expect(await world.metric('dfstore_cache_failures_total')).toBeGreaterThan(0);
  expect(world.log.lines.filter(({ level, msg }) => level === WARN && /cache disk/.test(msg))).toHaveLength(1);
});

test('a cache disk that fails is served past, and used again when it works', { timeout: 60_000 }, async () => {
  const origin = originOf('a', 'b');
  await using world = await CachedGateway.start({ origin, cache: { memory: 0 }, bucket: { freshness: '1h' } });
  const cache = join(world.gateway.dataDir, 'cache', 'v1');
  await rename(cache, `${cache}-away`);
  await writeFile(cache, 'no directory');
  for (let round = 0; round < 2; round += 1) expect(await expectRight(world, 'a')).toBe('origin');
  expect(origin.counts.bodyBytes).toBe(2 * SIZE);
  expect(await world.metric('dfstore_cache_failures_total')).toBeGreaterThan(0);
  expect(world.log.lines.some(({ level, msg }) => level === WARN && msg.startsWith('A cache disk'))).toBe(true);
  await rm(cache);
  await rename(`${cache}-away`, cache);
  await expectUsedAgain(world, origin, ['a', 'b']);
});

const disk = await mountTmpfs(16 * MIB);
afterAll(() => disk.close());

describe.skipIf(!disk.mounted)('on a file system of its own (skipped where none can be mounted)', () => {
  const cache = { disks: [join(disk.path, 'cache')], memory: 0 };

  test('a cache disk that fills up is served past, and used again when it has room', { timeout: 60_000 }, async () => {
    const origin = originOf('a', 'b', 'c');
    await writeFile(join(disk.path, "somebody else's"), Buffer.alloc(4 * MIB));
    await using world = await CachedGateway.start({ origin, cache, bucket: { freshness: '1h' } });
    for (const key of ['a', 'b', 'c']) await expectRight(world, key);
    for (const key of ['a', 'b', 'c']) await expectRight(world, key);
    expect(await world.metric('dfstore_cache_failures_total')).toBeGreaterThan(0);
    expect(world.log.lines.some(({ msg }) => msg.startsWith('A cache disk takes no more writes'))).toBe(true);
    disk.resize(64 * MIB);
    await expectUsedAgain(world, origin, ['a', 'b', 'c']);
  });

  test('a cache disk that is read-only serves what it holds, and takes more when it is writable', {
    timeout: 60_000,
  }, async () => {
    disk.resize(64 * MIB);
    const origin = originOf('a', 'b');
    await using world = await CachedGateway.start({ origin, cache, bucket: { freshness: '1h' } });
    await expectRight(world, 'a');
    await world.gateway.restart(async () => disk.setWritable(false));
    for (let round = 0; round < 2; round += 1) expect(await expectRight(world, 'a')).toBe('disk');
    for (let round = 0; round < 2; round += 1) expect(await expectRight(world, 'b')).toBe('origin');
    expect(origin.counts.bodyBytes).toBe(3 * SIZE);
    expect(world.log.lines.some(({ msg }) => msg.startsWith('A cache disk takes no more writes'))).toBe(true);
    disk.setWritable(true);
    await expectUsedAgain(world, origin, ['a', 'b']);
  });
});

/** Without a restart: as soon as the gateway has seen that the disk works, objects come from it. */
async function expectUsedAgain(world: CachedGateway, origin: SyntheticOrigin, keys: readonly string[]): Promise<void> {
  await world.log.said('The cache disk works again.');
  for (const key of keys) await expectRight(world, key);
  const before = origin.counts.bodyBytes;
  for (const key of keys) expect(await expectRight(world, key)).toBe('disk');
  expect(origin.counts.bodyBytes).toBe(before);
}
