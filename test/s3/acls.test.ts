// Canned access lists: whom a bucket or an object is open to beside its owner, and that nothing else opens.
import { PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryBackend } from '../support/memory-backend.ts';
import { formRequest } from '../support/posted-form.ts';
import { OWNER, STRANGER, TestGateway } from '../support/s3-gateway.ts';
import { type RawRequest, sendRaw } from '../support/signed-request.ts';

const LISTS = ['private', 'public-read', 'public-read-write', 'authenticated-read'] as const;
const WHO = { nobody: null, stranger: STRANGER } as const;

let gateway: TestGateway;
let made = 0;
const send = (request: RawRequest) => sendRaw(gateway.port, request);
const status = async (request: RawRequest): Promise<number> => (await send(request)).status;

beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.close());

/** A new bucket with this list and one object with that one. */
async function bucketOf(list: string, objectList = 'private'): Promise<string> {
  made += 1;
  const path = `/acls-${made}`;
  expect(await status({ method: 'PUT', path, headers: { 'x-amz-acl': list } })).toBe(200);
  const headers = { 'x-amz-acl': objectList };
  expect(await status({ method: 'PUT', path: `${path}/key`, body: 'the bytes', headers })).toBe(200);
  return path;
}

describe.each(LISTS)('a bucket that is %s', (list) => {
  test.each(['nobody', 'stranger'] as const)('lets %s do what it says and nothing else', async (name) => {
    const path = await bucketOf(list);
    const credential = WHO[name];
    const reads = list.startsWith('public') || (list === 'authenticated-read' && name === 'stranger');
    const writes = list === 'public-read-write';
    const outcome = async (allowed: boolean, request: RawRequest) => {
      const answer = await send({ credential, ...request });
      expect([request.method, request.path, answer.status < 300]).toEqual([request.method, request.path, allowed]);
      if (!allowed) expect(answer.element('Code') ?? 'AccessDenied').toBe('AccessDenied');
    };
    await outcome(reads, { path: `${path}?list-type=2` });
    await outcome(reads, { path });
    await outcome(reads, { path: `${path}?versions` });
    await outcome(reads, { method: 'HEAD', path });
    await outcome(writes, { method: 'PUT', path: `${path}/new`, body: 'x' });
    await outcome(writes, { method: 'POST', path: `${path}/new?uploads` });
    await outcome(writes, { method: 'DELETE', path: `${path}/new` });
    // Never by the bucket's list: the object's bytes, its list and tags, and what is set on the bucket.
    await outcome(false, { path: `${path}/key` });
    await outcome(false, { path: `${path}/key?tagging` });
    await outcome(false, { path: `${path}?acl` });
    await outcome(false, { method: 'PUT', path: `${path}?acl`, headers: { 'x-amz-acl': 'public-read-write' } });
    await outcome(false, { path: `${path}?policy` });
    await outcome(false, { method: 'DELETE', path });
  });
});

describe.each(LISTS)('an object that is %s', (list) => {
  test.each(['nobody', 'stranger'] as const)('lets %s do what it says and nothing else', async (name) => {
    const path = `${await bucketOf('private', list)}/key`;
    const credential = WHO[name];
    const reads = list.startsWith('public') || (list === 'authenticated-read' && name === 'stranger');
    const read = await send({ path, credential });
    expect([read.status, read.text === 'the bytes']).toEqual([reads ? 200 : 403, reads]);
    expect(await status({ method: 'HEAD', path, credential })).toBe(reads ? 200 : 403);
    for (const request of [
      { method: 'PUT', path, body: 'x' },
      { method: 'DELETE', path },
      { path: `${path}?acl` },
      { path: `${path}?tagging` },
      { path: `${path}-missing` },
      { path: path.replace('/key', '?list-type=2') },
    ]) {
      expect([request.path, await status({ ...request, credential })]).toEqual([request.path, 403]);
    }
  });
});

