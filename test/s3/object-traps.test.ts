// Reading and writing one object over the wire: the traps that clients fall into, each by its number in the list of
// wire behaviours.
import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STRANGER, TestGateway } from '../support/s3-gateway.ts';
import { type RawRequest, sendRaw } from '../support/signed-request.ts';

let gateway: TestGateway;
const send = (request: RawRequest) => sendRaw(gateway.port, request);
const put = (path: string, body: string | Buffer = 'x', headers: Record<string, string> = {}) =>
  send({ method: 'PUT', path, body, headers });
const get = (path: string, headers: Record<string, string> = {}) => send({ path, headers });

beforeAll(async () => {
  gateway = await TestGateway.start({
    anonymous: [{ allow: ['read'], buckets: ['public-bucket'] }],
    domain: 's3.test',
  });
  for (const bucket of ['bucket', 'other', 'public-bucket']) {
    expect((await send({ method: 'PUT', path: `/${bucket}` })).status).toBe(200);
  }
});
afterAll(() => gateway.close());

describe('reads', () => {
  test('trap 13: a 206 carries no checksum, a whole object does when it is asked for', async () => {
    const checksum = createHash('sha256').update('hello world').digest('base64');
    await put('/bucket/sums', 'hello world', { 'x-amz-checksum-sha256': checksum });
    const mode = { 'x-amz-checksum-mode': 'ENABLED' };
    const whole = await get('/bucket/sums', mode);
    expect(whole.headers).toMatchObject({ 'x-amz-checksum-sha256': checksum, 'x-amz-checksum-type': 'FULL_OBJECT' });
    const part = await get('/bucket/sums', { ...mode, range: 'bytes=0-4' });
    expect([part.status, part.text]).toEqual([206, 'hello']);
    expect(Object.keys(part.headers).filter((name) => name.startsWith('x-amz-checksum'))).toEqual([]);
    const all = await get('/bucket/sums', { ...mode, range: 'bytes=0-' });
    expect(all.status).toBe(206);
    expect(Object.keys(all.headers).filter((name) => name.startsWith('x-amz-checksum'))).toEqual([]);
    const head = await send({ method: 'HEAD', path: '/bucket/sums' });
    expect(head.headers['x-amz-checksum-sha256']).toBeUndefined();
  });

  test('trap 13: the SDK reads ranges and whole objects with its own validation on', async () => {
    const client = gateway.client();
    await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'sdk', Body: 'validated' }));
    const whole = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'sdk' }));
    expect(await whole.Body?.transformToString()).toBe('validated');
    const part = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'sdk', Range: 'bytes=2-4' }));
    expect(await part.Body?.transformToString()).toBe('lid');
  });

  test.each([
    ['bytes=0-', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-99', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=4-2', 200, '0123456789', undefined],
    ['bytes=0-1,4-5', 200, '0123456789', undefined],
    ['lines=0-1', 200, '0123456789', undefined],
    ['bytes=', 200, '0123456789', undefined],
    ['bytes=5-999999999999999999999', 206, '56789', 'bytes 5-9/10'],
  ])('trap 14: %s of ten bytes is a %i', async (range, status, body, contentRange) => {
    await put('/bucket/ten', '0123456789');
    const answer = await get('/bucket/ten', { range });
    expect([answer.status, answer.text, answer.headers['content-range']]).toEqual([status, body, contentRange]);
    expect(answer.headers['content-length']).toBe(String(body.length));
    const head = await send({ method: 'HEAD', path: '/bucket/ten', headers: { range } });
    expect([head.status, head.headers['content-range']]).toEqual([status, contentRange]);
    expect(head.headers['content-length']).toBe(String(body.length));
  });

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=-0'])(
    'trap 14: %s of ten bytes is a 416 that tells the size',
    async (range) => {
      await put('/bucket/ten', '0123456789');
      const answer = await get('/bucket/ten', { range });
      expect([answer.status, answer.element('Code')]).toEqual([416, 'InvalidRange']);
      expect(answer.headers['content-range']).toBe('bytes */10');
      const head = await send({ method: 'HEAD', path: '/bucket/ten', headers: { range } });
      expect([head.status, head.headers['content-range']]).toEqual([416, 'bytes */10']);
    },
  );

  test('trap 14: a range of an empty object is a 416', async () => {
    await put('/bucket/empty', '');
    const answer = await get('/bucket/empty', { range: 'bytes=0-' });
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */0']);
    expect((await get('/bucket/empty')).status).toBe(200);
  });

  test('trap 14: part 1 of a single object is all of it, part 2 is refused', async () => {
    await put('/bucket/single', 'all of it');
    const first = await get('/bucket/single?partNumber=1');
    expect([first.status, first.text]).toEqual([206, 'all of it']);
    const second = await get('/bucket/single?partNumber=2');
    expect([second.status, second.element('Code')]).toEqual([416, 'InvalidPartNumber']);
    expect((await get('/bucket/single?partNumber=0')).status).toBe(400);
    expect((await get('/bucket/single?partNumber=1', { range: 'bytes=0-1' })).status).toBe(400);
  });

  test('trap 15: ETags are quoted, and the MD5 of the bytes in lower case', async () => {
    const etag = `"${createHash('md5').update('etag').digest('hex')}"`;
    expect((await put('/bucket/etag', 'etag')).headers.etag).toBe(etag);
    expect((await get('/bucket/etag')).headers.etag).toBe(etag);
    expect((await get('/bucket?prefix=etag')).text).toContain(`<ETag>${etag}</ETag>`);
  });

  test('trap 15: If-Match guards ranges, and a 304 carries the ETag and no body', async () => {
    const etag = (await put('/bucket/conditional', 'version 1')).headers.etag ?? '';
    expect((await get('/bucket/conditional', { 'if-match': etag, range: 'bytes=0-3' })).text).toBe('vers');
    const same = await get('/bucket/conditional', { 'if-none-match': etag });
    expect([same.status, same.text, same.headers.etag]).toEqual([304, '', etag]);
    expect(same.headers['content-length']).toBeUndefined();
    await put('/bucket/conditional', 'version 2');
    const changed = await get('/bucket/conditional', { 'if-match': etag, range: 'bytes=0-3' });
    expect([changed.status, changed.element('Code')]).toEqual([412, 'PreconditionFailed']);
  });

  test.each([
    ['if-match', 'W/"ETAG"', 412],
    ['if-match', '"other", "ETAG"', 200],
    ['if-match', 'ETAG', 200],
    ['if-match', '*', 200],
    ['if-none-match', 'W/"ETAG"', 304],
    ['if-none-match', '"other"', 200],
    ['if-modified-since', 'Fri, 01 Jan 2100 00:00:00 GMT', 304],
    ['if-modified-since', 'Sat, 01 Jan 2000 00:00:00 GMT', 200],
    ['if-modified-since', 'not a date', 200],
    ['if-unmodified-since', 'Sat, 01 Jan 2000 00:00:00 GMT', 412],
    ['if-unmodified-since', '1', 200],
  ])('a read under %s: %s is a %i', async (name, value, status) => {
    const etag = (await put('/bucket/read-conditions', 'bytes')).headers.etag ?? '';
    const answer = await get('/bucket/read-conditions', {
      [name]: value.replace('"ETAG"', etag).replace('ETAG', etag.slice(1, -1)),
    });
    expect(answer.status).toBe(status);
  });

  test('If-Range: the range of the object meant, all of another', async () => {
    const etag = (await put('/bucket/if-range', '0123456789')).headers.etag ?? '';
    expect((await get('/bucket/if-range', { 'if-range': etag, range: 'bytes=0-1' })).text).toBe('01');
    const other = await get('/bucket/if-range', { 'if-range': '"other"', range: 'bytes=0-1' });
    expect([other.status, other.text]).toEqual([200, '0123456789']);
  });

  test('trap 16: Last-Modified is the same on every way to ask', async () => {
    await put('/bucket/dated');
    const modified = (await get('/bucket/dated')).headers['last-modified'] ?? '';
    expect(modified).toMatch(/^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/);
    expect((await send({ method: 'HEAD', path: '/bucket/dated' })).headers['last-modified']).toBe(modified);
    const listed = (await get('/bucket?prefix=dated')).element('LastModified') ?? '';
    expect(listed).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    expect(new Date(listed).toUTCString()).toBe(modified);
  });

  test('trap 17: HEAD errors have a status and no body', async () => {
    const missing = await send({ method: 'HEAD', path: '/bucket/missing' });
    expect([missing.status, missing.body.length]).toEqual([404, 0]);
    expect((await send({ method: 'HEAD', path: '/no-such-bucket' })).status).toBe(404);
    expect((await send({ method: 'HEAD', path: '/bucket', credential: STRANGER })).status).toBe(403);
  });

  test('trap 18: response headers are overridden for signed requests only', async () => {
    await put('/public-bucket/page', 'text', { 'content-type': 'text/plain' });
    const path = '/public-bucket/page?response-content-type=text%2Fhtml&response-cache-control=no-store';
    expect((await get(path)).headers).toMatchObject({ 'content-type': 'text/html', 'cache-control': 'no-store' });
    const anonymous = await send({ path, credential: null });
    expect([anonymous.status, anonymous.element('Code')]).toEqual([400, 'InvalidRequest']);
    expect((await send({ path: '/public-bucket/page', credential: null })).text).toBe('text');
    const injected = await get('/public-bucket/page?response-content-type=a%0D%0Ax-evil%3A1');
    expect([injected.status, injected.headers['x-evil']]).toEqual([400, undefined]);
  });

  test('trap 19: metadata round-trips as UTF-8, and a/ is not a', async () => {
    const bytes = Buffer.from('größe ✓ 日本').toString('latin1');
    await put('/bucket/meta', 'x', { 'x-amz-meta-note': bytes });
    expect((await get('/bucket/meta')).headers['x-amz-meta-note']).toBe(bytes);
    await put('/bucket/a', 'file');
    await put('/bucket/a/', 'folder');
    expect([(await get('/bucket/a')).text, (await get('/bucket/a/')).text]).toEqual(['file', 'folder']);
  });

  test('headers of the object are kept and given back, a type by default', async () => {
    const headers = {
      'content-type': 'text/x-test; charset=utf-8',
      'cache-control': 'max-age=1',
      'content-disposition': 'attachment; filename="a.txt"',
      'content-language': 'de',
      expires: 'Thu, 01 Dec 2099 16:00:00 GMT',
    };
    await put('/bucket/headers', 'x', headers);
    expect((await get('/bucket/headers')).headers).toMatchObject(headers);
    await put('/bucket/no-type');
    expect((await get('/bucket/no-type')).headers['content-type']).toBe('binary/octet-stream');
  });

  test.each(['größe.txt', '報告.pdf'])('the Content-Disposition of %s comes back byte for byte', async (name) => {
    const disposition = Buffer.from(`attachment; filename="${name}"`).toString('latin1');
    const expected = expect.objectContaining({ 'content-disposition': disposition });
    await put('/bucket/named', 'x', { 'content-disposition': disposition });
    expect(await get('/bucket/named')).toMatchObject({ status: 200, headers: expected });
    expect(await send({ method: 'HEAD', path: '/bucket/named' })).toMatchObject({ status: 200, headers: expected });
  });
});

