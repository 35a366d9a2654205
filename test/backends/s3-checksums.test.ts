// Checksums between a client, the gateway and an S3 origin, on the wire: what is sent to the origin, and how.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import type { Checksum } from '../../backends/backend.ts';
import { openS3Backend } from '../../backends/s3.ts';
import { uploadBody } from '../support/upload-body.ts';

const BYTES = Buffer.from('some bytes');
const REF = { bucket: 'bucket', key: 'key' };
const NOTHING = { headers: {}, metadata: {} };
const { signal } = new AbortController();

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An origin that takes everything and shows what it was sent. */
async function world(answer: (url: string, response: ServerResponse) => void) {
  const seen: Seen[] = [];
  const server: Server = createServer(async (request, response) => {
    const body = (await buffer(request)).toString('latin1');
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers, body });
    answer(url, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const endpoint = `http://127.0.0.1:${port}`;
  const backend = openS3Backend({ endpoint, accessKeyId: 'a', secretAccessKey: 'b', pathStyle: true });
  closers.push(async () => {
    await backend.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { backend, seen };
}

function stored(_url: string, response: ServerResponse): void {
  response.writeHead(200, { etag: '"e"' }).end();
}

test('a put without a declared checksum goes as plain bytes, with none made up', async () => {
  const { backend, seen } = await world(stored);
  await backend.put?.(REF, uploadBody(BYTES), NOTHING, signal);
  expect(seen[0]?.body).toBe('some bytes');
  expect(seen[0]?.headers['content-length']).toBe('10');
  expect(Object.keys(seen[0]?.headers ?? {}).filter((name) => /checksum|trailer|encoding/.test(name))).toEqual([]);
});

test('a declared checksum is passed on as a header', async () => {
  const { backend, seen } = await world(stored);
  const value = createHash('sha256').update(BYTES).digest('base64');
  const checksum: Checksum = { algorithm: 'SHA256', value, type: 'FULL_OBJECT' };
  await backend.put?.(REF, uploadBody(BYTES, { checksum }), NOTHING, signal);
  expect(seen[0]?.headers['x-amz-checksum-sha256']).toBe(value);
  expect(seen[0]?.body).toBe('some bytes');
});

test('a part of an upload that keeps checksums brings its own behind the body, where its client declared none', async () => {
  const created = (algorithm: string) => (url: string, response: ServerResponse) => {
    if (!url.includes('uploads')) return stored(url, response);
    const head = algorithm === '' ? {} : { 'x-amz-checksum-algorithm': algorithm };
    response.writeHead(200, { ...head, 'content-type': 'application/xml' });
    response.end('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>');
  };
  for (const [told, expected] of [
    ['CRC32', /^a\r\nsome bytes\r\n0\r\nx-amz-checksum-crc32:[\w+/]+=*\r\n\r\n$/],
    ['', /^some bytes$/],
  ] as const) {
    const { backend, seen } = await world(created(told));
    const uploadId = await backend.multipart?.createUpload(REF, { ...NOTHING, checksumAlgorithm: 'CRC32' }, signal);
    await backend.multipart?.uploadPart({ ...REF, uploadId: uploadId ?? '' }, 1, uploadBody(BYTES), signal);
    expect(seen[1]?.body).toMatch(expected);
  }
});

test('a body that breaks behind a checksum of ours ends the part at once with its own error', async () => {
  const { backend, seen } = await world((_url, response) => {
    response.writeHead(200, { 'x-amz-checksum-algorithm': 'CRC32', 'content-type': 'application/xml' });
    response.end('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>');
  });
  const uploadId = await backend.multipart?.createUpload(REF, { ...NOTHING, checksumAlgorithm: 'CRC32' }, signal);
  const body = uploadBody(BYTES);
  const broken = new Error('the digest is wrong');
  body.stream.destroy(broken);
  const sending = backend.multipart?.uploadPart({ ...REF, uploadId: uploadId ?? '' }, 1, body, signal);
  await expect(sending).rejects.toBe(broken);
  expect(seen.map(({ method }) => method)).toEqual(['POST']);
});

test('header values in UTF-8 reach the origin as the bytes that came, and raw Expires as the text that came', async () => {
  const { backend, seen } = await world(stored);
  const utf8 = Buffer.from('attachment; filename="grüße"').toString('latin1');
  const headers = { contentDisposition: utf8, expires: 'in a while' };
  await backend.put?.(REF, uploadBody(BYTES), { headers, metadata: {} }, signal);
  expect(seen[0]?.headers['content-disposition']).toBe(utf8);
  expect(seen[0]?.headers.expires).toBe('in a while');
});
