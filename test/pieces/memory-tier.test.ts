import { expect, test } from 'vitest';
import { MemoryTier } from '../../src/pieces/memory-tier.ts';
import type { Piece } from '../../src/pieces/piece.ts';
import { pieceStoreContract } from '../contracts/piece-store.ts';
import { openDiskShelf } from '../support/disk-shelf.ts';
import { MemoryPieceStore } from '../support/memory-piece-store.ts';
import { isContent, readAll, shelve, testVersion } from '../support/piece-content.ts';

const BLOCK = 4096;

pieceStoreContract('in memory before another', (blockSize) => {
  const store = new MemoryTier({ below: new MemoryPieceStore({ blockSize }) }, { capacityBytes: 2 ** 20 });
  return Promise.resolve({ store, close: () => store.close() });
});

pieceStoreContract('in memory before a disk', async (blockSize) => {
  const shelf = await openDiskShelf({ blockSize });
  const store = new MemoryTier({ below: shelf.store }, { capacityBytes: 2 ** 20 });
  return { store, close: () => shelf.close() };
});

function world(capacityBytes: number) {
  const below = new MemoryPieceStore({ blockSize: BLOCK });
  const store = new MemoryTier({ below }, { capacityBytes, smallBytes: BLOCK, maxPieceBytes: capacityBytes / 2 });
  const pieceOf = (key: string, size: number): Piece => ({ version: testVersion(key, size, 16 * BLOCK), index: 0 });
  return { below, store, pieceOf };
}

test('a small object is in memory from its first write, and from its first read', async () => {
  const { below, store, pieceOf } = world(64 * BLOCK);
  const [written, found] = [pieceOf('written', 1000), pieceOf('found', 1000)];
  await shelve(store, written);
  await shelve(below, found);
  for (const piece of [written, found]) {
    await readAll(store, piece);
    const before = below.counts.reads;
    expect(isContent(await readAll(store, piece), piece)).toBe(true);
    expect(below.counts.reads).toBe(before);
  }
});

test('what is in memory is at hand; what is not has to be waited for', async () => {
  const { store, pieceOf } = world(64 * BLOCK);
  const small = pieceOf('small', 1000);
  expect(store.atHand({ piece: small, start: 10, end: 900 })).toBeUndefined();
  await shelve(store, small);
  const atHand = store.atHand({ piece: small, start: 10, end: 900 });
  expect(isContent(atHand?.bytes ?? new Uint8Array(), small, 10, 900)).toBe(true);
  expect(() => store.atHand({ piece: small, start: 0, end: 1001 })).toThrow(RangeError);
  await store.forget(small);
  expect(store.atHand({ piece: small, start: 10, end: 900 })).toBeUndefined();
});

test('a large piece comes into memory when it was read twice over, and then is not read from below', async () => {
  const { below, store, pieceOf } = world(64 * BLOCK);
  const piece = pieceOf('large', 8 * BLOCK);
  await shelve(store, piece);
  await readAll(store, piece);
  await store.idle();
  expect(store.usage().memoryBytes).toBe(below.usage().memoryBytes);
  await readAll(store, piece);
  await store.idle();
  const before = below.counts.reads;
  for (const [start, end] of [
    [0, 8 * BLOCK],
    [5, BLOCK + 5],
  ] as const) {
    const read = await store.read({ piece, start, end });
    expect(read?.source).toBe('memory');
    expect(isContent(read?.bytes, piece, start, end)).toBe(true);
  }
  expect(below.counts.reads).toBe(before);
});

test('memory holds no more than its capacity, however much is read', async () => {
  const { below, store, pieceOf } = world(64 * BLOCK);
  for (let index = 0; index < 40; index += 1) {
    const piece = pieceOf(`piece-${index}`, 4 * BLOCK);
    await shelve(store, piece);
    for (let times = 0; times < 3; times += 1) expect(isContent(await readAll(store, piece), piece)).toBe(true);
    await store.idle();
    expect(store.usage().memoryBytes - below.usage().memoryBytes).toBeLessThanOrEqual(64 * BLOCK);
  }
  expect(store.usage().memoryBytes).toBeGreaterThan(below.usage().memoryBytes);
});

test('a piece larger than is allowed in memory is served from below for ever', async () => {
  const { below, store, pieceOf } = world(8 * BLOCK);
  const piece = pieceOf('too large', 8 * BLOCK);
  await shelve(store, piece);
  for (let times = 0; times < 5; times += 1) await readAll(store, piece);
  await store.idle();
  expect(store.usage().memoryBytes).toBe(below.usage().memoryBytes);
});

test('what is dropped while it is on its way into memory does not come back', async () => {
  const { store, pieceOf } = world(64 * BLOCK);
  const piece = pieceOf('dropped', 8 * BLOCK);
  await shelve(store, piece);
  await readAll(store, piece);
  await readAll(store, piece);
  await store.drop(piece.version);
  await store.idle();
  expect(await readAll(store, piece)).toBeUndefined();
  expect(store.usage().memoryBytes).toBe(0);
});

test('what the shelf below did not keep is not in memory either', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK, capacityBytes: 100 });
  const store = new MemoryTier({ below: shelf.store }, { capacityBytes: 2 ** 20 });
  try {
    const piece: Piece = { version: testVersion('refused', 1000, BLOCK), index: 0 };
    expect(await shelve(store, piece)).toBe(0);
    expect(await readAll(store, piece)).toBeUndefined();
  } finally {
    await shelf.close();
  }
});

test('reads from memory keep the piece on the disk below', async () => {
  const touched: Piece[] = [];
  const below = new MemoryPieceStore({ blockSize: BLOCK });
  below.touch = (piece?: Piece) => {
    if (piece !== undefined) touched.push(piece);
  };
  const store = new MemoryTier({ below }, { capacityBytes: 2 ** 20 });
  const piece: Piece = { version: testVersion('hot', 1000, BLOCK), index: 0 };
  await shelve(store, piece);
  await readAll(store, piece);
  expect(touched).toEqual([piece]);
});
