// Versions on the wire: headers, documents and codes as S3 has them, over the embedded store.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { openFsBackend } from '../../backends/fs.ts';
import { TestGateway } from '../support/s3-gateway.ts';
import { type RawRequest, sendRaw } from '../support/signed-request.ts';

let gateway: TestGateway;
let backend: Backend;
let root: string;
let made = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'dfstore-versions-'));
  backend = await openFsBackend({ root, reserveBytes: 0 });
  gateway = await TestGateway.start({ backend });
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
  await rm(root, { recursive: true });
});

const send = (request: RawRequest) => sendRaw(gateway.port, request);

const switched = (status: string) => `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`;

/** A bucket with versions; its path. */
async function versionedBucket(): Promise<string> {
  made += 1;
  const path = `/versioned-${made}`;
  await send({ method: 'PUT', path });
  expect((await send({ method: 'PUT', path: `${path}?versioning`, body: switched('Enabled') })).status).toBe(200);
  return path;
}

async function put(path: string, body = 'x'): Promise<string> {
  const { headers, status } = await send({ method: 'PUT', path, body });
  expect(status).toBe(200);
  return headers['x-amz-version-id'] ?? 'none';
}

function all(text: string, name: string): string[] {
  return [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, found = '']) => found);
}

test('versioning is told as it was switched', async () => {
  const path = await versionedBucket();
  expect((await send({ path: `${path}?versioning` })).element('Status')).toBe('Enabled');
  await send({ method: 'PUT', path: `${path}?versioning`, body: switched('Suspended') });
  expect((await send({ path: `${path}?versioning` })).element('Status')).toBe('Suspended');
});

test.each([
  ['<VersioningConfiguration><Status>On</Status></VersioningConfiguration>', 400, 'MalformedXML'],
  ['<VersioningConfiguration></VersioningConfiguration>', 400, 'IllegalVersioningConfigurationException'],
  ['<X/>', 400, 'MalformedXML'],
  [
    '<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>',
    501,
    'NotImplemented',
  ],
])('versioning is not switched by %s', async (body, status, code) => {
  await send({ method: 'PUT', path: '/unswitched' });
  const answer = await send({ method: 'PUT', path: '/unswitched?versioning', body });
  expect([answer.status, answer.element('Code')]).toEqual([status, code]);
  expect((await send({ path: '/unswitched?versioning' })).element('Status')).toBeUndefined();
});

test('a version is told by its writer, its readers and its copies, and not where there are none', async () => {
  const path = await versionedBucket();
  const id = await put(`${path}/key`);
  for (const method of ['GET', 'HEAD']) {
    expect((await send({ method, path: `${path}/key` })).headers['x-amz-version-id']).toBe(id);
    expect((await send({ method, path: `${path}/key?versionId=${id}` })).headers['x-amz-version-id']).toBe(id);
  }
  const source = { 'x-amz-copy-source': `${path}/key?versionId=${id}` };
  const copy = await send({ method: 'PUT', path: `${path}/copied`, headers: source });
  expect(copy.headers['x-amz-copy-source-version-id']).toBe(id);
  expect(copy.headers['x-amz-version-id']).not.toBe(id);
  await send({ method: 'PUT', path: '/unversioned' });
  expect(await put('/unversioned/key')).toBe('none');
  expect((await send({ path: '/unversioned/key' })).headers['x-amz-version-id']).toBeUndefined();
});

test('a null version is told to readers and not to its writer', async () => {
  const path = await versionedBucket();
  await send({ method: 'PUT', path: `${path}?versioning`, body: switched('Suspended') });
  expect(await put(`${path}/key`)).toBe('none');
  expect((await send({ path: `${path}/key` })).headers['x-amz-version-id']).toBe('null');
});

