// Signature Version 2 in presigned URLs: AWS's published examples, a signer of our own over a live server, and what
// must not pass.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signV2, stringsToSign } from '../../../src/s3/auth/sigv2.ts';
import { encodeKey } from '../../../src/s3/target.ts';
import { OWNER, TestGateway } from '../../support/s3-gateway.ts';
import { type RawRequest, sendRaw } from '../../support/signed-request.ts';
import { received, SECRET_ACCESS_KEY } from './signer.ts';

// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationExamples
const EXAMPLES: readonly {
  readonly what: string;
  readonly request: Parameters<typeof stringsToSign>[0];
  readonly date: string;
  readonly signature: string;
}[] = [
  {
    what: 'object GET',
    request: { ...hosted('GET', '/photos/puppy.jpg'), key: 'photos/puppy.jpg' },
    date: 'Tue, 27 Mar 2007 19:36:42 +0000',
    signature: 'bWq2s1WEIj+Ydj0vQ697zp+IXMU=',
  },
  {
    what: 'object PUT',
    request: {
      ...hosted('PUT', '/photos/puppy.jpg', { 'content-type': 'image/jpeg' }),
      key: 'photos/puppy.jpg',
    },
    date: 'Tue, 27 Mar 2007 21:15:45 +0000',
    signature: 'MyyxeRY7whkBe+bq8fHCL/2kKUg=',
  },
  {
    what: 'list',
    request: {
      ...hosted('GET', '/'),
      query: [
        ['prefix', 'photos'],
        ['max-keys', '50'],
        ['marker', 'puppy'],
      ],
    },
    date: 'Tue, 27 Mar 2007 19:42:41 +0000',
    signature: 'htDYFYduRNen8P9ZfE/s9SuKy0U=',
  },
  {
    what: 'fetch',
    request: { ...hosted('GET', '/'), query: [['acl', '']] },
    date: 'Tue, 27 Mar 2007 19:44:46 +0000',
    signature: 'c2WLPFtWHVgbEmeEG93a4cG37dM=',
  },
];

function hosted(method: string, rawPath: string, headers: Record<string, string> = {}) {
  return { ...received({ method, path: rawPath, headers }), bucket: 'johnsmith' };
}

test.each(EXAMPLES)("AWS's example of a Version 2 signature: $what", ({ request, date, signature }) => {
  const made = [...stringsToSign(request, date)].map((text) => signV2(SECRET_ACCESS_KEY, text));
  expect(made).toContain(signature);
});

