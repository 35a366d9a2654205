// Pieces from one gateway to another, proved before anybody sees them.
import { afterEach, expect, test, vi } from 'vitest';
import { encodeFrame } from '../../../src/mesh/exchange/frames.ts';
import { BlockSigner } from '../../../src/mesh/exchange/proof.ts';
import type { ByteSink } from '../../../src/mesh/transport.ts';
import { blockDigest } from '../../../src/pieces/digests.ts';
import {
  BLOCK,
  BLOCKS,
  blockOf,
  CONTENT,
  digestsOfContent,
  ExchangeWorld,
  PIECE,
  pushBlocks,
  ROOT,
} from '../../support/exchange-world.ts';
import { readAll, shelve } from '../../support/piece-content.ts';

afterEach(() => {
  vi.useRealTimers();
});

const digests = encodeFrame({ kind: 'digests', bytes: digestsOfContent().bytes });

function run(block: number, bytes: Buffer): Buffer {
  return Buffer.concat([encodeFrame({ kind: 'run', block, lengthBytes: bytes.length }), bytes]);
}

function signed(signer: BlockSigner, block: number, bytes: Buffer, as = block): Buffer {
  const digest = blockDigest(bytes);
  const signature = signer.sign(PIECE, as, BLOCK, digest);
  return Buffer.concat([encodeFrame({ kind: 'signed', block, lengthBytes: bytes.length, digest, signature }), bytes]);
}

