// Encryption at rest: passed on to a backend that takes it, refused for one that does not, and never half understood.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EncryptionOptions, ObjectRef, PutOptions, UploadBody } from '../../backends/backend.ts';
import { MemoryBackend } from '../support/memory-backend.ts';
import { TestGateway } from '../support/s3-gateway.ts';
import { type RawRequest, sendRaw } from '../support/signed-request.ts';

const KEY = Buffer.alloc(32, 'k');
const CUSTOMER = customerHeaders('x-amz-server-side-encryption-customer-');
const SOURCE = customerHeaders('x-amz-copy-source-server-side-encryption-customer-');
const KEPT = { algorithm: 'AES256', key: KEY.toString('base64') };

function customerHeaders(prefix: string): Record<string, string> {
  return {
    [`${prefix}algorithm`]: 'AES256',
    [`${prefix}key`]: KEY.toString('base64'),
    [`${prefix}key-md5`]: createHash('md5').update(KEY).digest('base64'),
  };
}

/** Takes every encryption, does none, and remembers what it was asked. */
class EncryptingBackend extends MemoryBackend {
  asked: EncryptionOptions = {};

  constructor() {
    super({ capabilities: { encryption: ['server', 'customer'] } });
  }

  override async put(ref: ObjectRef, body: UploadBody, options: PutOptions, signal: AbortSignal) {
    this.asked = options;
    const algorithm = options.encryption?.algorithm;
    const written = await super.put(ref, body, options, signal);
    return { ...written, encryption: { algorithm, kmsKeyId: options.encryption?.kmsKeyId } };
  }

  override async read(...[ref, options, signal]: Parameters<MemoryBackend['read']>) {
    this.asked = options;
    return super.read(ref, options, signal);
  }

  override async head(...[ref, options, signal]: Parameters<MemoryBackend['head']>) {
    this.asked = options;
    return super.head(ref, options, signal);
  }
}

let backend: EncryptingBackend;
let encrypting: TestGateway;
let plain: TestGateway;
beforeAll(async () => {
  backend = new EncryptingBackend();
  encrypting = await TestGateway.start({ backend });
  plain = await TestGateway.start();
  for (const gateway of [encrypting, plain]) {
    await sendRaw(gateway.port, { method: 'PUT', path: '/bucket' });
    await sendRaw(gateway.port, { method: 'PUT', path: '/bucket/there', body: 'x' });
  }
});
afterAll(async () => {
  await encrypting.close();
  await plain.close();
});

const send = (request: RawRequest) => sendRaw(encrypting.port, request);
const put = (headers: Record<string, string>) => send({ method: 'PUT', path: '/bucket/key', body: 'x', headers });

test("encryption by the origin's keys is asked of it, and told as it answers", async () => {
  const { headers } = await put({
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
    'x-amz-server-side-encryption-context': 'e30=',
    'x-amz-server-side-encryption-bucket-key-enabled': 'true',
  });
  expect(backend.asked.encryption).toEqual({
    algorithm: 'aws:kms',
    kmsKeyId: 'key-1',
    kmsContext: 'e30=',
    bucketKey: true,
  });
  expect(headers['x-amz-server-side-encryption']).toBe('aws:kms');
  expect(headers['x-amz-server-side-encryption-aws-kms-key-id']).toBe('key-1');
});

test("trap 32: a client's own key goes along with every request about its object", async () => {
  await put(CUSTOMER);
  expect(backend.asked.customerKey).toEqual(KEPT);
  for (const method of ['GET', 'HEAD']) {
    backend.asked = {};
    expect((await send({ method, path: '/bucket/key', headers: CUSTOMER })).status).toBe(200);
    expect(backend.asked.customerKey, method).toEqual(KEPT);
  }
});

describe('refused is', () => {
  test.each<[what: string, headers: Record<string, string>]>([
    ['an algorithm that nobody has', { 'x-amz-server-side-encryption': 'ROT13' }],
    ['a KMS key without KMS', { 'x-amz-server-side-encryption-aws-kms-key-id': 'key-1' }],
    ['both kinds at once', { ...CUSTOMER, 'x-amz-server-side-encryption': 'AES256' }],
    ['a key without its digest', without('key-md5')],
    ['a key without an algorithm', without('algorithm')],
    ['an algorithm without a key', without('key')],
    ['a key that is not of 32 bytes', { ...CUSTOMER, 'x-amz-server-side-encryption-customer-key': 'c2hvcnQ=' }],
    ['a key with the digest of another', { ...CUSTOMER, 'x-amz-server-side-encryption-customer-key-md5': 'c2hvcnQ=' }],
  ])('%s', async (_what, headers) => {
    const answer = await put(headers);
    expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument']);
    expect(answer.text).not.toContain(KEPT.key);
  });

  function without(name: string): Record<string, string> {
    const { [`x-amz-server-side-encryption-customer-${name}`]: _, ...rest } = CUSTOMER;
    return rest;
  }

  test.each<[request: RawRequest]>([
    [{ method: 'PUT', path: '/bucket/a', headers: { 'x-amz-server-side-encryption': 'AES256' } }],
    [{ method: 'PUT', path: '/bucket/a', headers: CUSTOMER }],
    [{ method: 'POST', path: '/bucket/a?uploads', headers: { 'x-amz-server-side-encryption': 'aws:kms' } }],
    [{ path: '/bucket/there', headers: CUSTOMER }],
    [{ method: 'PUT', path: '/bucket/a', headers: { ...SOURCE, 'x-amz-copy-source': '/bucket/there' } }],
  ])('by a backend that does none of it: %o', async (request) => {
    const answer = await sendRaw(plain.port, request);
    expect([answer.status, answer.element('Code')]).toEqual([501, 'NotImplemented']);
  });

  test.each<[request: RawRequest]>([
    [{ path: '/bucket/there', headers: { 'x-amz-server-side-encryption': 'AES256' } }],
    [{ method: 'DELETE', path: '/bucket/there', headers: CUSTOMER }],
    [{ method: 'PUT', path: '/bucket/a', headers: SOURCE }],
  ])('where it means nothing: %o', async (request) => {
    expect((await send(request)).status).toBe(501);
  });
});