describe('presigned by Version 2', () => {
  let gateway: TestGateway;
  let strict: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start({ domain: 's3.test', allowSigV2: true });
    strict = await TestGateway.start({});
    for (const { port } of [gateway, strict]) await sendRaw(port, { method: 'PUT', path: '/bucket' });
    await sendRaw(gateway.port, { method: 'PUT', path: '/bucket/key', body: 'hello' });
  });
  afterAll(() => Promise.all([gateway.close(), strict.close()]));

  interface Presigning {
    readonly method?: string;
    /** Of the path and of what is signed, where they differ. */
    readonly path: string;
    readonly resource?: string;
    readonly amz?: string;
    readonly contentType?: string;
    readonly expires?: number;
    readonly secret?: string;
  }

  function presign(url: Presigning): string {
    const expires = url.expires ?? Math.floor(Date.now() / 1000) + 60;
    const text = [url.method ?? 'GET', '', url.contentType ?? '', expires].join('\n');
    const signed = `${text}\n${url.amz ?? ''}${url.resource ?? url.path}`;
    const signature = createHmac('sha1', url.secret ?? OWNER.secretAccessKey)
      .update(signed)
      .digest('base64');
    const query = `AWSAccessKeyId=${OWNER.accessKeyId}&Signature=${encodeURIComponent(signature)}&Expires=${expires}`;
    return `${url.path}${url.path.includes('?') ? '&' : '?'}${query}`;
  }

  const send = (path: string, more: Partial<RawRequest> = {}, port = gateway.port) =>
    sendRaw(port, { credential: null, ...more, path });

  test('trap 8: reads and writes, with the headers it was signed with', async () => {
    expect((await send(presign({ path: '/bucket/key' }))).text).toBe('hello');
    const amz = 'x-amz-meta-colour:blue\nx-amz-storage-class:STANDARD\n';
    const put = presign({ method: 'PUT', path: '/bucket/put', contentType: 'text/plain', amz });
    const headers = {
      'content-type': 'text/plain',
      'x-amz-storage-class': 'STANDARD',
      'x-amz-meta-colour': 'blue',
    };
    expect((await send(put, { method: 'PUT', body: 'v2', headers })).status).toBe(200);
    const got = await sendRaw(gateway.port, { path: '/bucket/put' });
    expect([got.text, got.headers['content-type'], got.headers['x-amz-meta-colour']]).toEqual([
      'v2',
      'text/plain',
      'blue',
    ]);
    const withheld = await send(put, { method: 'PUT', body: 'v2', headers: { 'content-type': 'text/plain' } });
    expect([withheld.status, withheld.element('Code')]).toEqual([403, 'SignatureDoesNotMatch']);
  });

  test('headers that boto3 moves into the query count as signed headers', async () => {
    const path = '/bucket/moved?x-amz-meta-colour=red';
    const put = presign({ method: 'PUT', path, resource: '/bucket/moved', amz: 'x-amz-meta-colour:red\n' });
    expect((await send(put, { method: 'PUT', body: 'x' })).status).toBe(200);
    expect((await sendRaw(gateway.port, { path: '/bucket/moved' })).headers['x-amz-meta-colour']).toBe('red');
  });

  test('overrides and sub-resources are signed, in the order of their names and decoded', async () => {
    const path = '/bucket/key?response-content-type=text%2Fcsv&response-cache-control=no-store';
    const resource = '/bucket/key?response-cache-control=no-store&response-content-type=text/csv';
    const got = await send(presign({ path, resource }));
    expect([got.headers['content-type'], got.headers['cache-control']]).toEqual(['text/csv', 'no-store']);
    for (const resource of ['/bucket?location', '/bucket?location=']) {
      expect((await send(presign({ path: '/bucket?location', resource }))).status).toBe(200);
    }
  });

  test('in virtual-host style the bucket is signed though it is not in the path', async () => {
    const host = 'bucket.s3.test';
    expect((await send(presign({ path: '/key', resource: '/bucket/key' }), { host })).text).toBe('hello');
    expect((await send(presign({ path: '/key' }), { host })).status).toBe(403);
    const elsewhere = presign({ path: '/bucket/key', resource: '/bucket/bucket/key' });
    expect((await send(elsewhere)).status).toBe(403);
  });

  test('a sub-resource, header, method or key that was not signed gets nowhere', async () => {
    const url = presign({ path: '/bucket/key' });
    for (const [changed, more] of [
      [`${url}&acl`, {}],
      [`${url}&attributes`, {}],
      [`${url}&versionId=null`, {}],
      [`${url}&x-amz-meta-a=b`, {}],
      [url, { headers: { 'x-amz-expected-bucket-owner': 'acme' } }],
      [url, { method: 'DELETE' }],
      [url, { method: 'HEAD' }],
      [url.replace('/key', '/kez'), {}],
      [presign({ path: '/bucket/key', secret: 'not-the-secret' }), {}],
    ] as const) {
      expect((await send(changed, more)).status, changed).toBe(403);
    }
  });

  test('its time ends, and nothing of it may be missing', async () => {
    const over = await send(presign({ path: '/bucket/key', expires: Math.floor(Date.now() / 1000) - 1 }));
    expect([over.status, over.element('Message')]).toEqual([403, 'Request has expired']);
    const url = presign({ path: '/bucket/key' });
    for (const name of ['Signature', 'Expires']) {
      const without = await send(url.replace(new RegExp(`&${name}=[^&]*`), ''));
      expect([without.status, without.element('Code')]).toEqual([403, 'AccessDenied']);
    }
    expect((await send(url.replace(/Expires=\d+/, 'Expires=soon'))).element('Code')).toBe('AccessDenied');
    expect((await send(url.replace(OWNER.accessKeyId, 'NOBODY'))).element('Code')).toBe('InvalidAccessKeyId');
    expect((await send(`${url}&Expires=99999999999`)).element('Code')).toBe('AccessDenied');
  });

  test('where it is switched off it is refused with the way out, and in a header everywhere', async () => {
    const refused = await send(presign({ path: '/bucket/key' }), {}, strict.port);
    expect([refused.status, refused.element('Code')]).toEqual([400, 'InvalidRequest']);
    expect(refused.element('Message')).toContain('Please use AWS4-HMAC-SHA256');
    const headers = { authorization: `AWS ${OWNER.accessKeyId}:c2lnbmF0dXJl` };
    expect((await send('/bucket/key', { headers })).element('Code')).toBe('InvalidRequest');
  });

  test('any key is read by a URL signed over its escaped path', async () => {
    const keys = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((key) => !key.includes('\0'));
    await fc.assert(
      fc.asyncProperty(keys, async (key) => {
        const path = `/bucket/${encodeKey(key)}`;
        expect((await send(presign({ method: 'PUT', path }), { method: 'PUT', body: 'x' })).status).toBe(200);
        expect((await send(presign({ path }))).text).toBe('x');
      }),
      { numRuns: 25 },
    );
  });
});