/** Lets everything that is ready run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a piece that is held comes whole, proved by its root', async () => {
  const world = new ExchangeWorld();
  const [holder, reader] = [world.gateway('holder'), world.gateway('reader')];
  await shelve(holder.store, PIECE);
  await reader.borrow('holder', { root: ROOT, readerKeys: [] }, reader.receive());
  expect(await readAll(reader.store, PIECE)).toEqual(CONTENT);
  expect(holder.bytes.sent).toBe(CONTENT.length);
  expect(reader.bytes.received).toBe(CONTENT.length);
});

test('only the blocks that are missing are asked for', async () => {
  const world = new ExchangeWorld();
  const [holder, reader] = [world.gateway('holder'), world.gateway('reader')];
  await shelve(holder.store, PIECE);
  await shelve(reader.store, PIECE, [0, 1, 2]);
  await reader.borrow('holder', { root: ROOT, readerKeys: [] }, reader.receive({ first: 3, end: BLOCKS }));
  expect(await readAll(reader.store, PIECE)).toEqual(CONTENT);
  expect(holder.bytes.sent).toBe(CONTENT.length - 3 * BLOCK);
});

test('a piece that is arriving is passed on block by block over two hops, proved by who reads the origin', async () => {
  const world = new ExchangeWorld();
  const [first, second, third] = [world.gateway('first'), world.gateway('second'), world.gateway('third')];
  const proof = { readerKeys: [first.self.key] };
  const origin = first.readsOrigin();
  const second_ = second.borrow('first', proof, second.receive());
  const third_ = third.borrow('second', proof, third.receive());
  for (let block = 0; block < BLOCKS; block += 1) {
    expect(third.store.blocks(PIECE).has(block)).toBe(false);
    await pushBlocks(origin, block, block + 1);
    // While later blocks are still to come from the origin.
    while (!third.store.blocks(PIECE).has(block)) await turn();
  }
  await Promise.all([origin.finish(), second_, third_]);
  expect(await readAll(third.store, PIECE)).toEqual(CONTENT);
  expect(third.bytes.received).toBe(CONTENT.length);
});

test('who passes a piece on cannot change it', async () => {
  const world = new ExchangeWorld();
  const [first, third] = [world.gateway('first'), world.gateway('third')];
  const liar = new BlockSigner();
  world.holder('liar', async (out) => {
    await out.write(signed(liar, 0, Buffer.alloc(BLOCK)));
  });
  const feed = third.receive();
  const borrowing = third.borrow('liar', { readerKeys: [first.self.key] }, feed);
  await expect(borrowing).rejects.toMatchObject({ name: 'LoanError' });
  expect(third.store.blocks(PIECE).isEmpty).toBe(true);
});

test('a signature of another block proves nothing', async () => {
  const world = new ExchangeWorld();
  const reader = world.gateway('reader');
  const signer = new BlockSigner();
  world.holder('liar', (out) => out.write(signed(signer, 0, blockOf(1), 1)));
  const borrowing = reader.borrow('liar', { readerKeys: [signer.publicKey] }, reader.receive());
  await expect(borrowing).rejects.toMatchObject({ name: 'LoanError' });
  expect(reader.store.blocks(PIECE).isEmpty).toBe(true);
});

test('bytes that are not those of their signed digest are not passed on', async () => {
  const world = new ExchangeWorld();
  const reader = world.gateway('reader');
  const signer = new BlockSigner();
  world.holder('liar', (out) => {
    const frame = signed(signer, 0, blockOf(0));
    frame.writeUInt8(frame.readUInt8(frame.length - 1) ^ 1, frame.length - 1);
    return out.write(frame);
  });
  const borrowing = reader.borrow('liar', { readerKeys: [signer.publicKey] }, reader.receive());
  await expect(borrowing).rejects.toMatchObject({ complaint: 'unproved' });
  expect(reader.store.blocks(PIECE).isEmpty).toBe(true);
});

test('digests that the root does not name are refused, and no byte after them is believed', async () => {
  const world = new ExchangeWorld();
  const reader = world.gateway('reader');
  const other = digestsOfContent(Buffer.alloc(CONTENT.length));
  world.holder('liar', async (out) => {
    await out.write(encodeFrame({ kind: 'digests', bytes: other.bytes }));
    await out.write(run(0, Buffer.alloc(CONTENT.length)));
  });
  const borrowing = reader.borrow('liar', { root: ROOT, readerKeys: [] }, reader.receive());
  await expect(borrowing).rejects.toMatchObject({ complaint: 'unproved' });
  expect(reader.store.blocks(PIECE).isEmpty).toBe(true);
});

test('after wrong bytes the rest comes from elsewhere, and what was proved stays', async () => {
  const world = new ExchangeWorld();
  const [holder, reader] = [world.gateway('holder'), world.gateway('reader')];
  await shelve(holder.store, PIECE);
  world.holder('liar', async (out) => {
    await out.write(digests);
    await out.write(run(0, Buffer.concat([blockOf(0), blockOf(1), Buffer.alloc(BLOCK)])));
  });
  const feed = reader.receive();
  await expect(reader.borrow('liar', { root: ROOT, readerKeys: [] }, feed)).rejects.toMatchObject({
    complaint: 'unproved',
  });
  await reader.borrow('holder', { root: ROOT, readerKeys: [] }, feed);
  expect(await readAll(reader.store, PIECE)).toEqual(CONTENT);
  expect(holder.bytes.sent).toBe(CONTENT.length - 2 * BLOCK);
});

test('after a holder broke off in the middle of a block the next begins with that block', async () => {
  const world = new ExchangeWorld();
  const [holder, reader] = [world.gateway('holder'), world.gateway('reader')];
  await shelve(holder.store, PIECE);
  world.holder('cut', async (out) => {
    await out.write(digests);
    await out.write(run(0, CONTENT).subarray(0, BLOCK + BLOCK / 2));
    throw new Error('The plug was pulled.');
  });
  const feed = reader.receive();
  await expect(reader.borrow('cut', { root: ROOT, readerKeys: [] }, feed)).rejects.toMatchObject({
    complaint: 'short',
  });
  await reader.borrow('holder', { root: ROOT, readerKeys: [] }, feed);
  expect(await readAll(reader.store, PIECE)).toEqual(CONTENT);
  expect(holder.bytes.sent).toBe(CONTENT.length - BLOCK);
});

test('an answer that ends early is not taken for the piece', async () => {
  const world = new ExchangeWorld();
  const reader = world.gateway('reader');
  world.holder('short', async (out) => {
    await out.write(digests);
    await out.write(run(0, blockOf(0)));
  });
  await expect(reader.borrow('short', { root: ROOT, readerKeys: [] }, reader.receive())).rejects.toMatchObject({
    complaint: 'not-held',
  });
});

const MISPLACED: Readonly<Record<string, (out: ByteSink) => Promise<void>>> = {
  'a block before its turn': (out) => out.write(run(1, blockOf(1))),
  'a block that the piece does not have': (out) => out.write(run(BLOCKS, blockOf(0))),
  'a block twice': async (out) => {
    await out.write(run(0, blockOf(0)));
    await out.write(run(0, blockOf(0)));
  },
  'a part of a block': (out) => out.write(run(0, CONTENT.subarray(0, BLOCK - 1))),
  'no bytes at all': (out) => out.write(run(0, Buffer.alloc(0))),
  'more bytes than the piece has': (out) => out.write(run(0, Buffer.alloc(BLOCKS * BLOCK))),
};

test.each(Object.entries(MISPLACED))('%s is refused', async (_, send) => {
  const world = new ExchangeWorld();
  const reader = world.gateway('reader');
  world.holder('liar', async (out) => {
    await out.write(digests);
    await send(out);
  });
  await expect(reader.borrow('liar', { root: ROOT, readerKeys: [] }, reader.receive())).rejects.toMatchObject({
    complaint: 'unproved',
  });
});

test('blocks without anything that proves them are refused', async () => {
  const world = new ExchangeWorld();
  const reader = world.gateway('reader');
  world.holder('liar', (out) => out.write(run(0, blockOf(0))));
  await expect(reader.borrow('liar', { root: ROOT, readerKeys: [] }, reader.receive())).rejects.toMatchObject({
    complaint: 'unproved',
  });
});

test('a holder that falls silent is given up after the limit, and not before', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const world = new ExchangeWorld({ silenceMs: 1500 });
  const reader = world.gateway('reader');
  world.holder('silent', async (out) => {
    await out.write(digests);
    await new Promise(() => undefined);
  });
  let error: unknown;
  const borrowing = reader
    .borrow('silent', { root: ROOT, readerKeys: [] }, reader.receive())
    .catch((reason: unknown) => {
      error = reason;
    });
  await turn();
  vi.advanceTimersByTime(1499);
  await turn();
  expect(error).toBeUndefined();
  vi.advanceTimersByTime(600);
  await borrowing;
  expect(error).toMatchObject({ complaint: 'silent' });
});

test('who has all of a piece and gives nothing of it is given up, whatever it says', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const world = new ExchangeWorld({ silenceMs: 1500 });
  const reader = world.gateway('reader');
  let stopped = false;
  world.holder('stalling', async (out) => {
    while (!stopped) await out.write(encodeFrame({ kind: 'waiting' })).then(turn);
  });
  const borrowing = reader.borrow('stalling', { root: ROOT, readerKeys: [] }, reader.receive());
  const refused = expect(borrowing).rejects.toMatchObject({ complaint: 'silent' });
  for (let elapsedMs = 0; elapsedMs < 2_500; elapsedMs += 100) {
    await turn();
    vi.advanceTimersByTime(100);
  }
  await refused;
  stopped = true;
});

test('a holder that waits for its own source says so, and is waited for', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const world = new ExchangeWorld({ silenceMs: 1500 });
  const [first, second] = [world.gateway('first'), world.gateway('second')];
  const origin = first.readsOrigin();
  const borrowing = second.borrow('first', { readerKeys: [first.self.key] }, second.receive());
  for (let elapsedMs = 0; elapsedMs < 10_000; elapsedMs += 300) {
    await turn();
    vi.advanceTimersByTime(300);
  }
  expect(second.heard.length).toBeGreaterThan(20);
  expect(second.heard.every((isWaiting) => isWaiting)).toBe(true);
  await pushBlocks(origin, 0, BLOCKS);
  await origin.finish();
  await borrowing;
  expect(second.heard).toContain(false);
  expect(await readAll(second.store, PIECE)).toEqual(CONTENT);
});

test('who gives as much as it may is busy', async () => {
  const world = new ExchangeWorld({ maxUploads: 1 });
  const [first, second, third] = [world.gateway('first'), world.gateway('second'), world.gateway('third')];
  const origin = first.readsOrigin();
  const proof = { readerKeys: [first.self.key] };
  const borrowing = second.borrow('first', proof, second.receive());
  await turn();
  await expect(third.borrow('first', proof, third.receive())).rejects.toMatchObject({ complaint: 'busy' });
  await pushBlocks(origin, 0, BLOCKS);
  await origin.finish();
  await borrowing;
  expect(first.lender.uploads).toBe(0);
});

test('who has neither the piece nor expects it says so', async () => {
  const world = new ExchangeWorld();
  const [holder, reader] = [world.gateway('holder'), world.gateway('reader')];
  await shelve(holder.store, PIECE, [0, 1]);
  await expect(reader.borrow('holder', { root: ROOT, readerKeys: [] }, reader.receive())).rejects.toMatchObject({
    complaint: 'not-held',
  });
});

test('a source that gives up tells those who depend on it', async () => {
  const world = new ExchangeWorld();
  const [first, second] = [world.gateway('first'), world.gateway('second')];
  const origin = first.readsOrigin();
  const borrowing = second.borrow('first', { readerKeys: [first.self.key] }, second.receive());
  await pushBlocks(origin, 0, 2);
  await turn();
  origin.fail(new Error('The origin has hung up.'));
  await expect(borrowing).rejects.toMatchObject({ name: 'LoanError' });
  expect(second.store.blocks(PIECE).hasAll(0, 2)).toBe(true);
  expect(first.lender.uploads).toBe(0);
});

test('who asks along before its source has told it anything gets the proof when it is there', async () => {
  const world = new ExchangeWorld();
  const [holder, second, third] = [world.gateway('holder'), world.gateway('second'), world.gateway('third')];
  await shelve(holder.store, PIECE);
  const feed = second.receive();
  // Sent on by the tracker at once: the second has not heard from the holder yet.
  const third_ = third.borrow('second', { root: ROOT, readerKeys: [] }, third.receive());
  for (let turns = 0; turns < 5; turns += 1) await turn();
  await second.borrow('holder', { root: ROOT, readerKeys: [] }, feed);
  await third_;
  expect(await readAll(third.store, PIECE)).toEqual(CONTENT);
});

test('a piece that was partly read by one and then by another is passed on all the same', async () => {
  const world = new ExchangeWorld();
  const [slow, fast, second, third] = ['slow', 'fast', 'second', 'third'].map((id) => world.gateway(id));
  if (!slow || !fast || !second || !third) throw new Error('There are four.');
  const [bySlow, byFast] = [slow.readsOrigin(), fast.readsOrigin()];
  await pushBlocks(bySlow, 0, 2);
  await pushBlocks(byFast, 0, 3);
  const feed = second.receive();
  const moving = new AbortController();
  const first_ = second.borrow('slow', { readerKeys: [slow.self.key] }, feed, moving.signal).catch(() => undefined);
  while (!second.store.blocks(PIECE).hasAll(0, 2)) await turn();
  moving.abort();
  await first_;
  const proof = { readerKeys: [fast.self.key, slow.self.key] };
  const second_ = second.borrow('fast', proof, feed);
  const third_ = third.borrow('second', proof, third.receive());
  await pushBlocks(byFast, 3, BLOCKS);
  await byFast.finish();
  await second_;
  await third_;
  expect(await readAll(third.store, PIECE)).toEqual(CONTENT);
});

test('what a preheat reads along is no more urgent for it; what a client waits for at the other is', async () => {
  const world = new ExchangeWorld();
  const [a, b, c] = [world.gateway('a'), world.gateway('b'), world.gateway('c')];
  const feed = a.readsOrigin();
  feed.from('origin');
  const haste = a.arrivals.find(PIECE)?.haste;
  const proof = { readerKeys: [a.signer.publicKey] };
  const borrowed = [b.borrow('a', proof, b.receive(), undefined, 'preheat')];
  await expect.poll(() => a.arrivals.find(PIECE)?.wanted).toBe(1);
  expect(haste?.urgency).toBe('preheat');
  borrowed.push(c.borrow('a', proof, c.receive()));
  await expect.poll(() => a.arrivals.find(PIECE)?.wanted).toBe(2);
  expect(haste?.urgency).toBe('demand');
  await feed.push(CONTENT, new AbortController().signal);
  await feed.finish();
  await Promise.all(borrowed);
});
