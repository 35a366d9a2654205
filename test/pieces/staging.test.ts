import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BufferPool } from '../../src/pieces/buffer-pool.ts';
import { pieceCount } from '../../src/pieces/piece.ts';
import { StagedObject } from '../../src/pieces/staging.ts';
import { allocatedBytes, openDiskShelf } from '../support/disk-shelf.ts';
import { FailingPieceStore } from '../support/failing-piece-store.ts';
import { MemoryPieceStore } from '../support/memory-piece-store.ts';
import { contentOf, isContent, readAll, testVersion } from '../support/piece-content.ts';

const BLOCK = 4096;
const options = { maxWaitingBytes: 8 * BLOCK, patienceMs: 50 };

function world(size: number) {
  const memory = new MemoryPieceStore({ blockSize: BLOCK });
  const store = new FailingPieceStore(memory);
  const version = testVersion('staged', size, 3 * BLOCK);
  const { id: _id, etag, ...fields } = version;
  const pool = new BufferPool({ maxFreeBytes: 2 ** 20 });
  const staged = new StagedObject({ store, pool }, options, fields);
  const content = Buffer.concat(
    Array.from({ length: pieceCount(version) }, (_, index) => contentOf({ version, index })),
  );
  return { memory, store, version, staged, content, etag, fields, pool };
}

test('a put that succeeded leaves the whole object on the shelf under the etag of the origin', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(8 * BLOCK),
      fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1 }),
      async (size, cuts) => {
        const { memory, version, staged, content, etag } = world(size);
        for (let at = 0, turn = 0; at < size; turn += 1) {
          const chunk = Buffer.from(content.subarray(at, at + (cuts[turn % cuts.length] ?? 1)));
          at += chunk.length;
          await staged.write(chunk);
          chunk.fill(0);
        }
        expect(await staged.commit(etag)).toEqual(version);
        expect(memory.held(version).isFull || size === 0).toBe(true);
        for (let index = 0; index < pieceCount(version); index += 1) {
          expect(isContent(await readAll(memory, { version, index }), { version, index })).toBe(true);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('before the origin has answered nothing can be read under any etag', async () => {
  const { memory, version, staged, content } = world(6 * BLOCK);
  await staged.write(content);
  expect(memory.held(version).isEmpty).toBe(true);
  expect(memory.usage().pieces).toBe(2);
});

for (const [why, end] of [
  ['a put that failed', (staged: StagedObject) => staged.abandon()],
  ['a put that ended short', (staged: StagedObject) => staged.commit('e0')],
] as const) {
  test(`${why} leaves nothing on the shelf`, async () => {
    const { memory, version, staged, content } = world(6 * BLOCK);
    await staged.write(content.subarray(0, 4 * BLOCK + 5));
    await end(staged);
    await staged.abandon();
    await staged.write(content.subarray(4 * BLOCK + 5));
    expect(await staged.commit('e0')).toBeUndefined();
    expect(memory.usage().pieces).toBe(0);
    expect(memory.held(version).isEmpty).toBe(true);
  });
}

test('more bytes than were announced are not staged', async () => {
  const { memory, staged, content } = world(BLOCK);
  await staged.write(content);
  await staged.write(content.subarray(0, 1));
  expect(await staged.commit('e0')).toBeUndefined();
  expect(memory.usage().pieces).toBe(0);
});

test('a shelf that keeps nothing fails no write, and the version has nothing', async () => {
  const { memory, store, version, staged, content, etag } = world(6 * BLOCK);
  store.failWrites = true;
  await staged.write(content);
  expect(await staged.commit(etag)).toEqual(version);
  expect(memory.usage().pieces).toBe(0);
});

test('what a shelf in trouble kept of a put is used, the rest is not there', async () => {
  const { memory, store, version, staged, content, etag } = world(6 * BLOCK);
  await staged.write(content.subarray(0, 3 * BLOCK));
  store.failWrites = true;
  await staged.write(content.subarray(3 * BLOCK));
  await staged.commit(etag);
  expect([...memory.held(version)]).toEqual([0]);
});

test('a hanging shelf delays a put by its patience once, and then the put goes on without it', async () => {
  const { memory, store, staged, content } = world(60 * BLOCK);
  let letGo = (): void => undefined;
  store.hold = new Promise((resolve) => {
    letGo = resolve;
  });
  const begun = performance.now();
  for (let at = 0; at < content.length; at += 1000) await staged.write(content.subarray(at, at + 1000));
  expect(await staged.commit('e0')).toBeUndefined();
  expect(performance.now() - begun).toBeLessThan(20 * options.patienceMs);
  store.hold = undefined;
  letGo();
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(memory.usage().pieces).toBe(0);
});

test('on disk, adopted pieces survive a restart and abandoned ones leave no byte', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    const { version, content, etag, fields, pool } = world(7 * BLOCK + 11);
    const make = (): StagedObject => new StagedObject({ store: shelf.store, pool }, options, fields);
    const [kept, left] = [make(), make()];
    for (const staged of [kept, left]) await staged.write(content);
    await kept.commit(etag);
    await left.abandon();
    await shelf.restart();
    await shelf.store.idle();
    expect(shelf.store.held(version).isFull).toBe(true);
    for (const index of [0, 1, 2]) {
      expect(isContent(await readAll(shelf.store, { version, index }), { version, index })).toBe(true);
    }
    expect((await allocatedBytes(shelf)).bytes).toBe(shelf.store.usage().diskBytes);
    expect(shelf.store.usage().pieces).toBe(3);
  } finally {
    await shelf.close();
  }
});

test('a piece that came by another way meanwhile is kept once', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    const { version, content, etag, fields, pool } = world(3 * BLOCK);
    const staged = new StagedObject({ store: shelf.store, pool }, options, fields);
    await staged.write(content);
    const writer = new StagedObject({ store: shelf.store, pool }, options, fields);
    await writer.write(content);
    await writer.commit(etag);
    await staged.commit(etag);
    await shelf.store.idle();
    expect(shelf.store.usage()).toMatchObject({ pieces: 1, diskBytes: 3 * BLOCK });
    expect(isContent(await readAll(shelf.store, { version, index: 0 }), { version, index: 0 })).toBe(true);
  } finally {
    await shelf.close();
  }
});
