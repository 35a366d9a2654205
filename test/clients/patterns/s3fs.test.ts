// s3fs: for every path four questions of which most are answered 404, modes and times as metadata, changed by copies
// onto themselves, and large files changed by uploads that mix new parts with copied ones.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { BUCKET, elements, type PatternClient, startPatternClient } from '../support/pattern-client.ts';

const FILE = {
  'x-amz-meta-mode': '33188',
  'x-amz-meta-uid': '0',
  'x-amz-meta-gid': '0',
  'x-amz-meta-mtime': '1700000000',
};

/** What it asks before it says that there is no such file. */
async function lookUp(client: PatternClient, path: string): Promise<string | undefined> {
  for (const name of [path, `${path}/`, `${path}_$folder$`]) {
    const head = await client.send({ method: 'HEAD', path: `/${encodeURIComponent(name).replaceAll('%2F', '/')}` });
    if (head.status === 200) return name;
    expect([head.status, head.text]).toEqual([404, '']);
  }
  const prefix = encodeURIComponent(`${path}/`);
  const listed = await client.ask(200, { path: `?delimiter=%2F&max-keys=2&prefix=${prefix}` });
  return [...elements(listed, 'Key'), ...elements(listed, 'Prefix').slice(1)].length > 0 ? `${path}/` : undefined;
}

test('s3fs makes files and directories, looks them up, and changes their modes', async () => {
  await using client = await startPatternClient();
  await client.ask(200, { path: '/' });
  expect(await lookUp(client, 'dir')).toBeUndefined();
  const directory = { ...FILE, 'x-amz-meta-mode': '16877', 'content-type': 'application/x-directory' };
  await client.ask(200, { method: 'PUT', path: '/dir/', headers: directory });
  await client.ask(200, { method: 'PUT', path: '/dir/file', headers: FILE, body: 'text' });
  await client.ask(200, { method: 'PUT', path: '/implied/file', headers: FILE, body: 'text' });
  expect(await lookUp(client, 'dir')).toBe('dir/');
  expect(await lookUp(client, 'dir/file')).toBe('dir/file');
  expect(await lookUp(client, 'implied')).toBe('implied/');
  expect(await lookUp(client, 'dir/fil')).toBeUndefined();

  const changed = {
    ...FILE,
    'x-amz-meta-mode': '33261',
    'x-amz-copy-source': `/${BUCKET}/dir/file`,
    'x-amz-metadata-directive': 'REPLACE',
  };
  await client.ask(200, { method: 'PUT', path: '/dir/file', headers: changed });
  const head = await client.ask(200, { method: 'HEAD', path: '/dir/file' });
  expect(head.headers).toMatchObject({ 'x-amz-meta-mode': '33261', 'x-amz-meta-mtime': '1700000000' });
  expect((await client.ask(200, { path: '/dir/file' })).text).toBe('text');
  const listed = await client.ask(200, { path: '?delimiter=%2F&prefix=dir%2F' });
  expect(elements(listed, 'Key')).toEqual(['dir/', 'dir/file']);
});

test('s3fs changes the middle of a large file with new parts between copied ones', async () => {
  await using client = await startPatternClient();
  const part = 5 * 1024 * 1024;
  const before = randomBytes(3 * part);
  const middle = randomBytes(part);
  await client.ask(200, { method: 'PUT', path: '/large', headers: FILE, body: before });
  const begun = await client.ask(200, { method: 'POST', path: '/large?uploads', headers: FILE });
  const upload = `/large?uploadId=${begun.element('UploadId')}`;
  const copyOf = (start: number) => ({
    'x-amz-copy-source': `/${BUCKET}/large`,
    'x-amz-copy-source-range': `bytes=${start}-${start + part - 1}`,
  });
  const first = await client.ask(200, { method: 'PUT', path: `${upload}&partNumber=1`, headers: copyOf(0) });
  const second = await client.ask(200, { method: 'PUT', path: `${upload}&partNumber=2`, body: middle });
  const third = await client.ask(200, { method: 'PUT', path: `${upload}&partNumber=3`, headers: copyOf(2 * part) });
  const etags = [first.element('ETag'), second.headers.etag, third.element('ETag')];
  const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${parts.join('\n')}</CompleteMultipartUpload>`;
  await client.ask(200, { method: 'POST', path: upload, body });
  const after = Buffer.concat([before.subarray(0, part), middle, before.subarray(2 * part)]);
  expect((await client.ask(200, { path: '/large' })).body.equals(after)).toBe(true);
});
