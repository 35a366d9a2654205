// Promises 2 to 5 of docs/SEMANTICS.md on one gateway, over an origin that counts.
import { expect, test } from 'vitest';
import { BackendError } from '../../backends/backend.ts';
import { cacheWorld, drain, KIB, MIB, refOf } from '../support/cache-world.ts';
import { FailingPieceStore } from '../support/failing-piece-store.ts';
import { MemoryPieceStore } from '../support/memory-piece-store.ts';
import { syntheticBytes } from '../support/synthetic-origin.ts';

test('a cold small object costs one origin request, for any number of readers at once', async () => {
  const world = cacheWorld({ freshness: { freshMs: 60_000 } });
  world.origin.set('k', 10 * KIB);
  const all = await Promise.all(Array.from({ length: 100 }, () => world.bytes('k')));
  for (const bytes of all) expect(bytes.equals(syntheticBytes('etag-of-k', 0, 10 * KIB))).toBe(true);
  expect(world.origin.counts).toMatchObject({ gets: 1, heads: 0, bodyBytes: 10 * KIB });
  await world.bytes('k');
  expect(world.origin.counts.gets).toBe(1);
});

test('at freshness 0 one body is read, and every later read is one conditional request', async () => {
  const world = cacheWorld();
  world.origin.set('k', 10 * KIB);
  for (let index = 0; index < 20; index += 1) await world.bytes('k');
  expect(world.origin.counts).toMatchObject({ gets: 20, notModified: 19, bodyBytes: 10 * KIB });
});

test('200 clients reading random overlapping ranges read each piece from the origin once', {
  timeout: 120_000,
}, async () => {
  const size = 256 * MIB;
  const pieceSize = 4 * MIB;
  const world = cacheWorld({ freshness: { freshMs: 60_000 }, options: { pieceSize } });
  world.origin.set('k', size);
  const touched = new Set<number>();
  const reads = Array.from({ length: 200 }, async () => {
    const start = Math.floor(Math.random() * size);
    const end = Math.min(size, start + 1 + Math.floor(Math.random() * 2 * MIB));
    for (let piece = Math.floor(start / pieceSize); piece * pieceSize < end; piece += 1) touched.add(piece);
    const bytes = await world.bytes('k', { range: { start, end } });
    expect(bytes.equals(syntheticBytes('etag-of-k', start, end))).toBe(true);
  });
  await Promise.all(reads);
  // The rest of a piece comes in after those who wanted some of it have it.
  await expect.poll(() => world.origin.counts.bodyBytes).toBeGreaterThanOrEqual(touched.size * pieceSize);
  expect(world.origin.counts.bodyBytes).toBe(touched.size * pieceSize);
});

test('with half of the clients leaving at random, no byte is read twice', { timeout: 60_000 }, async () => {
  const size = 32 * MIB;
  const world = cacheWorld({ freshness: { freshMs: 60_000 } });
  world.origin.set('k', size);
  world.origin.beforeChunk = () => new Promise((resolve) => setImmediate(resolve));
  const reads = Array.from({ length: 100 }, async (_, index) => {
    const start = Math.floor(Math.random() * size);
    const end = Math.min(size, start + 1 + Math.floor(Math.random() * 4 * MIB));
    const leaving = new AbortController();
    const read = await world.read('k', { range: { start, end } }, leaving.signal);
    if (index % 2 === 0) {
      for (let chunks = Math.floor(Math.random() * 4); chunks > 0; chunks -= 1) await read.chunks.next();
      leaving.abort(new Error('the client left'));
      await read.chunks.return();
    } else {
      expect((await drain(read)).equals(syntheticBytes('etag-of-k', start, end))).toBe(true);
    }
  });
  await Promise.all(reads);
  expect((await world.bytes('k')).equals(syntheticBytes('etag-of-k', 0, size))).toBe(true);
  expect(world.origin.counts.bodyBytes).toBe(size);
});

