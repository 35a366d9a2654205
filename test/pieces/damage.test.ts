import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Piece } from '../../src/pieces/piece.ts';
import { allocatedBytes, type DiskShelf, openDiskShelf, pieceFiles } from '../support/disk-shelf.ts';
import { damage, inflict } from '../support/inflict-damage.ts';
import { contentOf, isContent, readAll, shelve, testVersion } from '../support/piece-content.ts';

const BLOCK = 4096;
const versions = [testVersion('a', 5 * 4 * BLOCK + 100, 4 * BLOCK), testVersion('b', 3000, 4 * BLOCK)];
const pieces: Piece[] = versions.flatMap((version) =>
  Array.from({ length: Math.ceil(version.size / version.pieceSize) }, (_, index) => ({ version, index })),
);

/** Every slice read is right or refused; what was refused can be put back and is then right. */
async function serveAll(shelf: DiskShelf): Promise<void> {
  for (const piece of pieces) {
    const content = contentOf(piece);
    for (const [start, end] of [
      [0, 1],
      [Math.floor(content.length / 2), content.length],
      [0, content.length],
    ] as const) {
      const read = await readAll(shelf.store, piece, start, end);
      if (read !== undefined) expect(read.equals(content.subarray(start, end))).toBe(true);
    }
    await shelve(shelf.store, piece);
    expect((await readAll(shelf.store, piece))?.equals(content)).toBe(true);
  }
}

for (const disks of [1, 2]) {
  test(`whatever happens to the files while the gateway is down, no wrong byte is served (${disks} disks)`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
        const shelf = await openDiskShelf({ blockSize: BLOCK, disks });
        try {
          for (const piece of pieces) await shelve(shelf.store, piece);
          await shelf.restart(async () => {
            const files = await pieceFiles(shelf);
            for (const each of damages) await inflict(shelf.levelPath, files, each);
          });
          await serveAll(shelf);
        } finally {
          await shelf.close();
        }
      }),
      { numRuns: 20 },
    );
  });
}

test('with verify: always, no wrong byte is served whatever happens to the files while they are served', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
      const shelf = await openDiskShelf({ blockSize: BLOCK, verify: 'always' });
      try {
        for (const piece of pieces) await shelve(shelf.store, piece);
        await shelf.store.idle();
        for (const piece of pieces) expect(isContent(await readAll(shelf.store, piece), piece)).toBe(true);
        const files = await pieceFiles(shelf);
        const toFiles = damages.filter(({ kind }) => kind !== 'delete LevelDB');
        for (const each of toFiles) await inflict(shelf.levelPath, files, each);
        await serveAll(shelf);
      } finally {
        await shelf.close();
      }
    }),
    { numRuns: 20 },
  );
});

test('every single bit of a small file that flips is noticed', async () => {
  const version = testVersion('bits', 40, 4 * BLOCK);
  const piece = { version, index: 0 };
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    for (let bit = 0; bit < 40 * 8; bit += 7) {
      await shelve(shelf.store, piece);
      await shelf.store.idle();
      const [file = ''] = await pieceFiles(shelf);
      const bytes = await readFile(file);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(file, bytes);
      expect(await readAll(shelf.store, piece, 0, 1)).toBeUndefined();
      expect(shelf.observer.discards.at(-1)).toBe('digest');
    }
  } finally {
    await shelf.close();
  }
});

test('a check finds damage that was done after the first read, and discards it', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  const piece: Piece = { version: testVersion('late', 4 * BLOCK, 4 * BLOCK), index: 0 };
  try {
    await shelve(shelf.store, piece);
    expect(isContent(await readAll(shelf.store, piece), piece)).toBe(true);
    const [file = ''] = await pieceFiles(shelf);
    const bytes = await readFile(file);
    bytes[2 * BLOCK] = (bytes[2 * BLOCK] ?? 0) ^ 0x10;
    await writeFile(file, bytes);
    expect(await shelf.store.check(piece)).toBe('damaged');
    expect(await readAll(shelf.store, piece)).toBeUndefined();
    await shelf.store.idle();
    expect(await pieceFiles(shelf)).toEqual([]);
  } finally {
    await shelf.close();
  }
});

test('a file that is cut after it was proved is not served from what a buffer held before', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  const [piece, other]: Piece[] = ['cut', 'other'].map((key) => ({
    version: testVersion(key, 2 * BLOCK, 2 * BLOCK),
    index: 0,
  }));
  if (piece === undefined || other === undefined) throw new Error('two pieces');
  try {
    await shelve(shelf.store, piece);
    expect(isContent(await readAll(shelf.store, piece), piece)).toBe(true);
    const [file = ''] = await pieceFiles(shelf);
    await shelve(shelf.store, other);
    await truncate(file, BLOCK + 1);
    expect(isContent(await readAll(shelf.store, other), other)).toBe(true);
    expect(await readAll(shelf.store, piece)).toBeUndefined();
    expect(shelf.observer.discards).toEqual(['short']);
  } finally {
    await shelf.close();
  }
});

test('without LevelDB the files it named are removed and nothing is held', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    for (const piece of pieces) await shelve(shelf.store, piece);
    await shelf.restart(() => rm(shelf.levelPath, { recursive: true }));
    await shelf.store.idle();
    expect(await allocatedBytes(shelf)).toEqual({ bytes: 0, files: 0 });
    expect(shelf.store.usage()).toMatchObject({ diskBytes: 0, pieces: 0 });
  } finally {
    await shelf.close();
  }
});

test('a file that is no piece of ours is left alone', async () => {
  const shelf = await openDiskShelf({ blockSize: BLOCK });
  try {
    const theirs = join(shelf.disks[0] ?? '', 'v1', 'pieces', 'ab', 'README');
    await mkdir(dirname(theirs), { recursive: true });
    await writeFile(theirs, 'mine');
    await shelf.restart();
    await shelf.store.idle();
    expect(await readFile(theirs, 'utf8')).toBe('mine');
  } finally {
    await shelf.close();
  }
});
