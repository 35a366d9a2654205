// Promise 8 of docs/SEMANTICS.md at the cache itself: a shelf in trouble, limits reached, readers who give up at any
// moment. Reads get slower, never wrong, and nothing is held for those who are gone.
import type { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { BackendError } from '../../backends/backend.ts';
import { cacheWorld, drain, KIB, MIB } from '../support/cache-world.ts';
import { FailingPieceStore } from '../support/failing-piece-store.ts';
import { MemoryPieceStore } from '../support/memory-piece-store.ts';
import { type SyntheticOrigin, syntheticBytes } from '../support/synthetic-origin.ts';

const FRESH = { freshMs: 60_000 };

function failingStore(): FailingPieceStore {
  return new FailingPieceStore(new MemoryPieceStore({ blockSize: 64 * KIB }));
}

/** Bodies the origin gave out and that nobody has ended or let go of. */
function openBodies(origin: SyntheticOrigin): Set<Readable> {
  const open = new Set<Readable>();
  const read = origin.read.bind(origin);
  origin.read = async (...args) => {
    const result = await read(...args);
    open.add(result.body);
    result.body.once('close', () => open.delete(result.body));
    return result;
  };
  return open;
}

async function until(done: () => boolean): Promise<void> {
  await expect.poll(done).toBe(true);
}

test('a shelf that keeps nothing and says so is read past: a small range costs its own bytes, each time', async () => {
  const store = failingStore();
  store.refuses = true;
  const world = cacheWorld({ store, freshness: FRESH });
  world.origin.set('k', 8 * MIB);
  for (let round = 0; round < 5; round += 1) {
    const start = 3 * MIB + round * 100;
    const bytes = await world.bytes('k', { range: { start, end: start + 100 } });
    expect(bytes.equals(syntheticBytes('etag-of-k', start, start + 100))).toBe(true);
  }
  // The synthetic origin makes bytes in chunks of 64 KiB at most; it is asked for 100.
  expect(world.origin.counts).toMatchObject({ gets: 5, heads: 0, bodyBytes: 500 });
});

test('what a full shelf still holds is served from it, and what it does not hold comes from the origin', async () => {
  const store = failingStore();
  const world = cacheWorld({ store, freshness: FRESH });
  world.origin.set('k', 2 * MIB);
  await world.bytes('k', { range: { start: 0, end: MIB } });
  store.refuses = true;
  const before = world.origin.counts.bodyBytes;
  const held = await world.read('k', { range: { start: 10, end: 1000 } });
  expect(held.source).toBe('memory');
  expect((await drain(held)).equals(syntheticBytes('etag-of-k', 10, 1000))).toBe(true);
  expect(world.origin.counts.bodyBytes).toBe(before);
  const missing = await world.bytes('k', { range: { start: MIB - 10, end: MIB + 10 } });
  expect(missing.equals(syntheticBytes('etag-of-k', MIB - 10, MIB + 10))).toBe(true);
  store.refuses = false;
  await world.bytes('k');
  await world.bytes('k');
  expect(world.origin.counts.bodyBytes).toBe(2 * MIB + 20);
});

test('a shelf that claims bytes and cannot give them does not keep a reader waiting', async () => {
  const store = failingStore();
  const world = cacheWorld({ store, freshness: FRESH });
  world.origin.set('k', 3 * MIB);
  await world.bytes('k');
  store.failReads = true;
  expect((await world.bytes('k')).equals(syntheticBytes('etag-of-k', 0, 3 * MIB))).toBe(true);
  const range = await world.bytes('k', { range: { start: MIB - 5, end: MIB + 5 } });
  expect(range.equals(syntheticBytes('etag-of-k', MIB - 5, MIB + 5))).toBe(true);
});

test('a shelf that fails under many readers at once, with little memory, keeps none of them from their bytes', {
  timeout: 60_000,
}, async () => {
  const store = failingStore();
  const options = { inFlightBytes: 2 * MIB, windowBytes: 256 * KIB, pieceSize: MIB };
  const world = cacheWorld({ store, freshness: FRESH, options });
  for (let key = 0; key < 12; key += 1) world.origin.set(`k${key}`, 4 * MIB);
  const heads = Array.from({ length: 12 }, (_, key) =>
    world.objects.head({ bucket: 'b', key: `k${key}` }, {}, signal()),
  );
  await Promise.all(heads);
  store.failWrites = true;
  const all = await Promise.all(Array.from({ length: 12 }, (_, key) => world.bytes(`k${key}`)));
  for (const [key, bytes] of all.entries()) {
    expect(bytes.equals(syntheticBytes(`etag-of-k${key}`, 0, 4 * MIB))).toBe(true);
  }
});

test('past the limit of pieces on their way a read is refused as SlowDown, and no body of the origin is left open', async () => {
  const world = cacheWorld({ freshness: FRESH, options: { maxArriving: 1 } });
  const open = openBodies(world.origin);
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  world.origin.beforeChunk = () => gate;
  world.origin.set('one', MIB);
  world.origin.set('two', MIB);
  const first = world.bytes('one');
  await until(() => open.size === 1);
  await expect(world.read('two')).rejects.toMatchObject({ code: 'SlowDown' });
  await until(() => open.size === 1);
  go();
  expect((await first).length).toBe(MIB);
  await until(() => open.size === 0);
  expect((await world.bytes('two')).length).toBe(MIB);
});

test('a read that is given up before its first chunk was taken leaves nothing behind, cached or not', async () => {
  const world = cacheWorld({ freshness: FRESH, options: { maxArriving: 4 } });
  const open = openBodies(world.origin);
  for (const identity of ['strong', 'none'] as const) {
    for (let index = 0; index < 10; index += 1) {
      world.origin.set(`${identity}${index}`, 4 * MIB, { identity });
      const read = await world.read(`${identity}${index}`);
      await read.chunks.return();
      await until(() => open.size === 0);
    }
  }
  world.origin.set('last', 4 * MIB);
  expect((await world.bytes('last')).length).toBe(4 * MIB);
});

test('pieces that are here already are not read again when the record of their object was lost', async () => {
  const store = failingStore();
  const first = cacheWorld({ store, freshness: FRESH });
  first.origin.set('k', 2 * MIB);
  await first.bytes('k');
  const second = cacheWorld({ store, freshness: FRESH });
  const open = openBodies(second.origin);
  second.origin.set('k', 2 * MIB);
  second.origin.beforeChunk = () => new Promise((resolve) => setImmediate(resolve));
  expect((await second.bytes('k')).equals(syntheticBytes('etag-of-k', 0, 2 * MIB))).toBe(true);
  await until(() => open.size === 0);
  expect(second.origin.counts.gets).toBe(1);
  expect(second.origin.counts.bodyBytes).toBeLessThan(MIB);
});

test('a block that has come and is on its way to a slow shelf is not read from the origin again', async () => {
  const store = failingStore();
  const world = cacheWorld({ store, freshness: FRESH });
  world.origin.set('k', 10 * KIB);
  let go: () => void = () => undefined;
  store.holdWrites = new Promise<void>((resolve) => {
    go = resolve;
  });
  const first = await drain(await world.read('k'));
  const second = world.bytes('k');
  await new Promise((resolve) => setImmediate(resolve));
  go();
  expect((await second).equals(first)).toBe(true);
  expect(world.origin.counts.gets).toBe(1);
});

test('after a read was cut by a change, the next read gets the new version, whatever the freshness', async () => {
  for (const freshMs of [60_000, Number.POSITIVE_INFINITY]) {
    const world = cacheWorld({ freshness: { freshMs }, options: { parallelPieces: () => 1 } });
    world.origin.set('k', 3 * MIB);
    const read = await world.read('k');
    world.origin.set('k', 3 * MIB, { etag: 'second' });
    await expect(drain(read)).rejects.toMatchObject({ code: 'VersionChanged' });
    expect((await world.bytes('k')).equals(syntheticBytes('second', 0, 3 * MIB))).toBe(true);
  }
});

test('an origin that was silent for all of its own limit is not asked again: its readers wait no multiple of it', async () => {
  const world = cacheWorld({ freshness: FRESH });
  world.origin.set('k', MIB);
  await world.objects.head({ bucket: 'b', key: 'k' }, {}, signal());
  world.origin.beforeChunk = async () => {
    world.clock.now += 120_000;
    throw new BackendError('Timeout', 'No byte came from the origin for 120000 ms.');
  };
  await expect(world.bytes('k')).rejects.toMatchObject({ code: 'Timeout' });
  expect(world.origin.counts.gets).toBe(1);
});

test('an origin that went silent for a moment, or after it sent some, is asked for the rest', async () => {
  const world = cacheWorld({ freshness: FRESH });
  world.origin.set('k', MIB);
  let chunks = 0;
  world.origin.beforeChunk = async () => {
    chunks += 1;
    world.clock.now += chunks % 3 === 0 ? 5_000 : 20_000;
    if (chunks % 3 === 0) throw new BackendError('Timeout', 'No byte came from the origin for 5000 ms.');
  };
  expect((await world.bytes('k')).equals(syntheticBytes('etag-of-k', 0, MIB))).toBe(true);
  expect(world.origin.counts.bodyBytes).toBe(MIB);
  expect(world.origin.counts.gets).toBe(8);
});

test('a body that came with the answer to what an object is counts in the same limit', async () => {
  const world = cacheWorld({ freshness: FRESH });
  world.origin.set('k', MIB);
  world.origin.beforeChunk = async () => {
    world.clock.now += 120_000;
    throw new BackendError('Timeout', 'No byte came from the origin for 120000 ms.');
  };
  await expect(world.bytes('k')).rejects.toMatchObject({ code: 'Timeout' });
  expect(world.origin.counts.gets).toBe(1);
});

function signal(): AbortSignal {
  return new AbortController().signal;
}