test('of a piece larger than what is finished for nobody, what is complete when its readers leave is not read again', async () => {
  const pieceSize = 16 * MIB;
  const world = cacheWorld({ freshness: { freshMs: 60_000 }, options: { pieceSize } });
  world.origin.set('k', pieceSize);
  world.origin.beforeChunk = () => new Promise((resolve) => setImmediate(resolve));
  for (let visit = 0; visit < 5; visit += 1) {
    const leaving = new AbortController();
    const read = await world.read('k', {}, leaving.signal);
    for (let blocks = 0; blocks < 4; blocks += 1) await read.chunks.next();
    leaving.abort(new Error('the client left'));
    await read.chunks.return();
  }
  expect(world.origin.counts.bodyBytes).toBeLessThan(pieceSize / 2);
  expect((await world.bytes('k')).equals(syntheticBytes('etag-of-k', 0, pieceSize))).toBe(true);
  const inHand = 5 * (64 * KIB + 2 * 64 * KIB);
  expect(world.origin.counts.bodyBytes).toBeLessThanOrEqual(pieceSize + inHand);
});

test('the last bytes of a huge object cost only the pieces they touch', async () => {
  const size = 10 * 1024 * MIB;
  const world = cacheWorld({ options: { pieceSize: 4 * MIB } });
  world.origin.set('k', size);
  const bytes = await world.bytes('k', { range: { suffixBytes: 100_000 } });
  expect(bytes.equals(syntheticBytes('etag-of-k', size - 100_000, size))).toBe(true);
  expect(world.origin.counts.bodyBytes).toBe(4 * MIB);
});

test('a change found before the first byte starts the read again with the new version', async () => {
  const world = cacheWorld({ freshness: { freshMs: 60_000 } });
  world.origin.set('k', 3 * MIB);
  await world.bytes('k', { range: { start: 0, end: 10 } });
  world.origin.set('k', 2 * MIB, { etag: 'second' });
  const bytes = await world.bytes('k', { range: { start: MIB, end: MIB + 100 } });
  expect(bytes.equals(syntheticBytes('second', MIB, MIB + 100))).toBe(true);
});

test('a change found after the first byte ends the read with an error, never with bytes of both', async () => {
  const world = cacheWorld({ freshness: { freshMs: 60_000 }, options: { parallelPieces: () => 1 } });
  world.origin.set('k', 3 * MIB);
  const read = await world.read('k');
  world.origin.set('k', 3 * MIB, { etag: 'second' });
  const seen: Buffer[] = [];
  await expect(
    (async () => {
      for await (const chunk of read.chunks) seen.push(Buffer.from(chunk.bytes));
    })(),
  ).rejects.toMatchObject({ code: 'VersionChanged' });
  const got = Buffer.concat(seen);
  expect(got.length).toBeLessThan(3 * MIB);
  expect(got.equals(syntheticBytes('etag-of-k', 0, got.length))).toBe(true);
});

test('an origin that cuts is asked for the rest only', async () => {
  const world = cacheWorld();
  world.origin.set('k', MIB);
  world.origin.cutAfterBytes = 320 * KIB;
  expect((await world.bytes('k')).equals(syntheticBytes('etag-of-k', 0, MIB))).toBe(true);
  expect(world.origin.counts.bodyBytes).toBe(MIB);
});

test('changed metadata is seen though the bytes stay cached', async () => {
  const world = cacheWorld();
  world.origin.set('k', MIB, { metadata: { colour: 'red' } });
  await world.bytes('k');
  world.origin.set('k', MIB, { metadata: { colour: 'blue' }, lastModified: new Date('2021-01-01T00:00:00Z') });
  const read = await world.read('k');
  expect(read.info.metadata).toEqual({ colour: 'blue' });
  await drain(read);
  expect(world.origin.counts.bodyBytes).toBe(MIB);
});

test('while the origin is down, a cached object is served within staleIfError and not beyond', async () => {
  const world = cacheWorld({ freshness: { staleIfErrorMs: 1000 } });
  world.origin.set('k', MIB);
  await world.bytes('k');
  world.origin.down = new BackendError('Unavailable', 'The origin is down.');
  world.clock.now += 1000;
  const read = await world.read('k');
  expect(read.versionAgeMs).toBe(1000);
  await drain(read);
  world.clock.now += 1;
  await expect(world.read('k')).rejects.toMatchObject({ code: 'Unavailable' });
});

test('an object without a usable identity is streamed and not cached', async () => {
  const world = cacheWorld({ freshness: { freshMs: 60_000 } });
  world.origin.set('k', MIB, { identity: 'none' });
  await world.bytes('k');
  const before = world.origin.counts.bodyBytes;
  expect((await world.bytes('k')).length).toBe(MIB);
  expect(world.origin.counts.bodyBytes - before).toBe(MIB);
});

