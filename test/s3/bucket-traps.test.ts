// Buckets, their sub-resources, batch deletes, and who may do what.
import { createHash } from 'node:crypto';
import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { STRANGER, TestGateway } from '../support/s3-gateway.ts';
import { type RawRequest, sendRaw } from '../support/signed-request.ts';

const LIMITED = {
  name: 'limited',
  account: 'acme',
  accessKeyId: 'AKIDLIMITED',
  secretAccessKey: 'limited-secret',
  rules: [{ allow: ['delete', 'read'] as const, buckets: ['bucket/mine/*'] }],
};
const OWNER = { name: 'owner', account: 'acme', accessKeyId: 'AKIDOWNER', secretAccessKey: 'owner-secret' };

let gateway: TestGateway;
const send = (request: RawRequest) => sendRaw(gateway.port, request);
const get = (path: string) => send({ path });

beforeAll(async () => {
  gateway = await TestGateway.start({ credentials: [OWNER, STRANGER, LIMITED] });
  await send({ method: 'PUT', path: '/bucket' });
});
afterAll(() => gateway.close());

test('trap 28: making a bucket again succeeds for its owner and for nobody else', async () => {
  expect((await send({ method: 'PUT', path: '/again' })).headers.location).toBe('/again');
  await send({ method: 'PUT', path: '/again/kept', body: 'x' });
  expect((await send({ method: 'PUT', path: '/again' })).status).toBe(200);
  expect((await get('/again/kept')).text).toBe('x');
  const stranger = await send({ method: 'PUT', path: '/again', credential: STRANGER });
  expect([stranger.status, stranger.element('Code')]).toEqual([409, 'BucketAlreadyExists']);
});

test('trap 28: the location is an unwrapped empty constraint, and any constraint is taken', async () => {
  const body =
    '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>';
  expect((await send({ method: 'PUT', path: '/located', body })).status).toBe(200);
  expect((await get('/located?location')).text).toMatch(/\?>\n<LocationConstraint xmlns="[^"]+"\/>$/);
  expect((await send({ method: 'PUT', path: '/unlocated', body: '<Nonsense/>' })).element('Code')).toBe('MalformedXML');
});

test("a bucket made, deleted and made by another is the other's at once", async () => {
  await send({ method: 'PUT', path: '/changing' });
  expect((await get('/changing')).status).toBe(200);
  expect((await send({ method: 'DELETE', path: '/changing' })).status).toBe(204);
  expect((await get('/changing')).element('Code')).toBe('NoSuchBucket');
  await send({ method: 'PUT', path: '/changing', credential: STRANGER });
  expect((await get('/changing')).status).toBe(403);
  expect((await send({ path: '/changing', credential: STRANGER })).status).toBe(200);
});

test('a bucket that holds an object is not deleted', async () => {
  await send({ method: 'PUT', path: '/full' });
  await send({ method: 'PUT', path: '/full/object' });
  const answer = await send({ method: 'DELETE', path: '/full' });
  expect([answer.status, answer.element('Code')]).toEqual([409, 'BucketNotEmpty']);
});

test.each([
  ['lifecycle', 'NoSuchLifecycleConfiguration'],
  ['tagging', 'NoSuchTagSet'],
  ['encryption', 'ServerSideEncryptionConfigurationNotFoundError'],
  ['object-lock', 'ObjectLockConfigurationNotFoundError'],
  ['website', 'NoSuchWebsiteConfiguration'],
  ['replication', 'ReplicationConfigurationNotFoundError'],
  ['ownershipControls', 'OwnershipControlsNotFoundError'],
  ['analytics&id=a', 'NoSuchConfiguration'],
  ['inventory&id=a', 'NoSuchConfiguration'],
  ['metrics&id=a', 'NoSuchConfiguration'],
  ['intelligent-tiering&id=a', 'NoSuchConfiguration'],
])('trap 30: %s is not configured (%s), and asking to set it makes no bucket', async (name, code) => {
  const read = await get(`/bucket?${name}`);
  expect([read.status, read.element('Code')]).toEqual([404, code]);
  const absent = `/not-${name.toLowerCase().replace(/&.*/, '')}`;
  expect((await send({ method: 'PUT', path: `${absent}?${name}` })).status).toBe(404);
  expect((await send({ method: 'HEAD', path: absent })).status).toBe(404);
});

