// Promise 8 of docs/SEMANTICS.md with real disks beneath the cache: while they fail, objects are read past them, byte by
// byte as clients ask; when they work again, they are used again.
import { expect, test } from 'vitest';
import { MemoryTier } from '../../src/pieces/memory-tier.ts';
import { cacheWorld, drain, KIB, MIB } from '../support/cache-world.ts';
import { type DiskShelf, openDiskShelf } from '../support/disk-shelf.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { syntheticBytes } from '../support/synthetic-origin.ts';

const SIZE = 6 * MIB + 123;

type World = ReturnType<typeof cacheWorld>;

async function withDisks(act: (world: World, shelf: DiskShelf, files: FaultyFiles) => Promise<void>): Promise<void> {
  const files = new FaultyFiles();
  const shelf = await openDiskShelf({ blockSize: 64 * KIB, files, disks: 2 });
  const store = new MemoryTier({ below: shelf.store }, { capacityBytes: 4 * MIB });
  const world = cacheWorld({ store, freshness: { freshMs: 60_000 } });
  world.origin.set('k', SIZE);
  try {
    await act(world, shelf, files);
    expect(world.failures).toEqual([]);
  } finally {
    files.mend();
    await world.close();
    await shelf.close();
  }
}

async function expectRight(world: World, start = 0, end = SIZE): Promise<void> {
  const bytes = await world.bytes('k', { range: { start, end } });
  expect(bytes.equals(syntheticBytes('etag-of-k', start, end))).toBe(true);
}

/** What readers do not wait for: blocks are put on the shelf while they are sent. */
async function until(done: () => boolean): Promise<void> {
  await expect.poll(done).toBe(true);
}

/** Reads objects until no disk is left: chance may place all pieces of one object on the same disk. */
async function untilAllFailed(world: World, { observer }: DiskShelf): Promise<void> {
  for (let failed = 0; failed < 2; failed = observer.diskEvents.length) {
    const key = `filler-${failed}`;
    world.origin.set(key, MIB);
    await world.bytes(key);
    await until(() => observer.diskEvents.length > failed);
  }
}

async function shelved(world: World): Promise<void> {
  for (let start = 0; start < SIZE; ) {
    const read = await world.read('k', { range: { start, end: start + 1 } });
    await drain(read);
    await new Promise((resolve) => setImmediate(resolve));
    if (read.source !== 'origin') start += MIB;
  }
}

for (const code of ['EIO', 'ENOSPC', 'EROFS']) {
  test(`while no disk can be written to (${code}) objects are read past them, and again through them when they heal`, () =>
    withDisks(async (world, shelf, files) => {
      const { store } = shelf;
      files.fail('write', code);
      await expectRight(world);
      await untilAllFailed(world, shelf);
      expect(store.accepting).toBe(false);
      const before = world.origin.counts.bodyBytes;
      for (let at = 0; at < 10; at += 1) await expectRight(world, at * 1000, at * 1000 + 500);
      expect(world.origin.counts.bodyBytes - before).toBe(10 * 500);
      files.mend();
      await store.heal();
      await expectRight(world);
      await shelved(world);
      const healed = world.origin.counts.bodyBytes;
      await expectRight(world);
      expect(world.origin.counts.bodyBytes).toBe(healed);
    }));
}

test('disks that fail to read in the middle of everything cost origin reads and nothing else', () =>
  withDisks(async (world, { store, observer }, files) => {
    await expectRight(world);
    await shelved(world);
    files.fail('read', 'EIO');
    await Promise.all(Array.from({ length: 20 }, (_, at) => expectRight(world, at * 200 * KIB, at * 200 * KIB + MIB)));
    expect(observer.diskEvents.filter((event) => event === 'out').length).toBeGreaterThan(0);
    files.mend();
    await store.heal();
    await expectRight(world);
  }));

test('with LevelDB gone objects are served, from the cache while the process lives', () =>
  withDisks(async (world, shelf) => {
    await expectRight(world, 0, MIB);
    await shelf.level.close();
    await expectRight(world);
    await until(() => shelf.store.usage().diskBytes >= SIZE && shelf.observer.databaseErrors.length > 0);
    const before = world.origin.counts.bodyBytes;
    await expectRight(world, 2 * MIB, 3 * MIB);
    expect(world.origin.counts.bodyBytes).toBe(before);
  }));
