// What an S3 origin is asked about encryption, header by header, and what is made of its answers.
import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { Backend, CustomerKey } from '../../backends/backend.ts';
import { openS3Backend } from '../../backends/s3.ts';
import { MisbehavingServer } from '../support/misbehaving-server.ts';
import { uploadBody } from '../support/upload-body.ts';

const KEY = Buffer.alloc(32, 'k');
const CUSTOMER_KEY: CustomerKey = { algorithm: 'AES256', key: KEY.toString('base64') };
const MD5 = createHash('md5').update(KEY).digest('base64');
const REF = { bucket: 'bucket', key: 'key' };
const { signal } = new AbortController();

const ANSWERS: Readonly<Record<string, string>> = {
  uploads: '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
  copy: '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>',
  complete: '<CompleteMultipartUploadResult><ETag>"e-1"</ETag></CompleteMultipartUploadResult>',
};

/** An origin that encrypts everything with the key it is asked for. */
async function world(): Promise<{ backend: Backend; server: MisbehavingServer }> {
  const server = await MisbehavingServer.start((request, response) => {
    request.resume();
    request.on('end', () => {
      const { headers, method = '', url = '' } = request;
      const isComplete = method === 'POST' && url.includes('uploadId');
      const name = url.includes('uploads') ? 'uploads' : isComplete ? 'complete' : 'copy';
      const text = method === 'POST' || headers['x-amz-copy-source'] !== undefined ? (ANSWERS[name] ?? '') : '';
      for (const told of ['', '-aws-kms-key-id', '-customer-algorithm', '-customer-key-md5']) {
        const value = headers[`x-amz-server-side-encryption${told}`];
        if (value !== undefined) response.setHeader(`x-amz-server-side-encryption${told}`, value);
      }
      response.setHeader('etag', '"e"');
      response.setHeader('last-modified', new Date(0).toUTCString());
      response.setHeader('content-length', text.length);
      response.end(method === 'HEAD' ? undefined : text);
    });
  });
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const backend = openS3Backend({ endpoint: server.url, pathStyle: true, ...credentials });
  onTestFinished(async () => {
    await backend.close();
    await server.close();
  });
  return { backend, server };
}

/** The headers of the only request of this method. */
function asked(server: MisbehavingServer, method: string) {
  return server.requests.find((request) => request.method === method)?.headers ?? {};
}

function customerOf(headers: Readonly<Record<string, unknown>>, prefix = 'x-amz-server-side-encryption-customer-') {
  return ['algorithm', 'key', 'key-md5'].map((name) => headers[prefix + name]);
}

const SENT = ['AES256', CUSTOMER_KEY.key, MD5];

test("encryption by the origin's keys is asked for, and told by it", async () => {
  const { backend, server } = await world();
  const encryption = { algorithm: 'aws:kms', kmsKeyId: 'key-1', kmsContext: 'e30=', bucketKey: true } as const;
  const written = await backend.put?.(
    REF,
    uploadBody(Buffer.from('x')),
    { headers: {}, metadata: {}, encryption },
    signal,
  );
  const headers = asked(server, 'PUT');
  expect(headers['x-amz-server-side-encryption']).toBe('aws:kms');
  expect(headers['x-amz-server-side-encryption-aws-kms-key-id']).toBe('key-1');
  expect(headers['x-amz-server-side-encryption-context']).toBe('e30=');
  expect(headers['x-amz-server-side-encryption-bucket-key-enabled']).toBe('true');
  expect(written?.encryption).toMatchObject({ algorithm: 'aws:kms', kmsKeyId: 'key-1' });
});

test("a customer's key goes with a put, a head and a read", async () => {
  const { backend, server } = await world();
  const options = { headers: {}, metadata: {}, customerKey: CUSTOMER_KEY };
  const written = await backend.put?.(REF, uploadBody(Buffer.from('x')), options, signal);
  expect(written?.encryption).toMatchObject({ customerAlgorithm: 'AES256', customerKeyMd5: MD5 });
  const { info } = await backend.head(REF, { customerKey: CUSTOMER_KEY }, signal);
  expect(info.encryption).toMatchObject({ customerKeyMd5: MD5 });
  const { body } = await backend.read(REF, { customerKey: CUSTOMER_KEY }, signal);
  body.destroy();
  for (const method of ['PUT', 'HEAD', 'GET']) expect(customerOf(asked(server, method)), method).toEqual(SENT);
});

test("a copy takes the keys of both its ends, its conditions the source's", async () => {
  const { backend, server } = await world();
  const other = { algorithm: 'AES256', key: Buffer.alloc(32, 'o').toString('base64') } as const;
  const options = {
    customerKey: CUSTOMER_KEY,
    sourceCustomerKey: other,
    sourceConditions: { ifMatch: ['e'] },
    conditions: { ifMatch: 'e' },
  };
  await backend.copy?.({ bucket: 'bucket', key: 'source' }, REF, options, signal);
  const headers = asked(server, 'PUT');
  expect(customerOf(headers)).toEqual(SENT);
  const prefix = 'x-amz-copy-source-server-side-encryption-customer-';
  expect(customerOf(headers, prefix).slice(0, 2)).toEqual(['AES256', other.key]);
  const heads = server.requests.filter(({ method }) => method === 'HEAD');
  expect(heads.map(({ url, headers: sent }) => [url.includes('source'), customerOf(sent)[1]])).toEqual([
    [false, CUSTOMER_KEY.key],
    [true, other.key],
    [false, CUSTOMER_KEY.key],
  ]);
});

test("a customer's key goes with each step of an upload", async () => {
  const { backend, server } = await world();
  const options = { headers: {}, metadata: {}, customerKey: CUSTOMER_KEY };
  const uploadId = (await backend.multipart?.createUpload(REF, options, signal)) ?? '';
  const upload = { ...REF, uploadId, customerKey: CUSTOMER_KEY };
  await backend.multipart?.uploadPart(upload, 1, uploadBody(Buffer.from('x')), signal);
  await backend.multipart?.completeUpload(upload, [{ partNumber: 1, etag: 'e' }], {}, signal);
  const steps = server.requests.map(({ method, headers }) => [method, customerOf(headers)[1]]);
  expect(steps).toEqual(['POST', 'PUT', 'POST', 'HEAD'].map((method) => [method, CUSTOMER_KEY.key]));
});
