// Hadoop's S3A: files and directories made of HEAD, lists of two keys and markers that end in a slash; renames by copies
// and bulk deletes; reads by ranges that insist on the version they began with.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { contentMd5, elements, etagOf, type PatternClient, startPatternClient } from '../support/pattern-client.ts';

/** As getFileStatus asks: is it a file, else is it a directory. */
async function statusOf(client: PatternClient, key: string): Promise<'file' | 'directory' | 'absent'> {
  const head = await client.send({ method: 'HEAD', path: `/${key}` });
  if (head.status === 200) return 'file';
  expect([head.status, head.text]).toEqual([404, '']);
  const prefix = encodeURIComponent(`${key}/`);
  const list = await client.ask(200, {
    path: `?list-type=2&delimiter=%2F&max-keys=2&prefix=${prefix}&fetch-owner=false`,
  });
  return Number(list.element('KeyCount')) > 0 ? 'directory' : 'absent';
}

test('S3A makes directories, writes files, lists and renames them', async () => {
  await using client = await startPatternClient();
  expect(await statusOf(client, 'user/spark')).toBe('absent');
  const marker = { 'content-type': 'application/x-directory' };
  await client.ask(200, { method: 'PUT', path: '/user/spark/', headers: marker });
  expect(await statusOf(client, 'user/spark')).toBe('directory');
  const names = Array.from({ length: 30 }, (_, index) => `part-${String(index).padStart(5, '0')}.parquet`);
  for (const name of names)
    await client.ask(200, { method: 'PUT', path: `/user/spark/_temporary/${name}`, body: name });
  await client.ask(204, { method: 'DELETE', path: '/user/spark/' });
  expect(await statusOf(client, 'user/spark')).toBe('directory');

  const listed = await client.ask(200, { path: '?list-type=2&max-keys=5000&prefix=user%2Fspark%2F_temporary%2F' });
  expect(elements(listed, 'Key').map((key) => key.split('/').at(-1))).toEqual(names);
  for (const name of names) {
    const source = `/pattern/user/spark/_temporary/${name}`;
    const headers = { 'x-amz-copy-source': source, 'x-amz-metadata-directive': 'COPY' };
    await client.ask(200, { method: 'PUT', path: `/user/spark/${name}`, headers });
  }
  const body = `<Delete><Quiet>true</Quiet>${names.map((name) => `<Object><Key>user/spark/_temporary/${name}</Key></Object>`).join('')}</Delete>`;
  const deleted = await client.ask(200, { method: 'POST', path: '?delete', body, headers: contentMd5(body) });
  expect(elements(deleted, 'Key')).toEqual([]);
  const after = await client.ask(200, { path: '?list-type=2&delimiter=%2F&prefix=user%2Fspark%2F' });
  expect([elements(after, 'Key').length, elements(after, 'Prefix')]).toEqual([30, ['user/spark/']]);
});

test('S3A reads ranges of the version that it opened, and is told when there is another', async () => {
  await using client = await startPatternClient();
  const bytes = randomBytes(300_000);
  await client.ask(200, { method: 'PUT', path: '/table.orc', body: bytes });
  const head = await client.ask(200, { method: 'HEAD', path: '/table.orc' });
  const read = (range: string) => ({ path: '/table.orc', headers: { range, 'if-match': etagOf(head) } });
  const footer = await client.ask(206, read('bytes=283616-299999'));
  expect(footer.body.equals(bytes.subarray(283_616))).toBe(true);
  const stripe = await client.ask(206, read('bytes=3-200002'));
  expect(stripe.body.equals(bytes.subarray(3, 200_003))).toBe(true);
  await client.ask(200, { method: 'PUT', path: '/table.orc', body: randomBytes(300_000) });
  await client.ask(412, read('bytes=0-99'));
  await client.ask(416, { path: '/table.orc', headers: { range: 'bytes=300000-300099' } });
});

test('S3A creates a file only where there is none, and commits uploads of parts late', async () => {
  await using client = await startPatternClient();
  const create = { method: 'PUT', path: '/lock', headers: { 'if-none-match': '*' }, body: 'mine' };
  await client.ask(200, create);
  expect((await client.ask(412, create)).element('Code')).toBe('PreconditionFailed');

  const begun = await client.ask(200, { method: 'POST', path: '/committed?uploads' });
  const upload = `/committed?uploadId=${begun.element('UploadId')}`;
  const bodies = [randomBytes(5 * 1024 * 1024), randomBytes(1000)];
  const parts: string[] = [];
  for (const [index, body] of bodies.entries()) {
    const part = await client.ask(200, { method: 'PUT', path: `${upload}&partNumber=${index + 1}`, body });
    parts.push(`<Part><PartNumber>${index + 1}</PartNumber><ETag>${part.headers.etag}</ETag></Part>`);
  }
  expect(await statusOf(client, 'committed')).toBe('absent');
  const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
  await client.ask(200, { method: 'POST', path: upload, body, headers: { 'if-none-match': '*' } });
  expect((await client.ask(200, { path: '/committed' })).body.equals(Buffer.concat(bodies))).toBe(true);
});
