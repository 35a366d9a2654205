// Multipart uploads over the wire.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestGateway } from '../support/s3-gateway.ts';
import { type RawAnswer, type RawRequest, sendRaw } from '../support/signed-request.ts';

const FIVE_MIB = Buffer.alloc(5 * 1024 * 1024, 'part');

let gateway: TestGateway;
const send = (request: RawRequest) => sendRaw(gateway.port, request);
const get = (path: string, headers: Record<string, string> = {}) => send({ path, headers });

beforeAll(async () => {
  gateway = await TestGateway.start();
  await send({ method: 'PUT', path: '/bucket' });
});
afterAll(() => gateway.close());

async function begin(key: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await send({ method: 'POST', path: `/bucket/${key}?uploads`, headers });
  expect(answer.status).toBe(200);
  return answer.element('UploadId') ?? '';
}

async function part(key: string, uploadId: string, partNumber: number, body: Buffer | string): Promise<string> {
  const path = `/bucket/${key}?partNumber=${partNumber}&uploadId=${uploadId}`;
  const answer = await send({ method: 'PUT', path, body });
  expect(answer.status).toBe(200);
  return answer.headers.etag ?? '';
}

function complete(
  key: string,
  uploadId: string,
  parts: string,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts}</CompleteMultipartUpload>`;
  return send({ method: 'POST', path: `/bucket/${key}?uploadId=${uploadId}`, body, headers });
}

const named = (partNumber: number, etag: string) =>
  `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`;

test.each([
  ['quoted', (etag: string) => etag],
  ['bare', (etag: string) => etag.slice(1, -1)],
  ['&quot;', (etag: string) => etag.replaceAll('"', '&quot;')],
  ['&#34;', (etag: string) => etag.replaceAll('"', '&#34;')],
])('trap 25: a complete takes ETags %s, and the same complete again answers the same', async (name, write) => {
  const key = `etags-${encodeURIComponent(name).replaceAll('%', '')}`;
  const uploadId = await begin(key);
  const etag = write(await part(key, uploadId, 1, 'only'));
  const first = await complete(key, uploadId, named(1, etag));
  expect([first.status, first.element('Location')]).toEqual([200, `${gateway.url}/bucket/${key}`]);
  const again = await complete(key, uploadId, named(1, etag));
  expect([again.status, again.element('ETag')]).toEqual([200, first.element('ETag')]);
  expect((await get(`/bucket/${key}`)).text).toBe('only');
});

test('trap 25: every wrong complete is refused with its own code and makes nothing', async () => {
  const uploadId = await begin('wrong');
  const [one, two] = [await part('wrong', uploadId, 1, 'too small'), await part('wrong', uploadId, 2, 'last')];
  const code = async (parts: string, id = uploadId) => (await complete('wrong', id, parts)).element('Code');
  expect(await code(named(2, two) + named(1, one))).toBe('InvalidPartOrder');
  expect(await code(named(1, one) + named(1, one))).toBe('InvalidPartOrder');
  expect(await code(named(1, two))).toBe('InvalidPart');
  expect(await code(named(3, two))).toBe('InvalidPart');
  expect(await code(named(1, one) + named(2, two))).toBe('EntityTooSmall');
  expect(await code('')).toBe('MalformedXML');
  expect(await code('<Part><PartNumber>1</PartNumber></Part>')).toBe('MalformedXML');
  expect(await code(named(0, one))).toBe('InvalidArgument');
  expect(await code(named(1, one), 'no-such-upload')).toBe('NoSuchUpload');
  expect((await get('/bucket/wrong')).status).toBe(404);
});

test('trap 24: a complete keeps to If-None-Match', async () => {
  const uploadId = await begin('guarded');
  const etag = await part('guarded', uploadId, 1, 'in parts');
  await send({ method: 'PUT', path: '/bucket/guarded', body: 'first' });
  const refused = await complete('guarded', uploadId, named(1, etag), { 'if-none-match': '*' });
  expect([refused.status, refused.element('Code')]).toEqual([412, 'PreconditionFailed']);
  expect((await get('/bucket/guarded')).text).toBe('first');
});

test('parts are read back by number, with how many there are', async () => {
  const uploadId = await begin('parts', { 'x-amz-meta-made': 'in-parts' });
  const etags = [await part('parts', uploadId, 1, FIVE_MIB), await part('parts', uploadId, 2, 'tail')];
  expect((await complete('parts', uploadId, etags.map((etag, index) => named(index + 1, etag)).join(''))).status).toBe(
    200,
  );
  const second = await get('/bucket/parts?partNumber=2');
  expect([second.status, second.text]).toEqual([206, 'tail']);
  expect(second.headers).toMatchObject({
    'x-amz-mp-parts-count': '2',
    'content-range': `bytes ${FIVE_MIB.length}-${FIVE_MIB.length + 3}/${FIVE_MIB.length + 4}`,
    'x-amz-meta-made': 'in-parts',
  });
  const attributes = await get('/bucket/parts?attributes', {
    'x-amz-object-attributes': 'ETag,ObjectParts,ObjectSize',
  });
  expect([attributes.element('PartsCount'), attributes.element('ObjectSize')]).toEqual([
    '2',
    String(FIVE_MIB.length + 4),
  ]);
  expect(second.headers.etag).toBe(`"${attributes.element('ETag')}"`);
});

test('trap 13: the checksum of an object in parts keeps its number of parts', async () => {
  const headers = { 'x-amz-checksum-algorithm': 'SHA256' };
  const uploadId = await begin('composite', headers);
  const etag = await part('composite', uploadId, 1, 'only');
  const digest = createHash('sha256').update(createHash('sha256').update('only').digest()).digest('base64');
  const done = await complete('composite', uploadId, named(1, etag));
  expect([done.element('ChecksumSHA256'), done.element('ChecksumType')]).toEqual([`${digest}-1`, 'COMPOSITE']);
  const read = await get('/bucket/composite', { 'x-amz-checksum-mode': 'ENABLED' });
  expect(read.headers).toMatchObject({ 'x-amz-checksum-sha256': `${digest}-1`, 'x-amz-checksum-type': 'COMPOSITE' });
});

test.each([
  [{ 'x-amz-checksum-algorithm': 'MD4' }],
  [{ 'x-amz-checksum-type': 'COMPOSITE' }],
  [{ 'x-amz-checksum-algorithm': 'CRC64NVME', 'x-amz-checksum-type': 'COMPOSITE' }],
  [{ 'x-amz-checksum-algorithm': 'SHA256', 'x-amz-checksum-type': 'FULL_OBJECT' }],
])('an upload with the checksum %j is refused', async (headers: Record<string, string>) => {
  const answer = await send({ method: 'POST', path: '/bucket/sums?uploads', headers });
  expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidRequest']);
});

test.each(['0', '10001', 'x', '-1', ''])('part number "%s" is InvalidArgument', async (partNumber) => {
  const uploadId = await begin('numbers');
  const path = `/bucket/numbers?partNumber=${partNumber}&uploadId=${uploadId}`;
  expect((await send({ method: 'PUT', path, body: 'x' })).element('Code')).toBe('InvalidArgument');
});

test('trap 26: ranges are copied into parts; what is no range or past the end is refused', async () => {
  await send({ method: 'PUT', path: '/bucket/source', body: '0123456789' });
  const uploadId = await begin('copied');
  const copyPart = (headers: Record<string, string>) =>
    send({
      method: 'PUT',
      path: `/bucket/copied?partNumber=1&uploadId=${uploadId}`,
      headers: { 'x-amz-copy-source': '/bucket/source', ...headers },
    });
  for (const range of ['bytes=0-', 'bytes=-3', '0-3', 'bytes=3-1', 'bytes=a-b', 'bytes=0-1,2-3']) {
    const answer = await copyPart({ 'x-amz-copy-source-range': range });
    expect([range, answer.element('Code')]).toEqual([range, 'InvalidArgument']);
  }
  expect((await copyPart({ 'x-amz-copy-source-range': 'bytes=5-10' })).status).toBe(416);
  expect((await copyPart({ 'x-amz-copy-source-if-match': '"other"' })).status).toBe(412);
  const copied = await copyPart({ 'x-amz-copy-source-range': 'bytes=2-5' });
  expect((await complete('copied', uploadId, named(1, copied.element('ETag') ?? ''))).status).toBe(200);
  expect((await get('/bucket/copied')).text).toBe('2345');
});

test('parts are listed page by page', async () => {
  const uploadId = await begin('paged');
  for (const number of [1, 5, 9]) await part('paged', uploadId, number, `part ${number}`);
  const first = await get(`/bucket/paged?uploadId=${uploadId}&max-parts=2`);
  expect([first.element('IsTruncated'), first.element('NextPartNumberMarker')]).toEqual(['true', '5']);
  const second = await get(`/bucket/paged?uploadId=${uploadId}&max-parts=2&part-number-marker=5`);
  expect([second.element('IsTruncated'), second.element('PartNumber')]).toEqual(['false', '9']);
  expect((await get('/bucket/paged?uploadId=absent')).element('Code')).toBe('NoSuchUpload');
});

test('uploads are listed by prefix, marker and delimiter until they are aborted', async () => {
  const keys = ['uploads/a', 'uploads/b', 'uploads/deep/c'];
  const ids: string[] = [];
  for (const key of keys) ids.push(await begin(key));
  const listed = (await get('/bucket?uploads&prefix=uploads%2F&delimiter=%2F')).text;
  expect(listed).toContain('<CommonPrefixes><Prefix>uploads/deep/</Prefix></CommonPrefixes>');
  expect(listed.match(/<Upload>/g)).toHaveLength(2);
  const first = await get('/bucket?uploads&prefix=uploads%2F&max-uploads=1');
  expect([first.element('IsTruncated'), first.element('NextKeyMarker')]).toEqual(['true', 'uploads/a']);
  const marker = `key-marker=uploads%2Fa&upload-id-marker=${first.element('NextUploadIdMarker')}`;
  const second = await get(`/bucket?uploads&prefix=uploads%2F&max-uploads=1&${marker}`);
  expect(second.text).toContain('<Key>uploads/b</Key>');
  for (const [index, key] of keys.entries()) {
    const path = `/bucket/${key}?uploadId=${ids[index]}`;
    expect((await send({ method: 'DELETE', path })).status).toBe(204);
    expect((await send({ method: 'DELETE', path })).element('Code')).toBe('NoSuchUpload');
  }
  expect((await get('/bucket?uploads&prefix=uploads%2F')).text).not.toContain('<Upload>');
});
