// docker-registry 2.8: links and blobs as objects, the first version of lists to see whether a path is there, uploads
// that are resumed by their parts, blobs moved by copies, and pulls by presigned URLs that other programs follow.
import { createHash, randomBytes } from 'node:crypto';
import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { expect, test } from 'vitest';
import { BUCKET, contentMd5, elements, type PatternClient, startPatternClient } from '../support/pattern-client.ts';

const UPLOAD = 'docker/registry/v2/repositories/app/_uploads/u-1/data';
const FROM_START = { range: 'bytes=0-' };

async function stat(client: PatternClient, path: string): Promise<'file' | 'directory' | 'absent'> {
  const listed = await client.ask(200, { path: `?max-keys=1&prefix=${encodeURIComponent(path)}` });
  const [key] = elements(listed, 'Key');
  if (key === undefined) return 'absent';
  return key === path ? 'file' : 'directory';
}

test('docker-registry pushes a layer through an upload that it resumes', async () => {
  await using client = await startPatternClient();
  const layer = [randomBytes(10 * 1024 * 1024), randomBytes(4_000_000)];
  const digest = createHash('sha256').update(Buffer.concat(layer)).digest('hex');
  const blob = `docker/registry/v2/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`;
  await client.ask(404, { path: `/${blob}`, headers: FROM_START });
  expect(await stat(client, UPLOAD)).toBe('absent');

  const begun = await client.ask(200, {
    method: 'POST',
    path: `/${UPLOAD}?uploads=`,
    headers: { 'x-amz-acl': 'private' },
  });
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = layer;
  const path = `/${UPLOAD}?uploadId=${begun.element('UploadId')}`;
  await client.ask(200, { method: 'PUT', path: `${path}&partNumber=1`, body: first });

  // Another process goes on: it finds the upload by its prefix, and what of it is there by its parts.
  const pending = await client.ask(200, { path: `?uploads=&prefix=${encodeURIComponent(UPLOAD)}` });
  expect([elements(pending, 'Key'), pending.element('UploadId')]).toEqual([[UPLOAD], begun.element('UploadId')]);
  expect(elements(await client.ask(200, { path: '?uploads=&prefix=docker%2Fother' }), 'Key')).toEqual([]);
  const parts = await client.ask(200, { path });
  expect([elements(parts, 'PartNumber'), elements(parts, 'Size')]).toEqual([['1'], [String(first.length)]]);
  const last = await client.ask(200, { method: 'PUT', path: `${path}&partNumber=2`, body: second });
  const etags = [elements(parts, 'ETag')[0], last.headers.etag];
  const list = etags.map((etag, index) => `<Part><ETag>${etag}</ETag><PartNumber>${index + 1}</PartNumber></Part>`);
  const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
  await client.ask(200, { method: 'POST', path, body });
  expect(await stat(client, UPLOAD)).toBe('file');

  const headers = {
    'x-amz-copy-source': `${BUCKET}/${UPLOAD}`,
    'x-amz-acl': 'private',
    'x-amz-storage-class': 'STANDARD',
  };
  await client.ask(200, { method: 'PUT', path: `/${blob}`, headers });
  const folder = UPLOAD.replace(/\/data$/, '');
  const left = elements(await client.ask(200, { path: `?list-type=2&prefix=${encodeURIComponent(folder)}` }), 'Key');
  const objects = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>false</Quiet>${left.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`;
  await client.ask(200, { method: 'POST', path: '?delete=', body: objects, headers: contentMd5(objects) });
  expect([await stat(client, folder), await stat(client, blob)]).toEqual(['absent', 'file']);
  expect((await client.ask(206, { path: `/${blob}`, headers: FROM_START })).body.equals(Buffer.concat(layer))).toBe(
    true,
  );
});

test('whoever pulls follows a presigned URL, with headers that were never signed', async () => {
  await using client = await startPatternClient();
  await client.ask(200, { method: 'PUT', path: '/blob', body: 'layer' });
  const sdk = new S3Client({
    endpoint: client.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: client.credential,
  });
  const url = await getSignedUrl(sdk, new GetObjectCommand({ Bucket: BUCKET, Key: 'blob' }), { expiresIn: 1200 });
  sdk.destroy();
  const headers = {
    referer: 'http://registry.example.com/v2/app/blobs/sha256:abc',
    'docker-distribution-api-version': 'registry/2.0',
    range: 'bytes=1-3',
  };
  const pulled = await new Promise<{ status: number | undefined; body: Buffer }>((resolve, reject) => {
    get(url, { headers }, (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    }).on('error', reject);
  });
  expect([pulled.status, pulled.body.toString()]).toEqual([206, 'aye']);
});
