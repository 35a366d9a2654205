// What every shelf promises (src/pieces/piece-store.ts). A new implementation's test is a call of this function.
import { describe, expect, test } from 'vitest';
import { blockBytes } from '../../src/pieces/blocks.ts';
import { blockDigest } from '../../src/pieces/digests.ts';
import { objectVersion, type Piece } from '../../src/pieces/piece.ts';
import type { PieceStore } from '../../src/pieces/piece-store.ts';
import { contentOf, isContent, readAll, shelve, testVersion } from '../support/piece-content.ts';

const BLOCK = 4096;

export interface OpenPieceStore {
  readonly store: PieceStore;
  close(): Promise<void>;
}

/** `open` makes an empty store with blocks of that size and room for some megabytes. */
export function pieceStoreContract(name: string, open: (blockSize: number) => Promise<OpenPieceStore>): void {
  const world = async (act: (store: PieceStore) => Promise<void>): Promise<void> => {
    const { store, close } = await open(BLOCK);
    try {
      await act(store);
    } finally {
      await close();
    }
  };
  /** Three pieces of four blocks; the last piece is a block and a half. */
  const version = testVersion('three-pieces', 2 * 4 * BLOCK + 6144, 4 * BLOCK);
  const first: Piece = { version, index: 0 };
  const last: Piece = { version, index: 2 };

  describe(`a piece store: ${name}`, () => {
    reading(world, first, last);
    writing(world, first);
    wholeVersions(world, first, last);
  });
}

type World = (act: (store: PieceStore) => Promise<void>) => Promise<void>;

function reading(world: World, first: Piece, last: Piece): void {
  test('what was written is read back, whole and in any slice', () =>
    world(async (store) => {
      expect(await shelve(store, first)).toBe(4);
      expect(await shelve(store, last)).toBe(2);
      expect(isContent(await readAll(store, first), first)).toBe(true);
      expect(isContent(await readAll(store, last), last)).toBe(true);
      for (const [start, end] of [
        [0, 1],
        [BLOCK - 1, BLOCK + 1],
        [5000, 5000],
        [BLOCK, 3 * BLOCK],
        [1, 4 * BLOCK - 1],
      ] as const) {
        expect(isContent(await readAll(store, first, start, end), first, start, end)).toBe(true);
      }
    }));

  test('a slice that is not held whole is not answered in part', () =>
    world(async (store) => {
      await shelve(store, first, [0, 2]);
      expect(isContent(await readAll(store, first, 0, BLOCK), first, 0, BLOCK)).toBe(true);
      expect(await readAll(store, first, BLOCK - 1, BLOCK + 1)).toBeUndefined();
      expect(await readAll(store, first)).toBeUndefined();
      expect(await readAll(store, last)).toBeUndefined();
    }));

  test('a slice past the end of its piece is a mistake, not a miss', () =>
    world(async (store) => {
      await shelve(store, last);
      await expect((async () => store.read({ piece: last, start: 0, end: 6145 }))()).rejects.toThrow(RangeError);
    }));

  test('released memory is not taken from a reader who still holds other bytes', () =>
    world(async (store) => {
      await shelve(store, first);
      const one = await store.read({ piece: first, start: 0, end: BLOCK });
      const two = await store.read({ piece: first, start: BLOCK, end: 2 * BLOCK });
      one?.release();
      one?.release();
      const three = await store.read({ piece: first, start: 2 * BLOCK, end: 3 * BLOCK });
      const four = await store.read({ piece: first, start: 3 * BLOCK, end: 4 * BLOCK });
      for (const [index, read] of [two, three, four].entries()) {
        const at = (index + 1) * BLOCK;
        expect(Buffer.from(read?.bytes ?? [])).toEqual(contentOf(first).subarray(at, at + BLOCK));
        read?.release();
      }
    }));
}

