// GetObjectAttributes: an object's record in one answer, and its parts page by page.
import { createHash } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  type ObjectAttributes,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestGateway } from '../support/s3-gateway.ts';
import { sendRaw } from '../support/signed-request.ts';

const ALL: ObjectAttributes[] = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'];
const PARTS = [Buffer.alloc(5 * 1024 * 1024, 'a'), Buffer.alloc(5 * 1024 * 1024, 'b'), Buffer.from('the last')];

let gateway: TestGateway;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64');
const attributes = (headers: Record<string, string>, key = 'parts') =>
  sendRaw(gateway.port, { path: `/bucket/${key}?attributes`, headers });

beforeAll(async () => {
  gateway = await TestGateway.start();
  await sendRaw(gateway.port, { method: 'PUT', path: '/bucket' });
  await sendRaw(gateway.port, { method: 'PUT', path: '/bucket/whole', body: 'hello world' });
  const client = gateway.client();
  const target = { Bucket: 'bucket', Key: 'parts' };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' }));
  const Parts = [];
  for (const [index, Body] of PARTS.entries()) {
    const part = { ...target, UploadId, PartNumber: index + 1, Body, ChecksumAlgorithm: 'SHA256' as const };
    const { ETag, ChecksumSHA256 } = await client.send(new UploadPartCommand(part));
    Parts.push({ ETag, ChecksumSHA256, PartNumber: index + 1 });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
});
afterAll(() => gateway.close());

test('the SDK reads everything that is known of an object of parts', async () => {
  const told = await gateway
    .client()
    .send(new GetObjectAttributesCommand({ Bucket: 'bucket', Key: 'parts', ObjectAttributes: ALL }));
  const composite = createHash('sha256');
  for (const part of PARTS) composite.update(createHash('sha256').update(part).digest());
  expect(told).toMatchObject({
    ETag: expect.stringMatching(/^[0-9a-f]{32}-3$/),
    Checksum: { ChecksumSHA256: `${composite.digest('base64')}-3`, ChecksumType: 'COMPOSITE' },
    StorageClass: 'STANDARD',
    ObjectSize: PARTS.reduce((sum, { length }) => sum + length, 0),
    ObjectParts: {
      TotalPartsCount: 3,
      IsTruncated: false,
      Parts: PARTS.map((part, index) => ({
        PartNumber: index + 1,
        Size: part.length,
        ChecksumSHA256: sha256(part),
      })),
    },
  });
});

test('a part that is read carries its own checksum when it is asked for, which the SDK checks', async () => {
  const mode = { 'x-amz-checksum-mode': 'ENABLED' };
  const part = await sendRaw(gateway.port, { path: '/bucket/parts?partNumber=3', headers: mode });
  expect([part.status, part.text]).toEqual([206, 'the last']);
  const last = PARTS.at(-1) ?? Buffer.alloc(0);
  expect(part.headers).toMatchObject({ 'x-amz-checksum-sha256': sha256(last), 'x-amz-checksum-type': 'COMPOSITE' });
  const silent = await sendRaw(gateway.port, { path: '/bucket/parts?partNumber=3' });
  expect(silent.headers['x-amz-checksum-sha256']).toBeUndefined();
  const read = await gateway.client().send(new GetObjectCommand({ Bucket: 'bucket', Key: 'parts', PartNumber: 2 }));
  expect(Buffer.from((await read.Body?.transformToByteArray()) ?? []).equals(PARTS[1] ?? Buffer.alloc(0))).toBe(true);
});

test('parts come in pages', async () => {
  const page = (max: string, after: string) =>
    attributes({
      'x-amz-object-attributes': 'ObjectParts',
      'x-amz-max-parts': max,
      'x-amz-part-number-marker': after,
    });
  const numbers = ({ text }: { text: string }) => [...text.matchAll(/<PartNumber>(\d+)</g)].map(([, number]) => number);
  const first = await page('2', '0');
  expect([numbers(first), first.element('IsTruncated'), first.element('NextPartNumberMarker')]).toEqual([
    ['1', '2'],
    'true',
    '2',
  ]);
  const second = await page('2', '2');
  expect([numbers(second), second.element('IsTruncated'), second.element('PartsCount')]).toEqual([['3'], 'false', '3']);
  const none = await page('0', '0');
  expect([numbers(none), none.element('IsTruncated'), none.element('PartsCount')]).toEqual([[], 'false', '3']);
  expect([numbers(await page('1', '9999')), (await page('x', '0')).status]).toEqual([[], 400]);
});

test('an object put in one piece has no parts, and only what is asked for is told', async () => {
  const whole = await attributes({ 'x-amz-object-attributes': 'ObjectSize, ObjectParts' }, 'whole');
  expect(whole.text.replace(/^.*?(?=<Obj)/s, '')).toBe('<ObjectSize>11</ObjectSize></GetObjectAttributesResponse>');
});

test.each([{}, { 'x-amz-object-attributes': 'ETag,Colour' }])('asked for %o it is refused', async (headers) => {
  const answer = await attributes(headers, 'whole');
  expect([answer.status, answer.element('Code')]).toEqual([400, 'InvalidArgument']);
});

test('of what is not there it says so', async () => {
  const answer = await attributes({ 'x-amz-object-attributes': 'ETag' }, 'missing');
  expect([answer.status, answer.element('Code')]).toEqual([404, 'NoSuchKey']);
});
