// Bucket policies on the wire: who gets in by them, and who is kept out.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Credential } from '../../../src/s3/auth/credentials.ts';
import { OWNER, STRANGER, TestGateway } from '../../support/s3-gateway.ts';
import { type RawRequest, sendRaw } from '../../support/signed-request.ts';

/** May read of its own account's buckets only what begins with mine/. */
const NARROW: Credential = {
  name: 'narrow',
  account: 'other',
  accessKeyId: 'AKIDNARROW',
  secretAccessKey: 'narrow-secret',
  rules: [{ allow: ['read'], buckets: ['*/mine/*'] }],
};
const NOBODY = null;

let gateway: TestGateway;
let made = 0;
beforeAll(async () => {
  gateway = await TestGateway.start({ credentials: [OWNER, STRANGER, NARROW] });
});
afterAll(() => gateway.close());

/** A bucket of its owner with these objects and this policy. */
class PolicyBucket {
  readonly name: string;

  static async make(keys: readonly string[] = ['a']): Promise<PolicyBucket> {
    made += 1;
    const bucket = new PolicyBucket(`policy-${made}`);
    await bucket.send({ method: 'PUT', path: '' });
    for (const key of keys) await bucket.send({ method: 'PUT', path: `/${key}`, body: key });
    return bucket;
  }

  private constructor(name: string) {
    this.name = name;
  }

  /** `path` follows the bucket. */
  send(request: RawRequest) {
    return sendRaw(gateway.port, { ...request, path: `/${this.name}${request.path}` });
  }

  async status(request: RawRequest): Promise<number> {
    return (await this.send(request)).status;
  }

  /** Resources are what follows the bucket's ARN. */
  async says(...statements: { readonly Resource?: string; readonly [field: string]: unknown }[]): Promise<void> {
    const Statement = statements.map(({ Resource = '/*', ...fields }) => ({
      Effect: 'Allow',
      Principal: '*',
      Action: 's3:GetObject',
      ...fields,
      Resource: `arn:aws:s3:::${this.name}${Resource}`,
    }));
    const body = JSON.stringify({ Version: '2012-10-17', Statement });
    expect(await this.status({ method: 'PUT', path: '?policy', body })).toBe(204);
    expect((await this.send({ path: '?policy' })).text).toBe(body);
  }
}

test('a policy lets in another account, or anyone, as far as it says and as long as it is there', async () => {
  const bucket = await PolicyBucket.make(['a', 'b']);
  const asked = async () => [
    await bucket.status({ path: '/a', credential: STRANGER }),
    await bucket.status({ path: '/a', credential: NOBODY }),
  ];
  expect(await asked()).toEqual([403, 403]);
  await bucket.says({ Principal: { AWS: 'arn:aws:iam::other:root' } });
  expect(await asked()).toEqual([200, 403]);
  await bucket.says({ Resource: '/a' });
  expect(await asked()).toEqual([200, 200]);
  expect(await bucket.status({ path: '/b', credential: NOBODY })).toBe(403);
  expect(await bucket.status({ method: 'PUT', path: '/a', body: 'x', credential: STRANGER })).toBe(403);
  expect(await bucket.status({ path: '?list-type=2', credential: STRANGER })).toBe(403);
  expect(await bucket.status({ method: 'DELETE', path: '?policy' })).toBe(204);
  expect(await asked()).toEqual([403, 403]);
  expect((await bucket.send({ path: '?policy' })).element('Code')).toBe('NoSuchBucketPolicy');
});

test('a deny is for the owner too, who can still change the policy', async () => {
  const bucket = await PolicyBucket.make();
  await bucket.says({ Effect: 'Deny', Action: 's3:*' }, { Effect: 'Deny', Action: 's3:*', Resource: '' });
  expect([await bucket.status({ path: '/a' }), await bucket.status({ path: '' })]).toEqual([403, 403]);
  expect(await bucket.status({ method: 'DELETE', path: '?policy' })).toBe(204);
  expect(await bucket.status({ path: '/a' })).toBe(200);
});

test("another account's policy gives a key no more than its own rules do", async () => {
  const bucket = await PolicyBucket.make(['mine/a', 'yours/a']);
  await bucket.says({ Principal: { AWS: 'other' } });
  expect(await bucket.status({ path: '/mine/a', credential: NARROW })).toBe(200);
  expect(await bucket.status({ path: '/yours/a', credential: NARROW })).toBe(403);
  expect(await bucket.status({ path: '/yours/a', credential: STRANGER })).toBe(200);
});

test('nobody but the owner reads or changes the policy unless it says so', async () => {
  const bucket = await PolicyBucket.make();
  await bucket.says({});
  for (const request of [{ path: '?policy' }, { method: 'DELETE', path: '?policy' }]) {
    expect(await bucket.status({ ...request, credential: STRANGER })).toBe(403);
    expect(await bucket.status({ ...request, credential: NOBODY })).toBe(403);
  }
  await bucket.says({ Action: 's3:GetBucketPolicy', Resource: '' });
  expect(await bucket.status({ path: '?policy', credential: STRANGER })).toBe(200);
});

