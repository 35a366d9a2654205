// What the fs backend does when the disk or its index fails in the middle of a write.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { BackendError, BackendErrorCode } from '../../backends/backend.ts';
import { Ballast } from '../../backends/fs/ballast.ts';
import { diskError } from '../../backends/fs/disk-error.ts';
import { stampAt } from '../../backends/fs/durable-file.ts';
import { Journal } from '../../backends/fs/journal.ts';
import { Layout } from '../../backends/fs/layout.ts';
import type { ObjectIndex } from '../../backends/fs/object-index.ts';
import { type ObjectRow, type Placement, rowName } from '../../backends/fs/records.ts';
import { type FsRoot, openRoot } from '../../backends/fs/root.ts';
import { rejection } from '../contracts/backend/world.ts';
import { FsWorld } from '../support/fs-world.ts';

const FULL = Object.assign(new Error('IO error: 000003.log: No space left on device'), { code: 'LEVEL_IO_ERROR' });

/** The files of a closed world, opened below the backend. */
async function rootOf(world: FsWorld): Promise<FsRoot> {
  await world.close();
  const root = await openRoot(world.root, { fsync: false, reserveBytes: 0, now: () => new Date() });
  onTestFinished(() => root.close());
  return root;
}

/** The journal of a root whose index fails at its n-th write. */
function failingJournal(root: FsRoot, failAt: number): Journal {
  let writes = 0;
  const write: ObjectIndex['write'] = async (changes, durability) => {
    writes += 1;
    if (writes === failAt) throw FULL;
    await root.index.write(changes, durability);
  };
  const index = () => ({ rows: root.index.rows, write, fail: (failure: unknown) => root.index.fail(failure) });
  return new Journal({ layout: root.layout, locks: root.locks, index }, { fsync: false, folds: false });
}

async function placement(root: FsRoot, bytes: string): Promise<Placement> {
  const temp = root.layout.newTemp();
  await writeFile(temp, bytes);
  const row = { sizeBytes: bytes.length, etag: bytes, lastModified: 0, headers: {}, metadata: {} };
  const ref = { bucket: 'bucket', key: 'dir/x' };
  return { kind: 'place', ref, temp, stamp: (await stampAt(temp)) ?? 'none', row };
}

async function recordOf(root: FsRoot): Promise<ObjectRow | undefined> {
  return root.index.rows.get<ObjectRow>(rowName.object({ bucket: 'bucket', key: 'dir/x' }));
}

test('a put whose intent cannot be written commits nothing and leaves no file', async () => {
  const world = await FsWorld.make();
  await world.put('dir/x', 'older');
  const root = await rootOf(world);
  const placing = failingJournal(root, 1).place(await placement(root, 'newer'), await recordOf(root));
  await expect(placing).rejects.toBe(FULL);
  expect(await readFile(world.path('dir', 'x'), 'utf8')).toBe('older');
  expect(await readdir(root.layout.tmp)).toEqual([]);
  expect(await root.index.rows.all('i')).toEqual([]);
});

test('a put whose record cannot be written is Unavailable, hides the object, and is finished by the recovery', async () => {
  const world = await FsWorld.make();
  await world.put('dir/x', 'older');
  const root = await rootOf(world);
  const placing = failingJournal(root, 2).place(await placement(root, 'newer'), await recordOf(root));
  await rejection(placing, 'Unavailable');
  expect(() => root.index.rows).toThrow(/recovered/);
  await root.recovered();
  expect((await recordOf(root))?.etag).toBe('newer');
  expect(await readFile(world.path('dir', 'x'), 'utf8')).toBe('newer');
  expect(await root.index.rows.all('i')).toEqual([]);
});

test('a put that died between intent and rename is finished when the root is opened', async () => {
  const world = await FsWorld.make();
  await world.put('dir/x', 'older');
  const root = await rootOf(world);
  const intent = { ...(await placement(root, 'newer')), path: 'dir/x' };
  await root.index.write([{ type: 'put', key: rowName.intent('bucket\0dir/x'), value: intent }], 'durable');
  await root.close();
  await world.open();
  expect(await world.get('dir/x')).toBe('newer');
  await world.reopen();
  expect(await world.get('dir/x')).toBe('newer');
});

test('a put whose file is lost is withdrawn when the root is opened', async () => {
  const world = await FsWorld.make();
  await world.put('dir/x', 'older');
  const root = await rootOf(world);
  const intent = { ...(await placement(root, 'newer')), temp: join(root.layout.tmp, 'lost'), path: 'dir/x' };
  await root.index.write([{ type: 'put', key: rowName.intent('bucket\0dir/x'), value: intent }], 'durable');
  await root.close();
  await world.open();
  expect(await world.get('dir/x')).toBe('older');
  expect(await readdir(join(world.root, '.dfstore', 'v1', 'tmp'))).toEqual([]);
});

test('a delete that died before its file was removed leaves no file when the root is opened', async () => {
  const world = await FsWorld.make();
  await world.put('dir/x', 'x');
  const root = await rootOf(world);
  const row = await recordOf(root);
  await rejection(failingAfterRemoval(root, row), 'Internal');
  expect(await recordOf(root)).toBeUndefined();
  await root.close();
  await world.open();
  expect(await world.keys()).toEqual([]);
  expect(await readdir(world.path('dir')).catch(() => [])).toEqual([]);
});

test('a full disk gives up its ballast so that the index opens and objects can be deleted', async () => {
  const world = await FsWorld.make({ reserveBytes: 400_000 });
  const ballast = join(world.root, '.dfstore', 'v1', 'ballast');
  expect((await readFile(ballast)).length).toBe(100_000);
  await world.close();
  let attempts = 0;
  const opening = async (): Promise<string> => {
    attempts += 1;
    if (attempts === 1) throw FULL;
    return 'opened';
  };
  expect(await new Ballast(new Layout(world.root), { reserveBytes: 400_000 }).orWithout(opening)).toBe('opened');
  await expect(readFile(ballast)).rejects.toThrow(/ENOENT/);
  await world.open();
  expect((await readFile(ballast)).length).toBe(100_000);
});

test('what the system says of a disk is told in the contract’s words', () => {
  const expected: Record<string, BackendErrorCode> = {
    ENOSPC: 'OutOfSpace',
    EDQUOT: 'OutOfSpace',
    EACCES: 'Misconfigured',
    EROFS: 'Misconfigured',
    EMFILE: 'SlowDown',
    EIO: 'Internal',
    ESTALE: 'Internal',
  };
  for (const [code, told] of Object.entries(expected)) {
    const cause = Object.assign(new Error(code), { code });
    const error: BackendError = diskError(cause);
    expect([error.code, error.cause, error.nativeCode]).toEqual([told, cause, code]);
  }
  expect(diskError(FULL).code).toBe('OutOfSpace');
});

/** A removal whose process dies as soon as the record is gone: the index takes one write and no more. */
async function failingAfterRemoval(root: FsRoot, row: ObjectRow | undefined): Promise<void> {
  if (row === undefined) throw new Error('There is no object to remove.');
  const died = Object.assign(new Error('died'), { code: 'EIO' });
  const index = () => ({
    rows: root.index.rows,
    write: async (...[changes, durability]: Parameters<ObjectIndex['write']>) => {
      await root.index.write(changes, durability);
      throw diskError(died);
    },
    fail: (failure: unknown) => root.index.fail(failure),
  });
  const journal = new Journal({ layout: root.layout, locks: root.locks, index }, { fsync: false, folds: false });
  await journal.remove({ bucket: 'bucket', key: 'dir/x' }, row);
}