describe('writes', () => {
  test.each([
    ['gzip, aws-chunked', 'gzip'],
    ['aws-chunked', undefined],
    ['deflate, gzip', 'deflate, gzip'],
  ])('trap 2: the encoding %s is stored as %s', async (given, kept) => {
    await put('/bucket/encoded', 'x', { 'content-encoding': given });
    expect((await get('/bucket/encoded')).headers['content-encoding']).toBe(kept);
  });

  test.each([
    ['content-md5', createHash('md5').update('other').digest('base64'), 400, 'BadDigest'],
    ['content-md5', 'bm90IG1kNQ==', 400, 'InvalidDigest'],
    ['x-amz-checksum-crc32', 'AAAAAA==', 400, 'BadDigest'],
    ['x-amz-content-sha256', createHash('sha256').update('other').digest('hex'), 400, 'XAmzContentSHA256Mismatch'],
    ['x-amz-sdk-checksum-algorithm', 'CRC32', 400, 'InvalidRequest'],
  ])('trap 4: a wrong %s (%s) is refused and stores nothing', async (name, value, status, code) => {
    const key = `/bucket/wrong-${name}`;
    const answer = await put(key, 'body', { [name]: value });
    expect([answer.status, answer.element('Code')]).toEqual([status, code]);
    expect((await get(key)).status).toBe(404);
  });

  test('trap 7: a put without a length is a 411', async () => {
    const answer = await put('/bucket/no-length', 'body', { 'transfer-encoding': 'chunked' });
    expect([answer.status, answer.element('Code')]).toEqual([411, 'MissingContentLength']);
  });

  test('trap 24: conditional puts create once and replace only what they know', async () => {
    expect((await put('/bucket/once', 'first', { 'if-none-match': '*' })).status).toBe(200);
    const again = await put('/bucket/once', 'second', { 'if-none-match': '*' });
    expect([again.status, again.element('Code')]).toEqual([412, 'PreconditionFailed']);
    const missing = await put('/bucket/never', 'x', { 'if-match': '"abc"' });
    expect([missing.status, missing.element('Code')]).toEqual([404, 'NoSuchKey']);
    expect((await put('/bucket/once', 'x', { 'if-match': '"abc"' })).status).toBe(412);
    const etag = (await get('/bucket/once')).headers.etag ?? '';
    expect((await put('/bucket/once', 'third', { 'if-match': etag })).status).toBe(200);
    expect((await get('/bucket/once')).text).toBe('third');
  });

  test('trap 24: a condition that is not kept is refused, never dropped', async () => {
    const date = { 'if-unmodified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' };
    expect((await put('/bucket/dated-put', 'x', date)).status).toBe(501);
    await put('/bucket/kept');
    const removed = await send({ method: 'DELETE', path: '/bucket/kept', headers: { 'if-none-match': '"x"' } });
    expect([removed.status, (await get('/bucket/kept')).status]).toEqual([501, 200]);
  });

  test('trap 26: copies take their source with or without a slash, decoded once, with its version apart', async () => {
    await put('/bucket/source%20%2B%253F', 'copied', { 'content-type': 'text/a', 'x-amz-meta-a': '1' });
    for (const source of [
      '/bucket/source%20%2B%253F',
      'bucket/source%20%2B%253F',
      'bucket/source%20%2B%253F?versionId=null',
    ]) {
      const answer = await put('/other/target', '', { 'x-amz-copy-source': source });
      expect([answer.status, answer.element('ETag') !== undefined]).toEqual([200, true]);
      expect((await get('/other/target')).headers).toMatchObject({ 'content-type': 'text/a', 'x-amz-meta-a': '1' });
      await send({ method: 'DELETE', path: '/other/target' });
    }
    const replaced = {
      'x-amz-copy-source': 'bucket/source%20%2B%253F',
      'x-amz-metadata-directive': 'REPLACE',
      'x-amz-meta-b': '2',
    };
    await put('/other/target', '', replaced);
    const { headers } = await get('/other/target');
    expect([headers['x-amz-meta-a'], headers['x-amz-meta-b']]).toEqual([undefined, '2']);
  });

  test('trap 26: a copy onto itself changes something or is refused', async () => {
    await put('/bucket/self', 'x');
    const refused = await put('/bucket/self', '', { 'x-amz-copy-source': 'bucket/self' });
    expect([refused.status, refused.element('Code')]).toEqual([400, 'InvalidRequest']);
    const replace = { 'x-amz-copy-source': 'bucket/self', 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-n': '1' };
    expect((await put('/bucket/self', '', replace)).status).toBe(200);
    expect((await get('/bucket/self')).headers['x-amz-meta-n']).toBe('1');
  });

  test.each([
    ['x-amz-copy-source-if-match', '"other"'],
    ['x-amz-copy-source-if-none-match', '*'],
    ['x-amz-copy-source-if-unmodified-since', 'Sat, 01 Jan 2000 00:00:00 GMT'],
    ['x-amz-copy-source-if-modified-since', 'Fri, 01 Jan 2100 00:00:00 GMT'],
  ])('a copy under %s that does not hold is a 412, never a 304', async (name, value) => {
    await put('/bucket/from', 'x');
    const answer = await put('/other/to', '', { 'x-amz-copy-source': '/bucket/from', [name]: value });
    expect([answer.status, answer.element('Code')]).toEqual([412, 'PreconditionFailed']);
  });

  test.each([
    ['/', 'InvalidArgument'],
    ['bucket', 'InvalidArgument'],
    ['bucket/%FF', 'InvalidURI'],
    ['bucket/key?versionId=', 'InvalidArgument'],
    ['bucket/absent', 'NoSuchKey'],
    ['absent-bucket/key', 'NoSuchBucket'],
  ])('a copy from %s is %s', async (source, code) => {
    expect((await put('/other/to', '', { 'x-amz-copy-source': source })).element('Code')).toBe(code);
  });

  test('a copy is refused where its source may not be read', async () => {
    await send({ method: 'PUT', path: '/strangers', credential: STRANGER });
    await put('/bucket/private', 'x');
    const headers = { 'x-amz-copy-source': '/bucket/private' };
    const answer = await send({ method: 'PUT', path: '/strangers/stolen', headers, credential: STRANGER });
    expect([answer.status, answer.element('Code')]).toEqual([403, 'AccessDenied']);
  });

  test('trap 29: canned ACLs and the storage class that say nothing new are taken, others refused', async () => {
    expect((await put('/bucket/acl', 'x', { 'x-amz-acl': 'private', 'x-amz-storage-class': 'STANDARD' })).status).toBe(
      200,
    );
    expect((await put('/bucket/acl', 'x', { 'x-amz-acl': 'bucket-owner-full-control' })).status).toBe(200);
    expect((await put('/bucket/acl', 'x', { 'x-amz-acl': 'aws-exec-read' })).status).toBe(501);
    expect((await put('/bucket/acl', 'x', { 'x-amz-acl': 'nonsense' })).element('Code')).toBe('InvalidArgument');
    expect((await put('/bucket/acl', 'x', { 'x-amz-storage-class': 'NONE' })).element('Code')).toBe(
      'InvalidStorageClass',
    );
    expect((await put('/bucket/acl', 'x', { 'x-amz-grant-read': 'id=x' })).status).toBe(501);
  });

  test('trap 32: encryption headers are refused, on reads too', async () => {
    expect((await put('/bucket/sse', 'x', { 'x-amz-server-side-encryption': 'AES256' })).status).toBe(501);
    await put('/bucket/sse', 'x');
    const key = { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' };
    expect((await get('/bucket/sse', key)).status).toBe(501);
  });

  test('metadata past 2 KiB is MetadataTooLarge', async () => {
    expect((await put('/bucket/much', 'x', { 'x-amz-meta-a': 'x'.repeat(2047) })).status).toBe(200);
    const answer = await put('/bucket/much', 'x', { 'x-amz-meta-a': 'x'.repeat(2048) });
    expect([answer.status, answer.element('Code')]).toEqual([400, 'MetadataTooLarge']);
  });

  test.each([
    ['a=1&b=2', 200],
    ['a=1&a=2', 400],
    ['=1', 400],
    [`${'k'.repeat(129)}=1`, 400],
    [`k=${'v'.repeat(257)}`, 400],
    [Array.from({ length: 11 }, (_, index) => `k${index}=v`).join('&'), 400],
  ])('tags %s are a %i', async (tags, status) => {
    expect((await put('/bucket/tagged', 'x', { 'x-amz-tagging': tags })).status).toBe(status);
  });

  test('the number of tags is told on reads', async () => {
    await put('/bucket/two-tags', 'x', { 'x-amz-tagging': 'a=1&b=%C3%BC' });
    expect((await get('/bucket/two-tags')).headers['x-amz-tagging-count']).toBe('2');
    const tags = '<Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>ü</Value></Tag>';
    expect((await get('/bucket/two-tags?tagging')).text).toContain(`<TagSet>${tags}</TagSet>`);
    await put('/bucket/no-tags', 'x');
    expect((await get('/bucket/no-tags?tagging')).text).toContain('<TagSet/>');
  });

  test('trap 9: a presigned put made by the SDK is taken, with the headers it moved into the query', async () => {
    const client = gateway.client(undefined, { requestChecksumCalculation: 'WHEN_REQUIRED' });
    const object = { Bucket: 'bucket', Key: 'presigned' };
    const url = await getSignedUrl(client, new PutObjectCommand({ ...object, ACL: 'private', Metadata: { a: 'b' } }));
    expect(url).toContain('x-amz-meta-a=b');
    expect((await fetch(url, { method: 'PUT', body: 'by URL' })).status).toBe(200);
    const { headers, text } = await get('/bucket/presigned');
    expect([headers['x-amz-meta-a'], text]).toEqual(['b', 'by URL']);
    const open = await getSignedUrl(client, new PutObjectCommand({ ...object, ACL: 'public-read' }));
    expect((await fetch(open, { method: 'PUT', body: 'x' })).status).toBe(200);
    expect((await send({ path: '/bucket/presigned', credential: null })).text).toBe('x');
  });

  test('a copy by the SDK answers what was copied', async () => {
    const client = gateway.client();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'sdk-source', Body: 'abc' }));
    const copied = await client.send(
      new CopyObjectCommand({ Bucket: 'other', Key: 'sdk-copy', CopySource: 'bucket/sdk-source' }),
    );
    const head = await client.send(new HeadObjectCommand({ Bucket: 'other', Key: 'sdk-copy' }));
    expect(copied.CopyObjectResult?.ETag).toBe(head.ETag);
  });
});