test.each([
  'lifecycle',
  'encryption',
  'object-lock',
  'website',
  'replication',
  'ownershipControls',
  'logging',
  'notification',
  'accelerate',
  'requestPayment',
  'metrics&id=a',
])('trap 30: %s cannot be set', async (name) => {
  const written = await send({ method: 'PUT', path: `/bucket?${name}`, body: '<X/>' });
  expect([written.status, written.element('Code')]).toEqual([501, 'NotImplemented']);
});

test.each(['lifecycle', 'encryption', 'website', 'replication', 'ownershipControls'])(
  'trap 30: deleting %s, which is never there, succeeds, and deletes no bucket',
  async (name) => {
    expect((await send({ method: 'DELETE', path: `/bucket?${name}` })).status).toBe(204);
    expect((await send({ method: 'HEAD', path: '/bucket' })).status).toBe(200);
  },
);

test('trap 30: versioning is an empty document until it is switched on', async () => {
  expect((await get('/bucket?versioning')).text).toMatch(/<VersioningConfiguration xmlns="[^"]+"\/>$/);
  expect((await get('/bucket?requestPayment')).element('Payer')).toBe('BucketOwner');
});

test('trap 29: an ACL as it was read can be put back, one that grants another account cannot', async () => {
  await send({ method: 'PUT', path: '/bucket/acl', body: 'x' });
  for (const path of ['/bucket?acl', '/bucket/acl?acl']) {
    const acl = await get(path);
    expect([acl.element('ID'), acl.element('Permission')]).toEqual(['acme', 'FULL_CONTROL']);
    expect((await send({ method: 'PUT', path, body: acl.text })).status).toBe(200);
    const shared = acl.text.replace(/(<Grantee.*?<ID>)acme/s, '$1other');
    expect((await send({ method: 'PUT', path, body: shared })).status).toBe(501);
    expect((await send({ method: 'PUT', path, headers: { 'x-amz-acl': 'private' } })).status).toBe(200);
  }
  expect((await get('/bucket/no-such?acl')).element('Code')).toBe('NoSuchKey');
});

test('trap 31: the request id of the body is the one of the header, and every answer has both ids', async () => {
  const answer = await get('/bucket/absent-key');
  expect(answer.element('RequestId')).toBe(answer.headers['x-amz-request-id']);
  expect(answer.element('HostId')).toBe(answer.headers['x-amz-id-2']);
  expect([answer.element('Key'), answer.headers['content-type']]).toEqual(['absent-key', 'application/xml']);
  const good = await get('/bucket');
  expect(good.headers).toMatchObject({ server: 'dfstore', 'x-amz-id-2': answer.headers['x-amz-id-2'] });
  expect(good.headers.date).toBeDefined();
  expect(good.headers['x-amz-request-id']).not.toBe(answer.headers['x-amz-request-id']);
});

function deletion(body: string, headers: Record<string, string> = {}): RawRequest {
  const md5 = createHash('md5').update(body).digest('base64');
  return { method: 'POST', path: '/bucket?delete', body, headers: { 'content-md5': md5, ...headers } };
}

test('trap 27: missing keys count as deleted, whitespace and namespaces do not matter', async () => {
  await send({ method: 'PUT', path: '/bucket/there', body: 'x' });
  const body = `<?xml version="1.0"?>
    <Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
      <Object> <Key>there</Key> </Object>
      <Object><Key>absent &amp; &lt;odd&gt;</Key></Object>
    </Delete>`;
  const answer = await send(deletion(body));
  expect(answer.text).toContain('<Deleted><Key>there</Key></Deleted>');
  expect(answer.text).toContain('<Key>absent &amp; &lt;odd&gt;</Key>');
  expect((await get('/bucket/there')).status).toBe(404);
  const quiet = await send(deletion('<Delete><Quiet>true</Quiet><Object><Key>there</Key></Object></Delete>'));
  expect([quiet.status, quiet.text.includes('Deleted')]).toEqual([200, false]);
});