describe('access lists', () => {
  test.each(LISTS)('%s is read as it was put, as a document too, and put back', async (list) => {
    const bucket = await bucketOf(list, list);
    for (const path of [`${bucket}?acl`, `${bucket}/key?acl`]) {
      const acl = await send({ path });
      const grants = [...acl.text.matchAll(/(?:<ID>|groups\/global\/)(\w+).*?<Permission>(\w+)/gs)].slice(0);
      const others = grants.slice(1).map(([, to, permission]) => `${to} ${permission}`);
      expect(others).toEqual(
        {
          private: [],
          'public-read': ['AllUsers READ'],
          'public-read-write': ['AllUsers READ', 'AllUsers WRITE'],
          'authenticated-read': ['AuthenticatedUsers READ'],
        }[list],
      );
      expect(await status({ method: 'PUT', path, headers: { 'x-amz-acl': 'private' } })).toBe(200);
      expect((await send({ path })).text).not.toContain('groups/global');
      expect(await status({ method: 'PUT', path, body: acl.text })).toBe(200);
      expect((await send({ path })).text).toBe(acl.text);
    }
  });

  test.each([
    [
      'that takes the owner something',
      '<Grant><Grantee><ID>acme</ID></Grantee><Permission>READ</Permission></Grant>',
      501,
    ],
    ['that grants nobody anything', '', 501],
    [
      'that grants another account',
      '<Grant><Grantee><ID>acme</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant><Grant><Grantee><ID>other</ID></Grantee><Permission>READ</Permission></Grant>',
      501,
    ],
    ['without a permission', '<Grant><Grantee><ID>acme</ID></Grantee></Grant>', 400],
  ])('a document %s is refused: %i', async (_, grants, expected) => {
    const path = await bucketOf('private');
    const body = `<AccessControlPolicy><AccessControlList>${grants}</AccessControlList></AccessControlPolicy>`;
    expect(await status({ method: 'PUT', path: `${path}?acl`, body })).toBe(expected);
  });

  test('take effect at once, both ways', async () => {
    const path = await bucketOf('private');
    const steps = [
      ['public-read', 200],
      ['private', 403],
      ['public-read', 200],
    ] as const;
    for (const [list, expected] of steps) {
      await send({ method: 'PUT', path: `${path}?acl`, headers: { 'x-amz-acl': list } });
      await send({ method: 'PUT', path: `${path}/key?acl`, headers: { 'x-amz-acl': list } });
      expect(await status({ path, credential: null })).toBe(expected);
      expect(await status({ path: `${path}/key`, credential: null })).toBe(expected);
    }
    await send({ method: 'PUT', path: `${path}/key`, body: 'without a list' });
    expect(await status({ path: `${path}/key`, credential: null })).toBe(403);
  });

  test('where everybody may list, what is not there is no secret', async () => {
    const path = await bucketOf('public-read');
    expect(await status({ path: `${path}/missing`, credential: null })).toBe(404);
    expect(await status({ path: `${path}/key`, credential: null })).toBe(403);
  });

  test('come with uploads of parts, copies and forms', async () => {
    const path = await bucketOf('public-read-write');
    const open = { 'x-amz-acl': 'public-read' };
    await send({ method: 'PUT', path: `${path}/copy`, headers: { ...open, 'x-amz-copy-source': `${path}/key` } });
    const begun = await send({ method: 'POST', path: `${path}/parts?uploads`, headers: open });
    const upload = `${path}/parts?uploadId=${begun.element('UploadId')}`;
    const part = await send({ method: 'PUT', path: `${upload}&partNumber=1`, body: 'x' });
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
    await send({ method: 'POST', path: upload, body });
    const fields = [['key', 'form'] as const, ['acl', 'public-read'] as const];
    expect(await status(formRequest(path, { fields, file: { content: 'x' } }))).toBe(204);
    for (const key of ['copy', 'parts', 'form']) {
      expect([key, await status({ path: `${path}/${key}`, credential: null })]).toEqual([key, 200]);
    }
  });

  test('are ignored, or refused, where the bucket says so', async () => {
    const path = await bucketOf('public-read', 'public-read');
    const block = (PublicAccessBlockConfiguration: Record<string, boolean>) =>
      gateway.client().send(new PutPublicAccessBlockCommand({ Bucket: path.slice(1), PublicAccessBlockConfiguration }));
    await block({ IgnorePublicAcls: true });
    expect(await status({ path, credential: null })).toBe(403);
    expect(await status({ path: `${path}/key`, credential: null })).toBe(403);
    await block({ BlockPublicAcls: true });
    const headers = { 'x-amz-acl': 'public-read' };
    expect(await status({ method: 'PUT', path: `${path}/new`, body: 'x', headers })).toBe(403);
    const { text } = await send({ path: `${path}?acl` });
    expect(text).toContain('groups/global/AllUsers');
    expect(await status({ method: 'PUT', path: `${path}/key?acl`, body: text })).toBe(403);
    expect(await status({ path: `${path}/key`, credential: null })).toBe(200);
  });

  test.each([
    ['aws-exec-read', 501],
    ['everybody', 400],
  ])('%s is refused: %i', async (list, expected) => {
    expect(await status({ method: 'PUT', path: '/refused', headers: { 'x-amz-acl': list } })).toBe(expected);
  });

  test('are refused by a backend that keeps none, and nothing is written', async () => {
    const backend = new MemoryBackend({ capabilities: { acls: false } });
    const plain = await TestGateway.start({ backend });
    try {
      const headers = { 'x-amz-acl': 'public-read' };
      const tries = ['/refused', '/bucket/key', '/bucket?acl'];
      await sendRaw(plain.port, { method: 'PUT', path: '/bucket' });
      for (const path of tries) {
        expect([path, (await sendRaw(plain.port, { method: 'PUT', path, headers })).status]).toEqual([path, 501]);
      }
      expect((await sendRaw(plain.port, { method: 'HEAD', path: '/refused' })).status).toBe(404);
      expect((await sendRaw(plain.port, { path: '/bucket/key' })).status).toBe(404);
    } finally {
      await plain.close();
    }
  });

  test('open no bucket to questions: nobody learns from a private one what is in it', async () => {
    const path = await bucketOf('private');
    let heads = 0;
    const counting = new MemoryBackend();
    const { head } = counting;
    counting.head = (...args) => {
      heads += 1;
      return head.apply(counting, args);
    };
    const watched = await TestGateway.start({ backend: counting, credentials: [OWNER] });
    try {
      await sendRaw(watched.port, { method: 'PUT', path });
      for (const key of ['key', 'missing']) {
        expect((await sendRaw(watched.port, { path: `${path}/${key}`, credential: null })).status).toBe(403);
      }
      expect(heads).toBe(0);
    } finally {
      await watched.close();
    }
  });
});
