// JuiceFS: blocks of 4 MiB as objects, bodies never hashed into signatures, lists gone on with by key and by token at
// once, and a key that holds whatever a key may hold.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeKey } from '../../../src/s3/target.ts';
import { elements, type PatternClient, startPatternClient } from '../support/pattern-client.ts';

const BLOCK_BYTES = 4 * 1024 * 1024;
/** What its own check of an object store begins with. */
const SPECIAL_KEY = `测试编码文件{"name":"zhijian"}${String.fromCharCode(0x1f)}%uFF081%uFF09.jpg`;

function unhashed(): Promise<PatternClient> {
  return startPatternClient({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' });
}

test('JuiceFS writes, reads, copies and deletes its blocks', async () => {
  await using client = await unhashed();
  const blocks = [0, 1, 2].map((index) => ({
    path: `/myjfs/chunks/0/0/7_${index}_${BLOCK_BYTES}`,
    bytes: randomBytes(BLOCK_BYTES),
  }));
  for (const { path, bytes } of blocks) {
    const headers = { 'content-type': 'application/octet-stream', 'x-amz-meta-crc32c': '1234567' };
    await client.ask(200, { method: 'PUT', path, body: bytes, headers });
  }
  for (const { path, bytes } of blocks) {
    const whole = await client.ask(200, { path });
    expect(whole.body.equals(bytes)).toBe(true);
    expect(whole.headers['x-amz-meta-crc32c']).toBe('1234567');
    const page = await client.ask(206, { path, headers: { range: 'bytes=131072-262143' } });
    expect(page.body.equals(bytes.subarray(131_072, 262_144))).toBe(true);
    const head = await client.ask(200, { method: 'HEAD', path });
    expect(head.headers['content-length']).toBe(String(BLOCK_BYTES));
  }
  const [first] = blocks;
  const copied = { method: 'PUT', path: '/myjfs/copied', headers: { 'x-amz-copy-source': `/pattern${first?.path}` } };
  await client.ask(200, copied);
  expect((await client.ask(200, { path: '/myjfs/copied' })).body.equals(first?.bytes ?? Buffer.alloc(0))).toBe(true);
  // Twice: what is not there is deleted too.
  for (const path of ['/myjfs/copied', '/myjfs/copied']) await client.ask(204, { method: 'DELETE', path });
  await client.ask(404, { path: '/myjfs/copied' });
});

test('JuiceFS lists in order, sending the token and the key it goes on after', async () => {
  await using client = await unhashed();
  const names = Array.from({ length: 25 }, (_, index) => `list/${String(index).padStart(3, '0')} +é`);
  for (const name of names) await client.ask(200, { method: 'PUT', path: `/${encodeKey(name)}`, body: name });
  const found: string[] = [];
  let token: string | undefined;
  do {
    const after = found.at(-1) ?? '';
    const query = [
      ...(token === undefined ? [] : [`continuation-token=${encodeURIComponent(token)}`]),
      'delimiter=',
      'encoding-type=url',
      'list-type=2',
      'max-keys=10',
      'prefix=list%2F',
      `start-after=${encodeKey(after).replaceAll('/', '%2F')}`,
    ];
    const page = await client.ask(200, { path: `?${query.join('&')}` });
    found.push(...elements(page, 'Key').map((key) => decodeURIComponent(key.replaceAll('+', ' '))));
    token = page.element('IsTruncated') === 'true' ? page.element('NextContinuationToken') : undefined;
  } while (token !== undefined);
  expect(found).toEqual(names);
});

test("JuiceFS's special key is written, listed and read", async () => {
  await using client = await unhashed();
  const path = `/${encodeKey(SPECIAL_KEY)}`;
  await client.ask(200, { method: 'PUT', path, body: '1' });
  expect((await client.ask(200, { path })).text).toBe('1');
  const listed = await client.ask(200, { path: '?encoding-type=url&list-type=2&max-keys=1&prefix=' });
  expect(elements(listed, 'Key').map((key) => decodeURIComponent(key))).toEqual([SPECIAL_KEY]);
});

test('JuiceFS uploads in parts and looks for uploads that were left', async () => {
  await using client = await unhashed();
  const begun = await client.ask(200, { method: 'POST', path: '/myjfs/multi?uploads=' });
  const upload = `/myjfs/multi?uploadId=${begun.element('UploadId')}`;
  const left = await client.ask(200, { path: '?uploads=&key-marker=' });
  expect(elements(left, 'Key')).toEqual(['myjfs/multi']);
  const source = randomBytes(5 * 1024 * 1024);
  await client.ask(200, { method: 'PUT', path: '/myjfs/source', body: source });
  const part = await client.ask(200, { method: 'PUT', path: `${upload}&partNumber=1`, body: source });
  const copy = await client.ask(200, {
    method: 'PUT',
    path: `${upload}&partNumber=2`,
    headers: { 'x-amz-copy-source': '/pattern/myjfs/source', 'x-amz-copy-source-range': 'bytes=0-99' },
  });
  const etags = [part.headers.etag, copy.element('ETag')];
  const parts = etags.map((etag, index) => `<Part><ETag>${etag}</ETag><PartNumber>${index + 1}</PartNumber></Part>`);
  const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`;
  await client.ask(200, { method: 'POST', path: upload, body });
  const whole = await client.ask(200, { path: '/myjfs/multi' });
  expect(whole.body.equals(Buffer.concat([source, source.subarray(0, 100)]))).toBe(true);
  expect(elements(await client.ask(200, { path: '?uploads=' }), 'Key')).toEqual([]);
});