test('what a delete marker hides is 404 and says why; the marker itself cannot be read', async () => {
  const path = await versionedBucket();
  await put(`${path}/key`);
  const deleted = await send({ method: 'DELETE', path: `${path}/key` });
  const marker = deleted.headers['x-amz-version-id'] ?? 'none';
  expect([deleted.status, deleted.headers['x-amz-delete-marker']]).toEqual([204, 'true']);
  for (const method of ['GET', 'HEAD']) {
    const hidden = await send({ method, path: `${path}/key` });
    const told = [hidden.status, hidden.headers['x-amz-delete-marker'], hidden.headers['x-amz-version-id']];
    expect(told).toEqual([404, 'true', marker]);
    const itself = await send({ method, path: `${path}/key?versionId=${marker}` });
    expect([itself.status, itself.headers['x-amz-delete-marker'], itself.headers.allow]).toEqual([
      405,
      'true',
      'DELETE',
    ]);
  }
  const removed = await send({ method: 'DELETE', path: `${path}/key?versionId=${marker}` });
  expect([removed.headers['x-amz-delete-marker'], removed.headers['x-amz-version-id']]).toEqual(['true', marker]);
  expect((await send({ path: `${path}/key` })).status).toBe(200);
});

test('a batch delete tells the markers it made and the versions it removed', async () => {
  const path = await versionedBucket();
  const [kept, gone] = [await put(`${path}/kept`), await put(`${path}/gone`)];
  const body = `<Delete><Object><Key>kept</Key></Object><Object><Key>gone</Key><VersionId>${gone}</VersionId></Object></Delete>`;
  const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
  const { text } = await send({ method: 'POST', path: `${path}?delete`, body, headers });
  expect(text).toMatch(/<Key>kept<\/Key><DeleteMarker>true<\/DeleteMarker><DeleteMarkerVersionId>[^<]+</);
  expect(text).toContain(`<Deleted><Key>gone</Key><VersionId>${gone}</VersionId></Deleted>`);
  expect((await send({ path: `${path}/gone?versionId=${gone}` })).element('Code')).toBe('NoSuchVersion');
  expect((await send({ path: `${path}/kept?versionId=${kept}` })).status).toBe(200);
});

test('versions and markers are listed page by page, keys encoded where asked', async () => {
  const path = await versionedBucket();
  const ids = [await put(`${path}/a%20b`), await put(`${path}/a%20b`), await put(`${path}/c`)];
  const marker = (await send({ method: 'DELETE', path: `${path}/c` })).headers['x-amz-version-id'];
  const whole = (await send({ path: `${path}?versions&encoding-type=url` })).text;
  expect(all(whole, 'Key')).toEqual(['a%20b', 'a%20b', 'c', 'c']);
  expect(whole).toMatch(/<DeleteMarker><Key>c<\/Key><VersionId>[^<]+<\/VersionId><IsLatest>true</);
  const found: string[] = [];
  let query = '';
  for (let pages = 1; ; pages += 1) {
    const page = await send({ path: `${path}?versions&max-keys=1${query}` });
    found.push(...all(page.text, 'VersionId'));
    if (page.element('IsTruncated') === 'false') {
      expect(pages).toBe(4);
      break;
    }
    const [key, version] = [page.element('NextKeyMarker'), page.element('NextVersionIdMarker')];
    query = `&key-marker=${encodeURIComponent(key ?? '')}&version-id-marker=${encodeURIComponent(version ?? '')}`;
  }
  expect(found).toEqual([ids[1], ids[0], marker, ids[2]]);
});

test('tags and attributes are those of the version that is named', async () => {
  const path = await versionedBucket();
  const first = await put(`${path}/key`, 'one');
  await put(`${path}/key`, 'three');
  const body = '<Tagging><TagSet><Tag><Key>of</Key><Value>first</Value></Tag></TagSet></Tagging>';
  const tagged = await send({ method: 'PUT', path: `${path}/key?tagging&versionId=${first}`, body });
  expect([tagged.status, tagged.headers['x-amz-version-id']]).toEqual([200, first]);
  expect((await send({ path: `${path}/key?tagging&versionId=${first}` })).element('Value')).toBe('first');
  expect((await send({ path: `${path}/key?tagging` })).element('Value')).toBeUndefined();
  const headers = { 'x-amz-object-attributes': 'ObjectSize' };
  expect((await send({ path: `${path}/key?attributes&versionId=${first}`, headers })).element('ObjectSize')).toBe('3');
});
