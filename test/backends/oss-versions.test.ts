// An OSS bucket whose operator switched versioning on: read, listed and deleted version by version, not switched here.
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { openOssBackend } from '../../backends/oss.ts';
import { rejection } from '../contracts/backend/world.ts';
import { ProtocolServer } from '../support/object-protocol/protocol-server.ts';
import { uploadBody } from '../support/upload-body.ts';

const REF = { bucket: 'versioned', key: 'key' };
const { signal } = new AbortController();

test('versions of an OSS bucket are told, read and deleted, and not switched', async () => {
  const server = await ProtocolServer.start({ flavour: 'oss' });
  const { accessKeyId, secret } = server.credentials;
  const backend = await openOssBackend({
    region: `oss-${server.region}`,
    endpoint: server.endpoint,
    accessKeyId,
    accessKeySecret: secret,
    lookup: server.lookup,
  });
  onTestFinished(async () => {
    await backend.close();
    await server.close();
  });
  const put = (text: string) =>
    backend.put?.(REF, uploadBody(Buffer.from(text)), { headers: {}, metadata: {} }, signal);
  server.bucket(REF.bucket);
  expect(await backend.versioning?.get(REF.bucket, signal)).toBeUndefined();
  server.bucket(REF.bucket).versions.switch('Enabled');
  expect(await backend.versioning?.get(REF.bucket, signal)).toBe('Enabled');
  expect(backend.versioning?.set).toBeUndefined();

  const [first, second] = [await put('first'), await put('second')];
  const deleted = await backend.delete?.(REF, {}, signal);
  expect(deleted?.deleteMarker).toBe(true);
  const page = await backend.versioning?.list(REF.bucket, { maxEntries: 10 }, signal);
  expect(page?.versions.map(({ versionId, isLatest }) => [versionId, isLatest])).toEqual([
    [deleted?.versionId, true],
    [second?.versionId, false],
    [first?.versionId, false],
  ]);
  await rejection(backend.head(REF, {}, signal), 'NoSuchKey');
  await rejection(backend.head(REF, { versionId: deleted?.versionId }, signal), 'DeleteMarker');
  await rejection(backend.read(REF, { versionId: 'none' }, signal), 'NoSuchVersion');
  const { body } = await backend.read(REF, { versionId: first?.versionId }, signal);
  expect((await buffer(body)).toString()).toBe('first');
  await backend.delete?.(REF, { versionId: deleted?.versionId }, signal);
  expect((await backend.head(REF, {}, signal)).info.versionId).toBe(second?.versionId);
});
