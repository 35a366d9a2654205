// What the fs backend promises beyond the contract: how files lie, and what a restart, a second process, a symbolic
// link or somebody's editor does.
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { openFsBackend } from '../../backends/fs.ts';
import { rejection } from '../contracts/backend/world.ts';
import { FsWorld } from '../support/fs-world.ts';
import { md5, uploadBody } from '../support/upload-body.ts';

test('an object is a plain file under its own name', async () => {
  const world = await FsWorld.make();
  await world.put('photos/2024/cat (1).jpg', 'meow');
  expect(await readFile(world.path('photos', '2024', 'cat (1).jpg'), 'utf8')).toBe('meow');
});

test('keys in the way of each other all have their files, whichever came first', async () => {
  for (const keys of [
    ['a', 'a/', 'a/b', 'a/b/c', 'a//'],
    ['a//', 'a/b/c', 'a/b', 'a/', 'a'],
  ]) {
    const world = await FsWorld.make();
    for (const key of keys) await world.put(key, key);
    for (const key of keys) await world.put(key, `${key} again`);
    await world.reopen();
    for (const key of keys) expect(await world.get(key)).toBe(`${key} again`);
    for (const key of keys) await world.delete(key);
    expect(await readdir(world.path())).toEqual([]);
  }
});

test('puts and deletes in directories that come and go do not disturb each other', async () => {
  const world = await FsWorld.make({ fsync: false });
  const lane = async (name: string): Promise<void> => {
    for (let round = 0; round < 40; round += 1) {
      await world.put(`d/e/f/${name}`, name);
      expect(await world.get(`d/e/f/${name}`)).toBe(name);
      await world.delete(`d/e/f/${name}`);
    }
  };
  await Promise.all(['1', '2', '3', '4'].map(lane));
  expect(await readdir(world.path())).toEqual([]);
});

test('objects, attributes, buckets and uploads are there after a restart', async () => {
  const world = await FsWorld.make();
  const attributes = { headers: { contentType: 'text/x' }, metadata: { a: 'ü' }, tags: { t: '1' } };
  await world.put('kept', 'bytes', attributes);
  const upload = { ...world.ref('parts'), uploadId: '' };
  upload.uploadId = await world.backend.multipart.createUpload(upload, attributes, world.signal);
  const { etag } = await world.backend.multipart.uploadPart(upload, 1, uploadBody(Buffer.from('part')), world.signal);
  const before = await world.backend.head(world.ref('kept'), {}, world.signal);
  await world.reopen();
  expect(await world.backend.head(world.ref('kept'), {}, world.signal)).toEqual(before);
  expect(await world.backend.headBucket('bucket', world.signal)).toMatchObject({ owner: 'tester' });
  const parts = [{ partNumber: 1, etag }];
  const first = await world.backend.multipart.completeUpload(upload, parts, {}, world.signal);
  expect(await world.get('parts')).toBe('part');
  await world.reopen();
  expect(await world.backend.multipart.completeUpload(upload, parts, {}, world.signal)).toEqual(first);
});

test('a root in use is refused to a second gateway until the first has closed', async () => {
  const world = await FsWorld.make();
  const second = openFsBackend({ root: world.root });
  expect((await rejection(second, 'Misconfigured')).message).toContain(world.root);
  await world.put('still', 'works');
  await world.reopen();
  expect(await world.get('still')).toBe('works');
});

test('a root of an unknown format is refused', async () => {
  const world = await FsWorld.make();
  await world.close();
  await mkdir(join(world.root, '.dfstore', 'v9'));
  expect((await rejection(world.open(), 'Misconfigured')).message).toContain('v9');
});

test('a symbolic link is never followed out of the root', async () => {
  const world = await FsWorld.make();
  const outside = join(tmpdir(), `dfstore-outside-${process.pid}`);
  await mkdir(outside);
  onTestFinished(() => rm(outside, { recursive: true }));
  await writeFile(join(outside, 'secret'), 'secret');
  await world.put('dir/secret', 'public');
  await rm(world.path('dir'), { recursive: true });
  await symlink(outside, world.path('dir'));
  await rejection(world.get('dir/secret'), 'Misconfigured');
  await rejection(world.put('dir/new', 'x'), 'Misconfigured');
  await rejection(world.put('dir/deeper/new', 'x'), 'Misconfigured');
  await rejection(world.delete('dir/secret'), 'Misconfigured');
  await world.put('file', 'secret');
  await rm(world.path('file'));
  await symlink(join(outside, 'secret'), world.path('file'));
  await rejection(world.get('file'), 'Misconfigured');
  await world.put('file', 'replaced');
  expect(await world.get('file')).toBe('replaced');
  expect(await readdir(outside)).toEqual(['secret']);
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
});