function writing(world: World, first: Piece): void {
  const block = (index: number): Buffer => {
    const { start, end } = blockBytes(index, 4 * BLOCK, BLOCK);
    return contentOf(first).subarray(start, end);
  };

  test('a block written twice, by two writers at once, is held once', () =>
    world(async (store) => {
      const writers = [store.write(first), store.write(first)];
      const kept = await Promise.all(
        writers.flatMap((writer) => [0, 1, 1, 0].map((b) => writer.write(b, block(b), blockDigest(block(b))))),
      );
      expect(kept).toEqual(Array(8).fill(true));
      await Promise.all(writers.map((writer) => writer.close()));
      const usage = store.usage();
      expect(usage.diskBytes + usage.memoryBytes).toBeLessThanOrEqual(2 * 2 * BLOCK);
      expect([...store.blocks(first)]).toEqual([0, 1]);
    }));

  test('blocks come in any order and the piece is held when the last is there', () =>
    world(async (store) => {
      await shelve(store, first, [3, 0, 2]);
      expect(store.held(first.version).has(0)).toBe(false);
      await shelve(store, first, [1]);
      expect(store.held(first.version).has(0)).toBe(true);
      expect(isContent(await readAll(store, first), first)).toBe(true);
    }));

  test('a block of the wrong length is a mistake and leaves nothing', () =>
    world(async (store) => {
      const writer = store.write(first);
      const short = block(0).subarray(1);
      await expect((async () => writer.write(0, short, blockDigest(short)))()).rejects.toThrow(RangeError);
      await writer.close();
      expect(store.blocks(first).isEmpty).toBe(true);
    }));

  test('a block whose digest is another one is never served', () =>
    world(async (store) => {
      const writer = store.write(first);
      await writer.write(0, block(0), blockDigest(block(1)));
      await writer.close();
      expect(await readAll(store, first, 0, BLOCK)).toBeUndefined();
      expect(store.blocks(first).isEmpty).toBe(true);
    }));

  test('a closed writer keeps nothing', () =>
    world(async (store) => {
      const writer = store.write(first);
      await writer.close();
      await writer.close();
      expect(await writer.write(0, block(0), blockDigest(block(0)))).toBe(false);
      expect(store.blocks(first).isEmpty).toBe(true);
    }));

  test('the digests of held blocks are told', () =>
    world(async (store) => {
      expect(await store.digests(first)).toBeUndefined();
      await shelve(store, first);
      const digests = await store.digests(first);
      for (const index of [0, 1, 2, 3]) expect(digests?.of(index)).toEqual(blockDigest(block(index)));
    }));
}

function wholeVersions(world: World, first: Piece, last: Piece): void {
  const { version } = first;

  test('held tells whole pieces only, also within a window', () =>
    world(async (store) => {
      await shelve(store, first, [0, 1, 2]);
      await shelve(store, last);
      expect([...store.held(version)]).toEqual([2]);
      expect([...store.held(version, { first: 2, count: 1 })]).toEqual([0]);
    }));

  test('a forgotten piece and a dropped version are gone, and only they', () =>
    world(async (store) => {
      const other: Piece = { version: testVersion('other', 100, 100), index: 0 };
      for (const piece of [first, last, other]) await shelve(store, piece);
      await store.forget(first);
      expect([...store.held(version)]).toEqual([2]);
      await store.drop(version);
      await store.drop(version);
      expect(store.held(version).isEmpty).toBe(true);
      expect(await readAll(store, last)).toBeUndefined();
      expect(isContent(await readAll(store, other), other)).toBe(true);
    }));

  test('a dropped version can be put on the shelf again', () =>
    world(async (store) => {
      await shelve(store, first);
      await store.drop(version);
      await shelve(store, first);
      expect(isContent(await readAll(store, first), first)).toBe(true);
    }));

  test('pieces that another version adopts are read under its name alone', () =>
    world(async (store) => {
      await shelve(store, first);
      await shelve(store, last, [0]);
      const to = objectVersion({ ...version, etag: 'e1' });
      await store.adopt(version, to);
      expect(store.held(version).isEmpty).toBe(true);
      expect(await readAll(store, first)).toBeUndefined();
      expect(isContent(await readAll(store, { version: to, index: 0 }), first)).toBe(true);
      expect([...store.blocks({ version: to, index: 2 })]).toEqual([0]);
      const cutElse = objectVersion({ ...version, pieceSize: BLOCK });
      await expect((async () => store.adopt(to, cutElse))()).rejects.toThrow(RangeError);
    }));

  test('the list names every version with its whole pieces and those begun', () =>
    world(async (store) => {
      const other: Piece = { version: testVersion('other', 100, 100), index: 0 };
      for (const piece of [first, last, other]) await shelve(store, piece);
      await shelve(store, { version, index: 1 }, [1]);
      const listed = new Map<string, { pieces: number[]; begun: number[] }>();
      for await (const { version: found, pieces, begun } of store.list()) {
        listed.set(found.key, { pieces: [...pieces], begun: [...begun] });
      }
      expect(listed).toEqual(
        new Map([
          ['three-pieces', { pieces: [0, 2], begun: [1] }],
          ['other', { pieces: [0], begun: [] }],
        ]),
      );
    }));

  test('check tells sound from absent', () =>
    world(async (store) => {
      await shelve(store, first, [0, 3]);
      expect(await store.check(first)).toBe('sound');
      expect(await store.check(last)).toBe('absent');
    }));

  test('usage counts what is held and returns to nothing', () =>
    world(async (store) => {
      await shelve(store, first);
      const { diskBytes, memoryBytes, pieces } = store.usage();
      expect(diskBytes + memoryBytes).toBeGreaterThanOrEqual(4 * BLOCK);
      expect(pieces).toBe(1);
      await store.drop(version);
      expect(store.usage()).toMatchObject({ diskBytes: 0, memoryBytes: 0, pieces: 0 });
    }));
}