test('a listing is allowed by the prefix it asks for', async () => {
  const bucket = await PolicyBucket.make(['public/a', 'private/a']);
  const Condition = { StringLike: { 's3:prefix': 'public/*' } };
  await bucket.says({ Action: 's3:ListBucket', Resource: '', Condition });
  for (const listing of ['?list-type=2&', '?']) {
    const credential = STRANGER;
    expect(await bucket.status({ path: `${listing}prefix=public%2F`, credential })).toBe(200);
    expect(await bucket.status({ path: `${listing}prefix=private%2F`, credential })).toBe(403);
    expect(await bucket.status({ path: listing, credential })).toBe(403);
  }
});

test('addresses and the lack of encryption on the way are told apart', async () => {
  const bucket = await PolicyBucket.make();
  const from = (range: string) => ({ Condition: { IpAddress: { 'aws:SourceIp': range } } });
  await bucket.says(from('127.0.0.0/8'));
  expect(await bucket.status({ path: '/a', credential: NOBODY })).toBe(200);
  await bucket.says(from('10.0.0.0/8'));
  expect(await bucket.status({ path: '/a', credential: NOBODY })).toBe(403);
  await bucket.says({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
  expect(await bucket.status({ path: '/a' })).toBe(403);
});

test('tags of the object decide, as they are now', async () => {
  const bucket = await PolicyBucket.make(['a']);
  const tagged = (value: string) =>
    `<Tagging><TagSet><Tag><Key>for</Key><Value>${value}</Value></Tag></TagSet></Tagging>`;
  await bucket.says({ Condition: { StringEquals: { 's3:ExistingObjectTag/for': 'all' } } });
  const asked = () => bucket.status({ path: '/a', credential: STRANGER });
  expect(await asked()).toBe(403);
  await bucket.send({ method: 'PUT', path: '/a?tagging', body: tagged('all') });
  expect(await asked()).toBe(200);
  await bucket.send({ method: 'PUT', path: '/a?tagging', body: tagged('some') });
  expect(await asked()).toBe(403);
  expect(await bucket.status({ path: '/absent', credential: STRANGER })).toBe(403);
});

test('tags that a request brings decide, in its header and in its body', async () => {
  const bucket = await PolicyBucket.make(['a']);
  const Condition = { StringEquals: { 's3:RequestObjectTag/for': 'all' } };
  await bucket.says({ Action: ['s3:PutObject', 's3:PutObjectTagging'], Condition });
  const put = (tags: string) =>
    bucket.status({ method: 'PUT', path: '/b', body: 'x', headers: { 'x-amz-tagging': tags }, credential: STRANGER });
  expect([await put('for=all'), await put('for=some')]).toEqual([200, 403]);
  const tag = (value: string) => {
    const body = `<Tagging><TagSet><Tag><Key>for</Key><Value>${value}</Value></Tag></TagSet></Tagging>`;
    return bucket.status({ method: 'PUT', path: '/a?tagging', body, credential: STRANGER });
  };
  expect([await tag('all'), await tag('some')]).toEqual([200, 403]);
});

test('tags in a header need the permission to set tags', async () => {
  const bucket = await PolicyBucket.make([]);
  await bucket.says({ Action: 's3:PutObject' });
  const put = (headers: Record<string, string>) =>
    bucket.status({ method: 'PUT', path: '/b', body: 'x', headers, credential: STRANGER });
  expect([await put({}), await put({ 'x-amz-tagging': 'a=b' })]).toEqual([200, 403]);
});

test('a version has permissions of its own', async () => {
  const bucket = await PolicyBucket.make(['a']);
  await bucket.says({});
  expect(await bucket.status({ path: '/a?versionId=null', credential: STRANGER })).toBe(403);
  await bucket.says({ Action: 's3:GetObjectVersion' });
  expect(await bucket.status({ path: '/a?versionId=null', credential: STRANGER })).toBe(200);
  expect(await bucket.status({ path: '/a', credential: STRANGER })).toBe(403);
});

test('a copy needs to read its source and to write its target, and may be told apart by its source', async () => {
  const [source, target] = [await PolicyBucket.make(['open/a', 'shut/a']), await PolicyBucket.make([])];
  await source.says({});
  await target.says({
    Action: 's3:PutObject',
    Condition: { StringLike: { 's3:x-amz-copy-source': `${source.name}/open/*` } },
  });
  const copy = (key: string) =>
    target.status({
      method: 'PUT',
      path: '/copied',
      headers: { 'x-amz-copy-source': `/${source.name}/${key}` },
      credential: STRANGER,
    });
  expect([await copy('open/a'), await copy('shut/a')]).toEqual([200, 403]);
  await source.says({ Resource: '/shut/*' });
  expect(await copy('open/a')).toBe(403);
});

test('of many deletes each is judged by itself, also those of anyone', async () => {
  for (const credential of [STRANGER, NOBODY]) {
    const bucket = await PolicyBucket.make(['mine/a', 'yours/a']);
    await bucket.says({ Action: 's3:DeleteObject', Resource: '/mine/*' });
    const body = '<Delete><Object><Key>mine/a</Key></Object><Object><Key>yours/a</Key></Object></Delete>';
    const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
    const { status, text } = await bucket.send({ method: 'POST', path: '?delete', body, headers, credential });
    expect(status).toBe(200);
    expect(text).toMatch(/<Deleted><Key>mine\/a<\/Key><\/Deleted><Error><Key>yours\/a<\/Key><Code>AccessDenied/);
    expect([await bucket.status({ path: '/mine/a' }), await bucket.status({ path: '/yours/a' })]).toEqual([404, 200]);
  }
});

test('a policy that cannot be honoured is refused when it is put', async () => {
  const bucket = await PolicyBucket.make();
  const Statement = {
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${bucket.name}/*`,
    Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } },
  };
  const answer = await bucket.send({ method: 'PUT', path: '?policy', body: JSON.stringify({ Statement }) });
  expect([answer.status, answer.element('Code')]).toEqual([400, 'MalformedPolicy']);
  expect(await bucket.status({ path: '/a', credential: NOBODY })).toBe(403);
});

test('whether a bucket is public is told, and a block keeps it from being', async () => {
  const bucket = await PolicyBucket.make();
  const isPublic = async () => (await bucket.send({ path: '?policyStatus' })).element('IsPublic');
  const block = (name: string) =>
    bucket.send({
      method: 'PUT',
      path: '?publicAccessBlock',
      body: `<PublicAccessBlockConfiguration><${name}>true</${name}></PublicAccessBlockConfiguration>`,
    });
  expect((await bucket.send({ path: '?publicAccessBlock' })).element('Code')).toBe(
    'NoSuchPublicAccessBlockConfiguration',
  );
  expect(await isPublic()).toBe('false');
  await bucket.says({});
  expect(await isPublic()).toBe('true');
  await block('RestrictPublicBuckets');
  expect((await bucket.send({ path: '?publicAccessBlock' })).element('RestrictPublicBuckets')).toBe('true');
  expect([await bucket.status({ path: '/a', credential: STRANGER }), await bucket.status({ path: '/a' })]).toEqual([
    403, 200,
  ]);
  await block('BlockPublicPolicy');
  const Statement = { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: `arn:aws:s3:::${bucket.name}/*` };
  expect(await bucket.status({ method: 'PUT', path: '?policy', body: JSON.stringify({ Statement }) })).toBe(403);
  await block('BlockPublicAcls');
  expect(await bucket.status({ method: 'PUT', path: '/a', headers: { 'x-amz-acl': 'public-read' } })).toBe(403);
  expect(await bucket.status({ method: 'DELETE', path: '?publicAccessBlock' })).toBe(204);
  expect(await bucket.status({ path: '/a', credential: NOBODY })).toBe(200);
});

test('that a key is not there is told to who may list it, and to nobody else', async () => {
  const bucket = await PolicyBucket.make(['a']);
  const asked = async (credential: Credential | null, path = '/absent') => [
    await bucket.status({ path, credential }),
    await bucket.status({ method: 'HEAD', path, credential }),
  ];
  await bucket.says({});
  expect(await asked(OWNER)).toEqual([404, 404]);
  expect(await asked(STRANGER)).toEqual([403, 403]);
  expect(await asked(NOBODY)).toEqual([403, 403]);
  expect(await asked(NOBODY, '/a')).toEqual([200, 200]);
  const Condition = { StringLike: { 's3:prefix': 'open/*' } };
  await bucket.says({}, { Action: 's3:ListBucket', Resource: '', Condition });
  expect(await asked(STRANGER, '/open/absent')).toEqual([404, 404]);
  expect(await asked(STRANGER, '/shut/absent')).toEqual([403, 403]);
  await bucket.says({ Action: 's3:ListBucket', Resource: '' });
  expect(await asked(STRANGER, '/absent')).toEqual([404, 404]);
  expect(await asked(STRANGER, '/a')).toEqual([403, 403]);
});

test('a bucket that is not there is not told to who is not signed', async () => {
  const absent = await sendRaw(gateway.port, { path: '/no-such-bucket/a', credential: NOBODY });
  expect([absent.status, absent.element('Code')]).toEqual([403, 'AccessDenied']);
  expect((await sendRaw(gateway.port, { path: '/no-such-bucket/a' })).element('Code')).toBe('NoSuchBucket');
});
