import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arrivals } from '../../src/pieces/arrivals.ts';
import type { ArrivingPiece, PieceReader } from '../../src/pieces/arriving.ts';
import { blockCount } from '../../src/pieces/blocks.ts';
import { BufferPool } from '../../src/pieces/buffer-pool.ts';
import { BlockDigests, blockDigest } from '../../src/pieces/digests.ts';
import { type Piece, pieceLength } from '../../src/pieces/piece.ts';
import type { Feed } from '../../src/pieces/piece-feed.ts';
import { FailingPieceStore } from '../support/failing-piece-store.ts';
import { MemoryPieceStore } from '../support/memory-piece-store.ts';
import { contentOf, readAll, shelve, testVersion } from '../support/piece-content.ts';

const BLOCK = 4096;
const piece: Piece = { version: testVersion('arriving', 10 * BLOCK + 100, 10 * BLOCK + 100), index: 0 };
const content = contentOf(piece);
const all = { first: 0, end: 11 };
const { signal } = new AbortController();

function world(options: { windowBytes?: number; maxArriving?: number } = {}) {
  const memory = new MemoryPieceStore({ blockSize: BLOCK });
  const store = new FailingPieceStore(memory);
  const unwanted: ArrivingPiece[] = [];
  const arrivals = new Arrivals(
    { store, pool: new BufferPool({ maxFreeBytes: 1024 * 1024 }) },
    {
      windowBytes: options.windowBytes ?? 4 * BLOCK,
      maxArriving: options.maxArriving ?? 100,
      unwanted: (arriving) => unwanted.push(arriving),
    },
  );
  return { memory, store, arrivals, unwanted };
}

/** Reads from there to the end, copying; stops short where bytes are not coming. */
async function readOn(reader: PieceReader, start = 0, end = content.length): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let at = start; at < end; ) {
    const read = await reader.read(at, end, signal);
    if (read === undefined) break;
    chunks.push(Buffer.from(read.bytes));
    at += read.bytes.length;
    read.release();
  }
  return Buffer.concat(chunks);
}

async function pushAll(feed: Feed, bytes: Buffer, chunkBytes = 1000): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) await feed.push(bytes.subarray(at, at + chunkBytes), signal);
  await feed.finish();
}

