// What the fs backend makes of a change of versions that a crash left half done.
import { mkdir, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { stampAt } from '../../backends/fs/durable-file.ts';
import type { RowChange } from '../../backends/fs/object-index.ts';
import { type Intent, type ObjectRow, rowName } from '../../backends/fs/records.ts';
import { type FsRoot, openRoot } from '../../backends/fs/root.ts';
import { FsWorld } from '../support/fs-world.ts';

const BUCKET = 'bucket';
const REF = { bucket: BUCKET, key: 'dir/x' };

let world: FsWorld;
beforeEach(async () => {
  world = await FsWorld.make();
  await world.backend.versioning?.set?.(BUCKET, 'Enabled', world.signal);
});

/** The world as a crash leaves it: `leave` writes what was done by then, and gives the intent that was on the disk. */
async function crash(leave: (root: FsRoot) => Promise<Intent>): Promise<void> {
  await world.close();
  const root = await openRoot(world.root, { fsync: false, reserveBytes: 0, now: () => new Date() });
  onTestFinished(() => root.close());
  const intent = await leave(root);
  const key = rowName.intent(`${BUCKET}\0${intent.ref.key}`);
  await root.index.write([{ type: 'put', key, value: intent }], 'durable');
  await root.close();
  await world.open();
}

async function currentOf(root: FsRoot): Promise<ObjectRow & { order: string }> {
  const row = await root.index.rows.get<ObjectRow>(rowName.object(REF));
  if (row?.order === undefined) throw new Error('There is no version.');
  return { ...row, order: row.order };
}

/** Of a put over the current version, which is still in its place. */
async function putIntent(root: FsRoot): Promise<Intent & { kind: 'place' }> {
  const temp = root.layout.newTemp();
  await writeFile(temp, 'newer');
  const current = await currentOf(root);
  const path = root.layout.newVersionPath();
  const keep = { path, stamp: await stampOf(root.layout.object(BUCKET, current.path)) };
  const changes: RowChange[] = [{ type: 'put', key: rowName.version(REF, current.order), value: { ...current, path } }];
  const row = { sizeBytes: 5, etag: 'newer', lastModified: 0, headers: {}, metadata: {}, versionId: 'a', order: '0' };
  return { kind: 'place', ref: REF, temp, stamp: await stampOf(temp), row, keep, changes, path: current.path };
}

async function stampOf(path: string): Promise<string> {
  const stamp = await stampAt(path);
  if (stamp === undefined) throw new Error(`There is no file ${path}.`);
  return stamp;
}

async function moveToVersions(root: FsRoot, intent: Intent & { kind: 'place' }): Promise<void> {
  const target = root.layout.version(intent.keep?.path ?? 'none');
  await mkdir(dirname(target), { recursive: true });
  await rename(root.layout.object(BUCKET, intent.path), target);
}

/** The bytes of every version, newest first. */
async function versions(): Promise<(string | undefined)[]> {
  const { backend, signal } = world;
  const page = await backend.versioning?.list(BUCKET, { prefix: REF.key, maxEntries: 100 }, signal);
  const found = (page?.versions ?? []).map(async (version) => {
    if ('deleteMarker' in version) return undefined;
    const { body } = await backend.read(REF, { versionId: version.versionId }, signal);
    return (await buffer(body)).toString();
  });
  return Promise.all(found);
}

async function filesOfVersions(): Promise<number> {
  const directory = join(world.root, '.dfstore', 'v1', 'versions');
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

test('a put over a version that died before anything moved is finished when the root is opened', async () => {
  await world.put(REF.key, 'older');
  await crash(putIntent);
  expect(await world.get(REF.key)).toBe('newer');
  expect([await versions(), await filesOfVersions()]).toEqual([['newer', 'older'], 1]);
});

test('a put over a version that died between its two renames is finished when the root is opened', async () => {
  await world.put(REF.key, 'older');
  await crash(async (root) => {
    const intent = await putIntent(root);
    await moveToVersions(root, intent);
    return intent;
  });
  expect(await world.get(REF.key)).toBe('newer');
  expect([await versions(), await filesOfVersions()]).toEqual([['newer', 'older'], 1]);
});

test('a put over a version that died before its record was written is finished, and only once', async () => {
  await world.put(REF.key, 'older');
  await crash(async (root) => {
    const intent = await putIntent(root);
    await moveToVersions(root, intent);
    await rename(intent.temp, root.layout.object(BUCKET, intent.path));
    return intent;
  });
  await world.reopen();
  expect([await versions(), await filesOfVersions()]).toEqual([['newer', 'older'], 1]);
});

test('a put over a version whose new file is lost leaves the version in its place', async () => {
  await world.put(REF.key, 'older');
  await crash(async (root) => {
    const intent = await putIntent(root);
    await moveToVersions(root, intent);
    await unlink(intent.temp);
    return intent;
  });
  expect(await world.get(REF.key)).toBe('older');
  expect([await versions(), await filesOfVersions()]).toEqual([['older'], 0]);
});

/** Of the removal of the current version, which the one before it follows. */
async function restoreIntent(root: FsRoot): Promise<Intent & { kind: 'rearrange' }> {
  const current = await currentOf(root);
  const [[name, row] = ['', undefined]] = await root.index.rows.all<ObjectRow & { order: string }>('v');
  if (row === undefined) throw new Error('There is no version before it.');
  const move = { path: row.path, stamp: await stampOf(root.layout.version(row.path)), to: 'bucket' as const };
  const changes: RowChange[] = [
    { type: 'del', key: name },
    { type: 'put', key: rowName.object(REF), value: { ...row, path: current.path } },
  ];
  return { kind: 'rearrange', ref: REF, move, changes, path: current.path };
}

test('a removal of the newest version that died before or after its rename is finished', async () => {
  for (const isMoved of [false, true]) {
    await world.put(REF.key, 'older');
    await world.put(REF.key, 'newest');
    await crash(async (root) => {
      const intent = await restoreIntent(root);
      const object = root.layout.object(BUCKET, intent.path);
      if (isMoved) await rename(root.layout.version(intent.move?.path ?? 'none'), object);
      return intent;
    });
    expect(await world.get(REF.key)).toBe('older');
    expect([await versions(), await filesOfVersions()]).toEqual([['older'], 0]);
    await world.backend.delete(REF, { versionId: (await ids())[0] }, world.signal);
  }
});

test('a copy of an object onto itself keeps both versions though they are one file', async () => {
  await world.put(REF.key, 'same');
  const replace = { headers: {}, metadata: { made: 'copy' } };
  await world.backend.copy(REF, REF, { replace }, world.signal);
  expect([await versions(), await filesOfVersions()]).toEqual([['same', 'same'], 1]);
  await world.backend.delete(REF, { versionId: (await ids())[0] }, world.signal);
  expect([await versions(), await filesOfVersions()]).toEqual([['same'], 0]);
  expect(await world.get(REF.key)).toBe('same');
});

test('a delete that died after its file was removed is over, though a longer key came to lie beneath the name', async () => {
  await world.put('dir', 'x');
  await world.backend.delete({ bucket: BUCKET, key: 'dir' }, {}, world.signal);
  await rm(world.path('dir'), { recursive: true, force: true });
  await world.put(REF.key, 'beneath');
  await crash(async () => ({ kind: 'remove', ref: { bucket: BUCKET, key: 'dir' }, path: 'dir' }));
  expect(await world.get(REF.key)).toBe('beneath');
});

async function ids(): Promise<string[]> {
  const page = await world.backend.versioning?.list(BUCKET, { prefix: REF.key, maxEntries: 100 }, world.signal);
  return (page?.versions ?? []).map((version) => version.versionId);
}
