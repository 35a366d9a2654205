// Versions through a gateway that caches: what is current is never taken from what was.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CachedGateway } from '../support/cached-gateway.ts';
import { MemoryBackend } from '../support/memory-backend.ts';

let world: CachedGateway;
let origin: MemoryBackend;
let made = 0;

beforeAll(async () => {
  origin = new MemoryBackend();
  // What is cached holds until this gateway itself changes it: a write that revoked too little would show.
  world = await CachedGateway.start({ origin, bucket: { freshness: '1h' } });
});
afterAll(() => world.close());

/** A bucket with versions, and how clients use one key of it. */
async function versionedKey() {
  made += 1;
  const bucket = `versions-${made}`;
  const { signal } = new AbortController();
  await origin.buckets.create(bucket, { owner: 'acme' }, signal);
  await origin.versioning.set(bucket, 'Enabled', signal);
  const path = `/${bucket}/key`;
  const read = async (versionId?: string) => {
    const query = versionId === undefined ? '' : `?versionId=${encodeURIComponent(versionId)}`;
    const { status, body, headers } = await world.get(path + query);
    return { status, text: body.toString(), versionId: headers['x-amz-version-id']?.toString() };
  };
  const put = async (text: string, headers: Record<string, string> = {}) => {
    const { headers: told } = await world.put(path, text, headers);
    return String(told['x-amz-version-id']);
  };
  const remove = (versionId?: string) =>
    world.delete(versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(versionId)}`);
  return { bucket, path, read, put, remove };
}

test('each write is what is read next, by its own id', async () => {
  const { read, put } = await versionedKey();
  const first = await put('first');
  expect(await read()).toEqual({ status: 200, text: 'first', versionId: first });
  const second = await put('second');
  expect(await read()).toEqual({ status: 200, text: 'second', versionId: second });
  expect(await read(first)).toEqual({ status: 200, text: 'first', versionId: first });
});

test('the same bytes written again are another version', async () => {
  const { read, put } = await versionedKey();
  const first = await put('same');
  expect((await read()).versionId).toBe(first);
  const second = await put('same');
  expect((await read()).versionId).toBe(second);
  expect(second).not.toBe(first);
});

test('when the newest version is removed, the one before it is read at once', async () => {
  const { read, put, remove } = await versionedKey();
  const first = await put('first');
  const second = await put('second');
  expect((await read()).text).toBe('second');
  await remove(second);
  expect(await read()).toEqual({ status: 200, text: 'first', versionId: first });
  await remove(first);
  expect((await read()).status).toBe(404);
});

test('a delete hides the object at once, and the object is back when its marker is removed', async () => {
  const { read, put, remove } = await versionedKey();
  const id = await put('kept');
  expect((await read()).status).toBe(200);
  const { headers } = await remove();
  expect((await read()).status).toBe(404);
  await remove(String(headers['x-amz-version-id']));
  expect(await read()).toEqual({ status: 200, text: 'kept', versionId: id });
});

test('an older version copied onto its key is what is read next', async () => {
  const { bucket, path, read, put } = await versionedKey();
  const first = await put('first');
  await put('second');
  expect((await read()).text).toBe('second');
  const source = `/${bucket}/key?versionId=${encodeURIComponent(first)}`;
  const copied = await world.put(path, '', { 'x-amz-copy-source': source });
  expect(copied.status).toBe(200);
  expect(await read()).toMatchObject({ text: 'first', versionId: copied.headers['x-amz-version-id'] });
});

test('a version that is gone is not read from what was cached of it', async () => {
  const { read, put, remove } = await versionedKey();
  const first = await put('first');
  expect((await read()).text).toBe('first');
  await put('second');
  await remove(first);
  expect((await read(first)).status).toBe(404);
});
