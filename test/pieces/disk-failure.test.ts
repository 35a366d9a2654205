import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Piece } from '../../src/pieces/piece.ts';
import {
  allocatedBytes,
  type DiskShelf,
  openDiskShelf,
  pieceFiles,
  type ShelfSettings,
} from '../support/disk-shelf.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { isContent, readAll, shelve, testVersion } from '../support/piece-content.ts';

const BLOCK = 4096;
const version = testVersion('failing', 40 * 2 * BLOCK, 2 * BLOCK);
const pieces: Piece[] = Array.from({ length: 40 }, (_, index) => ({ version, index }));
const [piece = { version, index: 0 }, other = { version, index: 1 }] = pieces;

async function world(
  act: (shelf: DiskShelf, files: FaultyFiles) => Promise<void>,
  settings: ShelfSettings = {},
): Promise<void> {
  const files = new FaultyFiles();
  const shelf = await openDiskShelf({ blockSize: BLOCK, files, ...settings });
  try {
    await act(shelf, files);
  } finally {
    files.mend();
    await shelf.close();
  }
}

for (const code of ['ENOSPC', 'EROFS', 'EDQUOT']) {
  test(`a disk that takes nothing more (${code}) serves what it holds, and takes again once it can`, () =>
    world(async ({ store, observer }, files) => {
      await shelve(store, piece);
      files.fail('write', code);
      expect(await shelve(store, other)).toBe(0);
      expect(observer.diskEvents).toEqual(['reading']);
      expect(isContent(await readAll(store, piece), piece)).toBe(true);
      await store.heal();
      expect(observer.diskEvents).toEqual(['reading']);
      files.mend();
      await store.heal();
      expect(observer.diskEvents).toEqual(['reading', 'healed']);
      expect(await shelve(store, other)).toBe(2);
      expect(isContent(await readAll(store, other), other)).toBe(true);
    }));
}

test('a disk that cannot be read is out until a probe succeeds, and nothing rejects meanwhile', () =>
  world(async ({ store, observer }, files) => {
    for (const each of [piece, other]) await shelve(store, each);
    files.fail('read', 'EIO');
    expect(await readAll(store, piece)).toBeUndefined();
    expect(observer.diskEvents).toEqual(['out']);
    expect(observer.discards).toEqual(['unreadable']);
    const before = files.calls.get('read');
    expect(await readAll(store, other)).toBeUndefined();
    expect(files.calls.get('read')).toBe(before);
    expect(await shelve(store, piece)).toBe(0);
    await store.heal();
    expect(observer.diskEvents).toEqual(['out']);
    files.mend();
    await store.heal();
    expect(observer.diskEvents).toEqual(['out', 'healed']);
    expect(isContent(await readAll(store, other), other)).toBe(true);
  }));

test('a disk that reads back other bytes than were written stays out', () =>
  world(async ({ store, observer }, files) => {
    await shelve(store, piece);
    files.fail('write', 'EIO');
    await shelve(store, other);
    files.mend();
    files.garbleReads = true;
    await store.heal();
    expect(observer.diskEvents).toEqual(['out']);
    files.garbleReads = false;
    await store.heal();
    expect(observer.diskEvents).toEqual(['out', 'healed']);
  }));

test('a version dropped while its file is being made leaves no file behind', () =>
  world(async (shelf, files) => {
    let letGo = (): void => undefined;
    files.holdOpen = new Promise((resolve) => {
      letGo = resolve;
    });
    const shelving = shelve(shelf.store, piece, [0]);
    while ((files.calls.get('open') ?? 0) === 0) await new Promise((resolve) => setImmediate(resolve));
    const dropping = shelf.store.drop(version);
    files.holdOpen = undefined;
    letGo();
    expect(await shelving).toBe(0);
    await dropping;
    await shelf.store.idle();
    expect(await allocatedBytes(shelf)).toEqual({ bytes: 0, files: 0 });
    expect(shelf.store.usage()).toMatchObject({ diskBytes: 0, pieces: 0 });
  }));