test('a file that was cut or removed behind the backend is an error, never other bytes', async () => {
  const world = await FsWorld.make();
  await world.put('cut', 'a whole object');
  await world.put('gone', 'x');
  await truncate(world.path('cut'), 3);
  await rm(world.path('gone'));
  await rejection(world.get('cut'), 'Internal');
  await rejection(world.get('gone'), 'Internal');
  await world.put('cut', 'put again');
  await world.delete('gone');
  expect(await world.get('cut')).toBe('put again');
  expect(await world.keys()).toEqual(['cut']);
});

test('a file that is cut while it is read ends in an error', async () => {
  const world = await FsWorld.make();
  await world.put('cut', Buffer.alloc(4 * 1024 * 1024));
  const { body } = await world.backend.read(world.ref('cut'), {}, world.signal);
  const reading = (async () => {
    let first = true;
    for await (const _ of body) {
      if (first) await truncate(world.path('cut'), 10);
      first = false;
    }
  })();
  await rejection(reading, 'Internal');
});

test('a body that ends before or after its promised size commits nothing', async () => {
  const world = await FsWorld.make();
  for (const sizeBytes of [3, 5]) {
    const body = { ...uploadBody(Buffer.from('four')), sizeBytes };
    const putting = world.backend.put(world.ref('x'), body, { headers: {}, metadata: {} }, world.signal);
    await rejection(putting, 'Internal');
  }
  expect(await world.keys()).toEqual([]);
  expect(await readdir(join(world.root, '.dfstore', 'v1', 'tmp'))).toEqual([]);
});

test('a body of any chunk sizes arrives whole', async () => {
  const world = await FsWorld.make({ fsync: false });
  const bytes = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251));
  for (const chunkBytes of [1, 7, 4_096, 100_000]) {
    const body = uploadBody(bytes, { chunkBytes });
    await world.backend.put(world.ref('x'), body, { headers: {}, metadata: {} }, world.signal);
    expect(md5(await readFile(world.path('x')))).toEqual(md5(bytes));
  }
});

test('a disk with less than the reserve left takes no writes, and still deletes', async () => {
  const world = await FsWorld.make();
  await world.put('x', 'x');
  await world.close();
  const full = await openFsBackend({ root: world.root, reserveBytes: Number.MAX_SAFE_INTEGER });
  onTestFinished(() => full.close());
  const attributes = { headers: {}, metadata: {} };
  const body = uploadBody(Buffer.from('y'));
  await rejection(full.put?.(world.ref('y'), body, attributes, world.signal) ?? Promise.resolve(), 'OutOfSpace');
  await full.delete?.(world.ref('x'), {}, world.signal);
  expect((await full.list('bucket', { maxEntries: 10 }, world.signal)).objects).toEqual([]);
});

test('a copy shares its bytes on the disk with its source until one of them is replaced', async () => {
  const world = await FsWorld.make();
  await world.put('source', 'shared');
  await world.backend.copy(world.ref('source'), world.ref('copy'), {}, world.signal);
  await world.backend.copy(world.ref('copy'), world.ref('source'), {}, world.signal);
  expect(await readdir(join(world.root, '.dfstore', 'v1', 'tmp'))).toEqual([]);
  await world.put('source', 'changed');
  expect([await world.get('source'), await world.get('copy')]).toEqual(['changed', 'shared']);
});

test('a deleted bucket leaves the files that were never objects', async () => {
  const world = await FsWorld.make();
  await mkdir(world.path('somebody'));
  await writeFile(world.path('somebody', 'else'), 'theirs');
  expect(await world.keys()).toEqual([]);
  await world.backend.buckets.delete('bucket', world.signal);
  expect(await readFile(world.path('somebody', 'else'), 'utf8')).toBe('theirs');
});

test('a put over a directory that somebody made where a file should go takes another name', async () => {
  const world = await FsWorld.make();
  await mkdir(world.path('taken'));
  await world.put('taken', 'bytes');
  await world.reopen();
  expect(await world.get('taken')).toBe('bytes');
});

test('a body whose stream fails like a disk is told as its own error', async () => {
  const world = await FsWorld.make();
  const failure = Object.assign(new Error('read ENOSPC'), { code: 'ENOSPC' });
  const stream = new Readable({
    read() {
      this.destroy(failure);
    },
  });
  const body = { ...uploadBody(Buffer.from('x')), stream };
  const putting = world.backend.put(world.ref('x'), body, { headers: {}, metadata: {} }, world.signal);
  await expect(putting).rejects.toBe(failure);
});
