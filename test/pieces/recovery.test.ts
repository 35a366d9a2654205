import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Piece } from '../../src/pieces/piece.ts';
import { scrub } from '../../src/pieces/scrub.ts';
import { allocatedBytes, openDiskShelf, pieceFiles } from '../support/disk-shelf.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { isContent, readAll, shelve, testVersion } from '../support/piece-content.ts';

const BLOCK = 4096;
const version = testVersion('kept', 4 * 4 * BLOCK, 4 * BLOCK);
const pieces: Piece[] = [0, 1, 2, 3].map((index) => ({ version, index }));
const [piece = { version, index: 0 }, half = { version, index: 1 }] = pieces;

test('a restart finds whole and half-filled pieces, and a half-filled one is filled on', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    await shelve(shelf.store, piece);
    await shelve(shelf.store, half, [0, 2]);
    await shelf.restart();
    expect([...shelf.store.blocks(half)]).toEqual([0, 2]);
    expect(isContent(await readAll(shelf.store, piece), piece)).toBe(true);
    expect(isContent(await readAll(shelf.store, half, 2 * BLOCK, 3 * BLOCK), half, 2 * BLOCK, 3 * BLOCK)).toBe(true);
    await shelf.store.idle();
    expect(await shelve(shelf.store, half)).toBe(4);
    expect(isContent(await readAll(shelf.store, half), half)).toBe(true);
    expect((await allocatedBytes(shelf)).bytes).toBe(shelf.store.usage().diskBytes);
    expect(shelf.observer.discards).toEqual([]);
  } finally {
    await shelf.close();
  }
});

test('bytes that were written and not marked are cut off at the end of the file', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    await shelve(shelf.store, half, [0, 1]);
    await shelf.restart(async () => {
      const [file = ''] = await pieceFiles(shelf);
      await writeFile(file, Buffer.alloc(4 * BLOCK, 7), { flag: 'r+' });
    });
    await shelf.store.idle();
    expect(await allocatedBytes(shelf)).toEqual({ bytes: 2 * BLOCK, files: 1 });
    expect(shelf.store.usage().diskBytes).toBe(2 * BLOCK);
  } finally {
    await shelf.close();
  }
});

test('a half-filled piece with more bytes than its marks say is given up, and its bytes with it', async () => {
  const shelf = await openDiskShelf({ blockSize: 4 * BLOCK });
  const wide: Piece = { version: testVersion('wide', 16 * BLOCK, 16 * BLOCK), index: 0 };
  try {
    await shelve(shelf.store, wide, [3]);
    await shelf.restart(async () => {
      const [file = ''] = await pieceFiles(shelf);
      await writeFile(file, Buffer.alloc(8 * BLOCK, 7), { flag: 'r+' });
    });
    await shelf.store.idle();
    expect(await allocatedBytes(shelf)).toEqual({ bytes: 0, files: 0 });
    expect(shelf.store.usage()).toMatchObject({ diskBytes: 0, pieces: 0 });
  } finally {
    await shelf.close();
  }
});

test('what was staged when the process died is swept, and nobody can read it', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  const staged: Piece = { version: { ...version, etag: '', id: 'ab'.repeat(20) }, index: 0 };
  try {
    await shelve(shelf.store, staged);
    await shelf.restart();
    await shelf.store.idle();
    expect(await readAll(shelf.store, staged)).toBeUndefined();
    expect(await allocatedBytes(shelf)).toEqual({ bytes: 0, files: 0 });
  } finally {
    await shelf.close();
  }
});

test('a disk that is no longer configured takes its rows along', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK, disks: 2 });
  try {
    const many = Array.from({ length: 20 }, (_, index): Piece => {
      return { version: testVersion(`many-${index}`, 100, 4 * BLOCK), index: 0 };
    });
    for (const each of many) await shelve(shelf.store, each);
    const before = shelf.store.usage().pieces;
    const [first = ''] = shelf.disks;
    await shelf.restart(undefined, { disks: [{ path: first, capacityBytes: 2 ** 20 }] });
    const after = shelf.store.usage().pieces;
    expect(before).toBe(20);
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThan(20);
    const listed: string[] = [];
    for await (const { version: each } of shelf.store.list()) listed.push(each.id);
    expect(listed.length).toBe(after);
  } finally {
    await shelf.close();
  }
});