describe('names', () => {
  test.each([
    ['/bucket/%FF', 400, 'InvalidURI'],
    ['/bucket/%zz', 400, 'InvalidURI'],
    ['/bucket/100%', 400, 'InvalidURI'],
    ['/bucket/nul%00key', 400, 'InvalidArgument'],
    [`/bucket/${'k'.repeat(1025)}`, 400, 'KeyTooLongError'],
    [`/bucket/${'%C3%A9'.repeat(513)}`, 400, 'KeyTooLongError'],
    ['/Bucket/key', 400, 'InvalidBucketName'],
    ['/b/key', 400, 'InvalidBucketName'],
    ['//key', 400, 'InvalidBucketName'],
  ])('%s is refused as %i %s', async (path, status, code) => {
    const answer = await get(path);
    expect([answer.status, answer.element('Code')]).toEqual([status, code]);
  });

  test.each([
    'models--x-s3',
    'models-s3alias',
    'models--ol-s3',
    'models.mrap',
    'xn--models',
    'sthree-models',
    '192.168.1.1',
    'a..b',
    'a.-b',
    '-ab',
    'ab-',
    'a_b',
    'x'.repeat(64),
  ])('trap 12: a bucket cannot be named %s', async (name) => {
    const answer = await send({ method: 'PUT', path: `/${name}` });
    expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidBucketName']);
  });

  test('trap 10: slashes, dots, pluses and encoded slashes are part of the key', async () => {
    const keys = ['//double//', '../up', './here/..', 'a%2Fb', 'plus+sign', 'semi;colon', '%E2%9C%93', 'percent%2525'];
    for (const key of keys) expect((await put(`/bucket/${key}`, key)).status).toBe(200);
    for (const key of keys) expect((await get(`/bucket/${key}`)).text).toBe(key);
    // The same key, written otherwise.
    expect((await get('/bucket/a/b')).text).toBe('a%2Fb');
  });

  test('virtual-host style names the bucket in the host', async () => {
    const host = 'bucket.s3.test:9000';
    await send({ method: 'PUT', path: '/hosted/key', body: 'hosted', host });
    expect((await get('/bucket/hosted/key')).text).toBe('hosted');
    expect((await send({ path: '/?prefix=hosted', host })).text).toContain('<Key>hosted/key</Key>');
    expect((await send({ path: '/bucket/hosted/key', host: 's3.test' })).text).toBe('hosted');
  });
});