test('trap 27: a batch needs a digest, and takes 1,000 keys but not one more', async () => {
  const keys = (count: number) => '<Object><Key>k</Key></Object>'.repeat(count);
  const bare = await send({ method: 'POST', path: '/bucket?delete', body: `<Delete>${keys(1)}</Delete>` });
  expect([bare.status, bare.element('Code')]).toEqual([400, 'InvalidRequest']);
  expect((await send(deletion(`<Delete>${keys(1000)}</Delete>`))).status).toBe(200);
  expect((await send(deletion(`<Delete>${keys(1001)}</Delete>`))).element('Code')).toBe('MalformedXML');
  expect((await send(deletion('<Delete></Delete>'))).element('Code')).toBe('MalformedXML');
  expect((await send(deletion('<Delete><Object><Key>k</Key>'))).element('Code')).toBe('MalformedXML');
  const wrong = { 'content-md5': createHash('md5').update('other').digest('base64') };
  expect((await send(deletion(`<Delete>${keys(1)}</Delete>`, wrong))).element('Code')).toBe('BadDigest');
});

test('trap 27: the SDK deletes many with its default checksum', async () => {
  const answer = await gateway.client().send(
    new DeleteObjectsCommand({
      Bucket: 'bucket',
      Delete: { Objects: [{ Key: 'a' }, { Key: 'b', VersionId: 'null' }] },
    }),
  );
  expect(answer.Deleted?.map((entry) => entry.Key)).toEqual(['a', 'b']);
});

test('each key of a batch is authorised by itself', async () => {
  for (const key of ['mine/a', 'theirs/a']) await send({ method: 'PUT', path: `/bucket/${key}`, body: 'x' });
  const body = '<Delete><Object><Key>mine/a</Key></Object><Object><Key>theirs/a</Key></Object></Delete>';
  const answer = await send({ ...deletion(body), credential: LIMITED });
  expect(answer.text).toContain('<Deleted><Key>mine/a</Key></Deleted>');
  expect(answer.text).toContain('<Error><Key>theirs/a</Key><Code>AccessDenied</Code>');
  expect((await get('/bucket/mine/a')).status).toBe(404);
  expect((await get('/bucket/theirs/a')).status).toBe(200);
});

test('missing is 204 for an object and 404 for a bucket', async () => {
  expect((await send({ method: 'DELETE', path: '/bucket/never-there' })).status).toBe(204);
  expect((await send({ method: 'DELETE', path: '/absent-bucket/key' })).element('Code')).toBe('NoSuchBucket');
});

test('another account, an unsigned request and a wrong owner are refused', async () => {
  await send({ method: 'PUT', path: '/bucket/private', body: 'x' });
  for (const request of [{ path: '/bucket/private' }, { path: '/bucket' }, { method: 'PUT', path: '/bucket/new' }]) {
    for (const credential of [STRANGER, null]) {
      const answer = await send({ ...request, credential });
      expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessDenied']);
    }
  }
  const owner = (account: string) => send({ path: '/bucket', headers: { 'x-amz-expected-bucket-owner': account } });
  expect([(await owner('acme')).status, (await owner('other')).status]).toEqual([200, 403]);
});

test.each([
  '<!DOCTYPE d [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>',
  '<Delete><Object><Key>&undefined;</Key></Object></Delete>',
  `${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}`,
  '<Delete/><Delete/>',
  'not xml',
  '<Delete><Object><Key>a</Object></Key></Delete>',
  '<__proto__><Object><Key>a</Key></Object></__proto__>',
  '',
])('a document that is no request is MalformedXML: %s', async (body) => {
  expect((await send(deletion(body))).element('Code')).toBe('MalformedXML');
});

test('XML past the limit is refused without being parsed', async () => {
  const body = `<Delete>${'<Object><Key>k</Key></Object>'.repeat(400_000)}</Delete>`;
  const answer = await send(deletion(body));
  expect([answer.status, answer.element('Code')]).toEqual([400, 'MaxMessageLengthExceeded']);
});

test('a document of nothing but openings is refused at once', async () => {
  const begun = performance.now();
  for (const body of ['<'.repeat(1_900_000), '<a'.repeat(900_000), `<Delete>${'<Object>'.repeat(200_000)}`]) {
    expect((await send(deletion(body))).element('Code')).toBe('MalformedXML');
  }
  // Work that grows with the square of the document would take hours.
  expect(performance.now() - begun).toBeLessThan(20_000);
});