test('a change of block size keeps whole pieces and starts half-filled ones anew', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    await shelve(shelf.store, piece);
    await shelve(shelf.store, half, [0]);
    await shelf.restart(undefined, { blockSize: 2 * BLOCK });
    expect(shelf.store.blocks(piece).size).toBe(2);
    expect(shelf.store.blocks(piece).isFull).toBe(true);
    expect(shelf.store.blocks(half).isEmpty).toBe(true);
    expect(await shelf.store.digests(piece)).toBeUndefined();
    expect(isContent(await readAll(shelf.store, piece), piece)).toBe(true);
    expect(await shelve(shelf.store, half, [1])).toBe(1);
    expect(isContent(await readAll(shelf.store, half, 2 * BLOCK, 4 * BLOCK), half, 2 * BLOCK, 4 * BLOCK)).toBe(true);
    await shelf.store.idle();
    expect((await allocatedBytes(shelf)).bytes).toBe(shelf.store.usage().diskBytes);
  } finally {
    await shelf.close();
  }
});

test('a scrub reads everything, tells sound from damaged, and discards what is damaged', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    for (const each of pieces) await shelve(shelf.store, each);
    await shelf.store.idle();
    const [file = ''] = await pieceFiles(shelf);
    await truncate(file, BLOCK + 1);
    const found: string[] = [];
    for await (const { soundness } of scrub(shelf.store, {}, new AbortController().signal)) found.push(soundness);
    expect(found.toSorted()).toEqual(['damaged', 'sound', 'sound', 'sound']);
    expect(shelf.store.usage().pieces).toBe(3);
  } finally {
    await shelf.close();
  }
});

test('a scrub reads what is held of pieces not yet whole, and finds damage there too', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    await shelve(shelf.store, piece, [1, 2]);
    await shelf.store.idle();
    const findings = async () => {
      const found: { soundness: string; bytes: number }[] = [];
      for await (const { soundness, bytes } of scrub(shelf.store, {}, new AbortController().signal)) {
        found.push({ soundness, bytes });
      }
      return found;
    };
    expect(await findings()).toEqual([{ soundness: 'sound', bytes: 2 * BLOCK }]);
    const [file = ''] = await pieceFiles(shelf);
    await truncate(file, 2 * BLOCK + 1);
    expect(await findings()).toEqual([{ soundness: 'damaged', bytes: 2 * BLOCK }]);
    expect(await findings()).toEqual([]);
  } finally {
    await shelf.close();
  }
});

test('a piece that leaves the shelf while it is checked is absent, not damaged', async () => {
  const files = new FaultyFiles();
  const shelf = await openDiskShelf({ blockSize: BLOCK, files });
  try {
    await shelve(shelf.store, piece);
    await shelf.restart();
    let open: () => void = () => undefined;
    files.holdOpen = new Promise((resolve) => {
      open = resolve;
    });
    const opensBefore = files.calls.get('open') ?? 0;
    const checked = shelf.store.check(piece);
    await expect.poll(() => files.calls.get('open') ?? 0).toBeGreaterThan(opensBefore);
    await shelf.store.forget(piece);
    open();
    expect(await checked).toBe('absent');
    expect(shelf.observer.discards).toEqual([]);
  } finally {
    await shelf.close();
  }
});

test('a piece whose file is gone is absent, not damaged: no byte of it was wrong', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    await shelve(shelf.store, piece);
    await shelf.restart(async () => {
      for (const file of await pieceFiles(shelf)) await rm(file);
    });
    expect(await shelf.store.check(piece)).toBe('absent');
    await shelf.store.idle();
    expect(shelf.observer.discards).toEqual(['missing']);
    expect(shelf.store.usage()).toMatchObject({ diskBytes: 0, pieces: 0 });
  } finally {
    await shelf.close();
  }
});

test('a scrub that is told to stop stops', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    for (const each of pieces) await shelve(shelf.store, each);
    const stop = new AbortController();
    let found = 0;
    for await (const _ of scrub(shelf.store, { bytesPerSecond: 1 }, stop.signal)) {
      found += 1;
      stop.abort();
    }
    expect(found).toBe(1);
  } finally {
    await shelf.close();
  }
});

test('the format stands in the path, and only this format is touched', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    await shelve(shelf.store, piece);
    expect(await readdir(shelf.disks[0] ?? '')).toEqual(['v1']);
    const next = join(shelf.disks[0] ?? '', 'v2');
    await writeFile(next, 'of a later version');
    await shelf.restart();
    await shelf.store.idle();
    expect((await readdir(shelf.disks[0] ?? '')).toSorted()).toEqual(['v1', 'v2']);
  } finally {
    await shelf.close();
  }
});