test('when one of three disks fails the others take its place, and pieces on them are served', () =>
  world(
    async ({ store, disks, observer }, files) => {
      for (const each of pieces) await shelve(store, each);
      const [bad = ''] = disks;
      files.fail('read', 'EIO', { under: bad });
      files.fail('write', 'EIO', { under: bad });
      let missed = 0;
      for (const each of pieces) {
        const read = await readAll(store, each);
        if (read === undefined) missed += 1;
        else expect(isContent(read, each)).toBe(true);
      }
      expect(missed).toBeGreaterThan(0);
      expect(missed).toBeLessThan(pieces.length);
      expect(observer.diskEvents).toEqual(['out']);
      const fresh: Piece[] = Array.from({ length: 20 }, (_, index) => ({
        version: testVersion(`fresh-${index}`, BLOCK, BLOCK),
        index: 0,
      }));
      for (const each of fresh) expect(await shelve(store, each)).toBe(1);
      for (const each of fresh) expect(isContent(await readAll(store, each), each)).toBe(true);
    },
    { disks: 3 },
  ));

test('pieces spread over disks by their capacity', () =>
  world(
    async ({ store, disks }) => {
      for (const each of pieces) await shelve(store, each);
      await store.idle();
      for (const disk of disks) expect((await pieceFiles({ disks: [disk] })).length).toBeGreaterThan(5);
    },
    { disks: 2 },
  ));

test('a disk that is out at the start comes in later with all it holds', async () => {
  const files = new FaultyFiles();
  const shelf = await openDiskShelf({ blockSize: BLOCK, files });
  try {
    await shelve(shelf.store, piece);
    await shelf.restart(() => {
      files.fail('makeDirectory', 'EIO');
      return Promise.resolve();
    });
    expect(await readAll(shelf.store, piece)).toBeUndefined();
    expect(await shelve(shelf.store, other)).toBe(0);
    files.mend();
    await shelf.store.heal();
    await shelf.store.idle();
    expect(isContent(await readAll(shelf.store, piece), piece)).toBe(true);
    expect(await shelve(shelf.store, other)).toBe(2);
  } finally {
    files.mend();
    await shelf.close();
  }
});

test('files that would not be removed still count as ours, and go when the disk is back', () =>
  world(async (shelf, files) => {
    await shelve(shelf.store, piece);
    files.fail('remove', 'EIO');
    await shelf.store.forget(piece);
    expect(shelf.store.usage().diskBytes).toBe(2 * BLOCK);
    expect(await readAll(shelf.store, piece)).toBeUndefined();
    files.mend();
    await shelf.store.heal();
    expect(shelf.store.usage().diskBytes).toBe(0);
    expect(await allocatedBytes(shelf)).toEqual({ bytes: 0, files: 0 });
  }));

test('a process short of file descriptors does not take its disks for broken', () =>
  world(async ({ store, observer }, files) => {
    await shelve(store, piece);
    await store.idle();
    files.fail('write', 'EMFILE', { times: 1 });
    expect(await shelve(store, other)).toBe(1);
    expect(await shelve(store, other)).toBe(2);
    expect(observer.diskEvents).toEqual([]);
    expect(isContent(await readAll(store, other), other)).toBe(true);
  }));

test('a cache directory that somebody deletes under a running gateway costs its pieces and nothing else', () =>
  world(
    async ({ store, disks }) => {
      await shelve(store, piece);
      await store.idle();
      await rm(disks[0] ?? '', { recursive: true });
      expect(await shelve(store, other)).toBe(2);
      expect(isContent(await readAll(store, other), other)).toBe(true);
    },
    { maxOpenFiles: 1 },
  ));

test('LevelDB that refuses marks is reported, and pieces are served while the process lives', () =>
  world(async (shelf) => {
    await shelve(shelf.store, piece);
    await shelf.level.close();
    await shelve(shelf.store, other);
    await shelf.store.idle();
    expect(shelf.observer.databaseErrors.length).toBeGreaterThan(0);
    expect(isContent(await readAll(shelf.store, other), other)).toBe(true);
    expect(shelf.observer.diskEvents).toEqual([]);
  }));