test('an empty object is read, whole and in part', async () => {
  const world = cacheWorld();
  world.origin.set('k', 0);
  expect((await world.bytes('k')).length).toBe(0);
  await expect(world.read('k', { range: { start: 0, end: 10 } })).rejects.toMatchObject({ code: 'InvalidRange' });
});

test('a big cold read has several origin requests under way', async () => {
  const world = cacheWorld();
  world.origin.set('k', 8 * MIB);
  let inFlight = 0;
  let most = 0;
  const read = world.origin.read.bind(world.origin);
  world.origin.read = async (...args) => {
    const result = await read(...args);
    inFlight += 1;
    most = Math.max(most, inFlight);
    result.body.once('close', () => {
      inFlight -= 1;
    });
    return result;
  };
  world.origin.beforeChunk = () => new Promise((resolve) => setImmediate(resolve));
  await world.bytes('k');
  expect(most).toBeGreaterThanOrEqual(3);
  expect(world.origin.counts.bodyBytes).toBe(8 * MIB);
});

test('where the bytes came from and how old the answer is are told', async () => {
  const world = cacheWorld({ freshness: { freshMs: 60_000 } });
  world.origin.set('k', MIB);
  const cold = await world.read('k');
  expect(cold).toMatchObject({ source: 'origin', versionAgeMs: 0 });
  await drain(cold);
  world.clock.now += 250;
  const warm = await world.read('k');
  expect(warm).toMatchObject({ source: 'memory', versionAgeMs: 250 });
  await drain(warm);
});

test('a missing object is an answer, and remembered for missingFreshness', async () => {
  const world = cacheWorld({ freshness: { missingFreshMs: 1000 } });
  await expect(world.read('gone')).rejects.toMatchObject({ code: 'NoSuchKey' });
  await expect(world.objects.head(refOf('gone'), {}, new AbortController().signal)).rejects.toMatchObject({
    code: 'NoSuchKey',
  });
  expect(world.origin.counts.gets + world.origin.counts.heads).toBe(1);
});

test('a short range is answered whole across pieces: from memory at once, from a shelf when all of it is read', async () => {
  const store = new FailingPieceStore(new MemoryPieceStore({ blockSize: 64 * KIB }));
  const world = cacheWorld({ store, freshness: { freshMs: 60_000 } });
  world.origin.set('k', 3 * MIB);
  await world.bytes('k');
  const range = { start: MIB - 10, end: MIB + 20 };
  const inMemory = world.objects.atHand(refOf('k'), { range });
  store.hold = Promise.resolve();
  const onShelf = world.objects.atHand(refOf('k'), { range });
  expect(inMemory).not.toBeInstanceOf(Promise);
  expect(onShelf).toBeInstanceOf(Promise);
  for (const read of [await inMemory, await onShelf]) {
    if (read?.whole === undefined) throw new Error('It is not at hand.');
    const bytes = Buffer.concat(read.whole.map((chunk) => chunk.bytes));
    expect(bytes.equals(syntheticBytes('etag-of-k', range.start, range.end))).toBe(true);
    expect((await drain(read)).equals(bytes)).toBe(true);
  }
  expect(world.objects.atHand(refOf('k'), { range: { start: 10, end: 11 + MIB } })).toBeUndefined();
});

test('of a range across pieces whose second the shelf cannot give, the first is given back and all is read anew', async () => {
  const inner = new MemoryPieceStore({ blockSize: 64 * KIB });
  const store = new FailingPieceStore(inner);
  const world = cacheWorld({ store, freshness: { freshMs: 60_000 } });
  world.origin.set('k', 2 * MIB);
  await world.bytes('k');
  let lent = 0;
  store.hold = Promise.resolve();
  store.read = async (slice) => {
    const read = slice.piece.index === 1 ? undefined : await inner.read(slice);
    if (read === undefined) return undefined;
    lent += 1;
    return {
      ...read,
      release: () => {
        lent -= 1;
      },
    };
  };
  const range = { start: MIB - 10, end: MIB + 20 };
  expect(await world.objects.atHand(refOf('k'), { range })).toBeUndefined();
  expect(lent).toBe(0);
  expect((await world.bytes('k', { range })).equals(syntheticBytes('etag-of-k', range.start, range.end))).toBe(true);
  expect(lent).toBe(0);
});