/** Lets everything that is ready run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a reader gets every byte as it comes, and the shelf has the piece after', async () => {
  const { arrivals, memory } = world();
  const reader = arrivals.join(piece);
  const feed = arrivals.feed(piece, all);
  const [bytes] = await Promise.all([readOn(reader), pushAll(feed, content)]);
  expect(bytes.equals(content)).toBe(true);
  expect(await readAll(memory, piece)).toEqual(content);
  reader.leave();
  await turn();
  expect(arrivals.size).toBe(0);
});

test('a block is given out when it is complete and never before', async () => {
  const { arrivals } = world();
  const reader = arrivals.join(piece);
  const feed = arrivals.feed(piece, all);
  let got: Buffer | undefined;
  const reading = reader.read(10, BLOCK + 5, signal).then((read) => {
    got = Buffer.from(read?.bytes ?? []);
  });
  await feed.push(content.subarray(0, BLOCK - 1), signal);
  await turn();
  expect(got).toBeUndefined();
  await feed.push(content.subarray(BLOCK - 1, BLOCK), signal);
  await reading;
  expect(got).toEqual(content.subarray(10, BLOCK));
  feed.fail(new Error('enough'));
});

test('a reader who joins late gets bytes that are there at once, while the rest trickles in', async () => {
  const big: Piece = { version: testVersion('trickle', 2 ** 20, 2 ** 20), index: 0 };
  const bytes = contentOf(big);
  const { arrivals } = world();
  const feed = arrivals.feed(big, { first: 0, end: blockCount(bytes.length, BLOCK) });
  let pushed = 0;
  const source = (async () => {
    // 1 MiB/s.
    while (pushed < bytes.length && !feed.signal.aborted) {
      await feed.push(bytes.subarray(pushed, pushed + 16 * 1024), signal);
      pushed += 16 * 1024;
      await pause((16 * 1024) / (2 ** 20 / 1000));
    }
  })();
  while (pushed < 20 * BLOCK) await pause(5);
  const reader = arrivals.join(big);
  const asked = performance.now();
  const read = await reader.read(0, bytes.length, signal);
  const waitedMs = performance.now() - asked;
  expect(pushed).toBeLessThan(bytes.length);
  expect(Buffer.from(read?.bytes ?? [])).toEqual(bytes.subarray(0, BLOCK));
  expect(waitedMs).toBeLessThan(50);
  read?.release();
  arrivals.find(big)?.abandon();
  await source.catch(() => undefined);
});

test('any number of readers at any places and moments get the right bytes', async () => {
  const visit = fc.record({ start: fc.nat(content.length - 1), afterPushes: fc.nat(40), lazy: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(visit, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 100, max: 9000 }),
      fc.integer({ min: 1, max: 6 }),
      async (visits, chunkBytes, windowBlocks) => {
        const { arrivals } = world({ windowBytes: windowBlocks * BLOCK });
        const feed = arrivals.feed(piece, all);
        const reads: Promise<void>[] = [];
        const visitNow = async ({ start, lazy }: { start: number; lazy: boolean }): Promise<void> => {
          const reader = arrivals.join(piece);
          if (lazy) for (let wait = 0; wait < 20; wait += 1) await turn();
          expect((await readOn(reader, start)).equals(content.subarray(start))).toBe(true);
          reader.leave();
        };
        let pushes = 0;
        for (let at = 0; at < content.length; at += chunkBytes) {
          reads.push(...visits.filter((each) => each.afterPushes === pushes).map(visitNow));
          await feed.push(content.subarray(at, at + chunkBytes), signal);
          pushes += 1;
        }
        await feed.finish();
        reads.push(...visits.filter((each) => each.afterPushes >= pushes).map(visitNow));
        await Promise.all(reads);
        await turn();
        expect(arrivals.size).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('a reader who stands still slows nobody and holds no memory: he reads the rest from the shelf', async () => {
  const { arrivals } = world({ windowBytes: 2 * BLOCK });
  const still = arrivals.join(piece);
  const quick = arrivals.join(piece);
  const feed = arrivals.feed(piece, all);
  const held = await Promise.all([still.read(0, 10, signal), feed.push(content.subarray(0, BLOCK), signal)]);
  let most = 0;
  const watched = (async () => {
    for (let at = BLOCK; at < content.length; at += 500) {
      await feed.push(content.subarray(at, at + 500), signal);
      most = Math.max(most, arrivals.memoryBytes);
    }
    await feed.finish();
  })();
  const [bytes] = await Promise.all([readOn(quick), watched]);
  expect(bytes.equals(content)).toBe(true);
  expect(most).toBeLessThanOrEqual(3 * BLOCK);
  expect(Buffer.from(held[0]?.bytes ?? [])).toEqual(content.subarray(0, 10));
  held[0]?.release();
  expect((await readOn(still, 10)).equals(content.subarray(10))).toBe(true);
});

test('without a shelf the feed keeps to the fastest reader, and memory to the window', async () => {
  const { arrivals, store } = world({ windowBytes: 2 * BLOCK });
  store.failWrites = true;
  const reader = arrivals.join(piece);
  const feed = arrivals.feed(piece, all);
  let pushed = 0;
  const pushing = (async () => {
    for (let at = 0; at < content.length; at += BLOCK) {
      await feed.push(content.subarray(at, at + BLOCK), signal);
      pushed += 1;
    }
    await feed.finish();
  })();
  for (let wait = 0; wait < 20; wait += 1) await turn();
  expect(pushed).toBeLessThanOrEqual(3);
  expect(arrivals.memoryBytes).toBeLessThanOrEqual(2 * BLOCK);
  const [bytes] = await Promise.all([readOn(reader), pushing]);
  expect(bytes.equals(content)).toBe(true);
});

test('without a shelf a reader who falls behind is told that the bytes are not here', async () => {
  const { arrivals, store } = world({ windowBytes: 2 * BLOCK });
  store.failWrites = true;
  const slow = arrivals.join(piece);
  const quick = arrivals.join(piece);
  const feed = arrivals.feed(piece, all);
  const [bytes] = await Promise.all([readOn(quick), pushAll(feed, content)]);
  expect(bytes.equals(content)).toBe(true);
  expect(await slow.read(0, 10, signal)).toBeUndefined();
});

test('a shelf that says it has a block and then has not is no dead end', async () => {
  const { arrivals, store, memory } = world();
  await shelve(memory, piece, [0]);
  store.failReads = true;
  expect(await arrivals.join(piece).read(0, 10, signal)).toBeUndefined();
});

test('without readers and without a shelf bytes go by', async () => {
  const { arrivals, store } = world({ windowBytes: BLOCK });
  store.failWrites = true;
  await pushAll(arrivals.feed(piece, all), content);
  expect(arrivals.memoryBytes).toBe(0);
});

test('a hanging shelf holds the feed at the window, and a failure ends the wait', async () => {
  const { arrivals, store } = world({ windowBytes: 2 * BLOCK });
  let letGo = (): void => undefined;
  store.hold = new Promise((resolve) => {
    letGo = resolve;
  });
  const feed = arrivals.feed(piece, all);
  const pushing = pushAll(feed, content, BLOCK);
  for (let wait = 0; wait < 10; wait += 1) await turn();
  expect(arrivals.memoryBytes).toBeLessThanOrEqual(2 * BLOCK);
  feed.fail(new Error('the origin is gone'));
  await expect(pushing).rejects.toThrow('the origin is gone');
  letGo();
});

test('when a feed fails, all who wait for its blocks are told, and what is complete stays', async () => {
  const { arrivals, memory } = world();
  const readers = [arrivals.join(piece), arrivals.join(piece)];
  const feed = arrivals.feed(piece, all);
  const waiting = readers.map((reader) => reader.read(3 * BLOCK, content.length, signal));
  const told = Promise.all(waiting.map((each) => expect(each).rejects.toThrow('cut')));
  await feed.push(content.subarray(0, 2 * BLOCK + 10), signal);
  feed.fail(new Error('cut'));
  feed.fail(new Error('again'));
  await told;
  const [reader = arrivals.join(piece)] = readers;
  expect((await readOn(reader)).equals(content.subarray(0, 2 * BLOCK))).toBe(true);
  expect(await reader.read(3 * BLOCK, content.length, signal)).toBeUndefined();
  await expect(feed.push(content.subarray(0, 1), signal)).rejects.toThrow('cut');
  expect([...memory.blocks(piece)]).toEqual([0, 1]);
});

test('a feed that ends short fails; it never passes for complete', async () => {
  const { arrivals } = world();
  const feed = arrivals.feed(piece, all);
  await feed.push(content.subarray(0, 100), signal);
  await expect(feed.finish()).rejects.toMatchObject({ code: 'Incomplete' });
  await expect(feed.push(content.subarray(0, content.length), signal)).rejects.toThrow(RangeError);
});

test('a block that its digest does not name reaches no reader and not the shelf, and comes from elsewhere', async () => {
  const { arrivals, memory } = world();
  const expected = BlockDigests.empty(11);
  for (let block = 0; block < 11; block += 1) {
    expected.set(block, blockDigest(content.subarray(block * BLOCK, (block + 1) * BLOCK)));
  }
  const bad = Buffer.from(content);
  bad[BLOCK + 7] = (bad[BLOCK + 7] ?? 0) ^ 1;
  const reader = arrivals.join(piece);
  const feed = arrivals.feed(piece, all);
  feed.from('peer', expected);
  const reading = readOn(reader);
  await expect(feed.push(bad.subarray(0, 2 * BLOCK), signal)).rejects.toMatchObject({ code: 'DigestMismatch' });
  expect(feed.remainingBytes).toBe(content.length - BLOCK);
  expect([...memory.blocks(piece)]).toEqual([0]);
  feed.from('peer', expected);
  await pushAll(feed, content.subarray(BLOCK));
  expect((await reading).equals(content)).toBe(true);
});

test('a block is never made of two sources', async () => {
  const { arrivals, memory } = world();
  const feed = arrivals.feed(piece, all);
  feed.from('peer', BlockDigests.empty(11));
  await feed.push(Buffer.alloc(BLOCK / 2), signal);
  feed.from('origin');
  expect(feed.remainingBytes).toBe(content.length);
  await pushAll(feed, content);
  const shelved = await memory.read({ piece, start: 0, end: content.length });
  expect(Buffer.from(shelved?.bytes ?? []).equals(content)).toBe(true);
});

test('memory that was given away to be filled is not used again unless it was', async () => {
  const { arrivals } = world();
  const ended = arrivals.feed(piece, all);
  const lent = ended.space(signal);
  if (!(lent instanceof Uint8Array)) throw new Error('There is room.');
  ended.fail(new Error('cut'));
  expect(() => ended.filled(1)).toThrow('cut');
  expect(() => ended.space(signal)).toThrow('cut');
  const feed = arrivals.feed(piece, all);
  const other = feed.space(signal);
  if (!(other instanceof Uint8Array)) throw new Error('There is room.');
  expect(other.buffer).not.toBe(lent.buffer);
  feed.from('origin');
  expect(() => feed.filled(1)).toThrow(RangeError);
  await feed.push(content.subarray(0, BLOCK), signal);
  other.fill(0);
  const read = await arrivals.join(piece).read(0, BLOCK, signal);
  expect(Buffer.from(read?.bytes ?? []).equals(content.subarray(0, BLOCK))).toBe(true);
});

test('memory is given to the end of a block, and no more than that may be filled', async () => {
  const { arrivals, memory } = world();
  const feed = arrivals.feed(piece, all);
  while (feed.remainingBytes > 0) {
    const space = feed.space(signal);
    if (space instanceof Uint8Array) {
      expect(() => feed.filled(space.length + 1)).toThrow(RangeError);
      const at = content.length - feed.remainingBytes;
      space.set(content.subarray(at, at + Math.min(1500, space.length)));
      feed.filled(Math.min(1500, space.length));
    } else await space;
  }
  await feed.finish();
  expect(await readAll(memory, piece)).toEqual(content);
});

test('a fill that began in the middle serves the middle, and what no feed brings is told at once', async () => {
  const { arrivals } = world();
  const reader = arrivals.join(piece);
  const feed = arrivals.feed(piece, { first: 5, end: 11 });
  expect(await reader.read(0, 10, signal)).toBeUndefined();
  const [bytes] = await Promise.all([readOn(reader, 5 * BLOCK + 3), pushAll(feed, content.subarray(5 * BLOCK))]);
  expect(bytes.equals(content.subarray(5 * BLOCK + 3))).toBe(true);
});

test('two feeds share a piece: a block that both bring is taken from the first', async () => {
  const { arrivals, memory } = world({ windowBytes: 11 * BLOCK });
  const reader = arrivals.join(piece);
  const one = arrivals.feed(piece, { first: 0, end: 6 });
  const two = arrivals.feed(piece, { first: 4, end: 11 });
  const reading = readOn(reader);
  await pushAll(two, content.subarray(4 * BLOCK));
  await pushAll(one, content.subarray(0, 6 * BLOCK));
  expect((await reading).equals(content)).toBe(true);
  expect(memory.counts.blocksWritten).toBe(11);
});

test('it knows how many want it and tells when the last has left, and abandoning stops whoever feeds', async () => {
  const { arrivals, unwanted } = world();
  const feed = arrivals.feed(piece, all);
  const [one, two] = [arrivals.join(piece), arrivals.join(piece)];
  const arriving = arrivals.find(piece);
  expect(arriving?.wanted).toBe(2);
  await feed.push(content.subarray(0, BLOCK + 1), signal);
  expect(arriving?.remainingBytes).toBe(content.length - BLOCK);
  one.leave();
  one.leave();
  expect(unwanted).toEqual([]);
  two.leave();
  expect(unwanted).toEqual([arriving]);
  expect(feed.signal.aborted).toBe(false);
  arriving?.abandon();
  expect(feed.signal.aborted).toBe(true);
  await expect(feed.push(content.subarray(0, 1), signal)).rejects.toMatchObject({ code: 'Abandoned' });
  await turn();
  expect(arrivals.size).toBe(0);
});

test('a reader whose signal aborts stops waiting, and the fill goes on', async () => {
  const { arrivals, memory } = world();
  const feed = arrivals.feed(piece, all);
  const reader = arrivals.join(piece);
  const client = new AbortController();
  const reading = expect(reader.read(0, 10, client.signal)).rejects.toThrow('the client left');
  client.abort(new Error('the client left'));
  await reading;
  reader.leave();
  await pushAll(feed, content);
  expect(memory.blocks(piece).isFull).toBe(true);
});

test('more pieces at once than the limit are refused', () => {
  const { arrivals } = world({ maxArriving: 1 });
  arrivals.feed(piece, all);
  const other = { version: testVersion('other', 100, 100), index: 0 };
  expect(() => arrivals.join(other)).toThrow(expect.objectContaining({ code: 'TooMany' }));
  expect(arrivals.join(piece)).toBeDefined();
});

test('closing ends every feed with a reason', async () => {
  const { arrivals } = world();
  const feed = arrivals.feed(piece, all);
  const reading = expect(arrivals.join(piece).read(0, 1, signal)).rejects.toMatchObject({ code: 'Closed' });
  arrivals.close();
  await reading;
  expect(feed.signal.aborted).toBe(true);
});

test('the buffers of a piece are used again only after its readers let go of them', async () => {
  const { arrivals } = world({ windowBytes: BLOCK });
  const reader = arrivals.join(piece);
  const feed = arrivals.feed(piece, all);
  const first = await Promise.all([reader.read(0, BLOCK, signal), feed.push(content.subarray(0, BLOCK), signal)]);
  await pushRest(feed);
  const again = arrivals.feed({ version: testVersion('next', BLOCK, BLOCK), index: 0 }, { first: 0, end: 1 });
  await again.push(Buffer.alloc(BLOCK, 0xee), signal);
  expect(Buffer.from(first[0]?.bytes ?? [])).toEqual(content.subarray(0, BLOCK));
  expect(pieceLength(piece)).toBe(content.length);
});

async function pushRest(feed: Feed): Promise<void> {
  for (let at = BLOCK; at < content.length; at += BLOCK) await feed.push(content.subarray(at, at + BLOCK), signal);
  await feed.finish();
}
