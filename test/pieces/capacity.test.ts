import { expect, test } from 'vitest';
import type { Piece } from '../../src/pieces/piece.ts';
import { allocatedBytes, openDiskShelf } from '../support/disk-shelf.ts';
import { contentOf, isContent, readAll, shelve, testVersion } from '../support/piece-content.ts';

const BLOCK = 16 * 1024;
const PIECE = 4 * BLOCK;
const capacityBytes = 64 * PIECE;
const pieceOf = (key: string): Piece => ({ version: testVersion(key, PIECE, PIECE), index: 0 });

test('a scan of four times the capacity leaves a hot half nine hits in ten, and the disk never overflows', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK, capacityBytes });
  const { store } = shelf;
  try {
    const hot = Array.from({ length: 32 }, (_, index) => pieceOf(`hot-${index}`));
    const bring = async (piece: Piece): Promise<boolean> => {
      const read = await readAll(store, piece);
      if (read !== undefined) expect(read.equals(contentOf(piece))).toBe(true);
      else await shelve(store, piece);
      expect(store.usage().diskBytes).toBeLessThanOrEqual(capacityBytes);
      return read !== undefined;
    };
    for (const piece of hot) await bring(piece);
    let hits = 0;
    for (let scanned = 0; scanned < 256; scanned += 1) {
      await bring(pieceOf(`scan-${scanned}`));
      if (await bring(hot[(scanned * 5) % hot.length] ?? pieceOf('none'))) hits += 1;
      if (scanned % 64 === 0) {
        expect((await allocatedBytes(shelf)).bytes).toBeLessThanOrEqual(capacityBytes);
      }
    }
    expect(hits / 256).toBeGreaterThan(0.9);
    await store.idle();
    expect((await allocatedBytes(shelf)).bytes).toBe(store.usage().diskBytes);
    expect(shelf.observer.discards).toEqual([]);
  } finally {
    await shelf.close();
  }
});

test('many pieces written at once never take more than the capacity', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK, capacityBytes: 8 * PIECE });
  try {
    const pieces = Array.from({ length: 40 }, (_, index) => pieceOf(`at-once-${index}`));
    let most = 0;
    await Promise.all(
      pieces.map(async (piece) => {
        await shelve(shelf.store, piece);
        most = Math.max(most, shelf.store.usage().diskBytes);
      }),
    );
    expect(most).toBeLessThanOrEqual(8 * PIECE);
    await shelf.store.idle();
    const { bytes } = await allocatedBytes(shelf);
    expect(bytes).toBe(shelf.store.usage().diskBytes);
    expect(bytes).toBeGreaterThan(0);
  } finally {
    await shelf.close();
  }
});

test('a pinned version stays when everything else goes, and goes when it is unpinned', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK, capacityBytes: 8 * PIECE });
  const { store } = shelf;
  try {
    const pinned = pieceOf('pinned');
    store.pin(pinned.version);
    store.pin(pinned.version);
    await shelve(store, pinned);
    const flood = async (name: string): Promise<void> => {
      for (let index = 0; index < 40; index += 1) await shelve(store, pieceOf(`${name}-${index}`));
    };
    await flood('one');
    store.unpin(pinned.version);
    await flood('two');
    expect(store.blocks(pinned).isFull).toBe(true);
    store.unpin(pinned.version);
    await flood('three');
    expect(store.blocks(pinned).isEmpty).toBe(true);
  } finally {
    await shelf.close();
  }
});

test('when all that is held is pinned, new pieces are refused and nothing is lost', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK, capacityBytes: 4 * PIECE });
  const { store } = shelf;
  try {
    const pinned = Array.from({ length: 4 }, (_, index) => pieceOf(`pinned-${index}`));
    for (const piece of pinned) {
      store.pin(piece.version);
      expect(await shelve(store, piece)).toBe(4);
    }
    expect(await shelve(store, pieceOf('late'))).toBe(0);
    for (const piece of pinned) expect(isContent(await readAll(store, piece), piece)).toBe(true);
    expect(store.usage().pieces).toBe(4);
  } finally {
    await shelf.close();
  }
});

test('a piece that is being written is not evicted, and what is spare goes first', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK, capacityBytes: 8 * PIECE });
  const { store } = shelf;
  const evicted: string[] = [];
  store.departures.listen({ evicted: ({ version }) => evicted.push(version.key), arrived: () => undefined });
  try {
    const writing = pieceOf('writing');
    const writer = store.write(writing);
    await shelve(store, writing, [0]);
    for (let index = 0; index < 7; index += 1) await shelve(store, pieceOf(`kept-${index}`));
    expect(store.departures.areNear).toBe(true);
    const spare = pieceOf('kept-3');
    store.departures.spare(spare);
    const upcoming: string[] = [];
    for await (const { version } of store.departures.upcoming()) upcoming.push(version.key);
    expect(upcoming).toEqual(expect.arrayContaining(['kept-0', 'kept-1', 'kept-5']));
    expect(upcoming).not.toContain('kept-3');
    for (let index = 0; index < 2; index += 1) await shelve(store, pieceOf(`flood-${index}`));
    await store.idle();
    expect(evicted.slice(0, 2)).toEqual(['kept-3', 'kept-0']);
    expect([...store.blocks(writing)]).toEqual([0]);
    await writer.close();
  } finally {
    await shelf.close();
  }
});

test('more pieces than the limit push the oldest out, however small they are', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK, capacityBytes, maxPieces: 10 });
  try {
    for (let index = 0; index < 30; index += 1) {
      const tiny: Piece = { version: testVersion(`tiny-${index}`, 10, PIECE), index: 0 };
      await shelve(shelf.store, tiny);
    }
    await shelf.store.idle();
    expect(shelf.store.usage().pieces).toBeLessThanOrEqual(11);
  } finally {
    await shelf.close();
  }
});
