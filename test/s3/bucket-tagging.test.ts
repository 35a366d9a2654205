// The tags of a bucket.
import {
  DeleteBucketTaggingCommand,
  GetBucketTaggingCommand,
  PutBucketTaggingCommand,
  type Tag,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestGateway } from '../support/s3-gateway.ts';
import { sendRaw } from '../support/signed-request.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
  await sendRaw(gateway.port, { method: 'PUT', path: '/bucket' });
});
afterAll(() => gateway.close());

const put = (TagSet: Tag[]) =>
  gateway.client().send(new PutBucketTaggingCommand({ Bucket: 'bucket', Tagging: { TagSet } }));
const get = () => gateway.client().send(new GetBucketTaggingCommand({ Bucket: 'bucket' }));

test('are none, then those that were put last, then none again', async () => {
  await expect(get()).rejects.toThrow(expect.objectContaining({ name: 'NoSuchTagSet' }));
  await put([{ Key: 'old', Value: '1' }]);
  await put(
    Array.from({ length: 50 }, (_, index) => ({ Key: `team-${index}`, Value: index % 2 === 0 ? 'blau/grün' : '' })),
  );
  const { TagSet = [] } = await get();
  expect([TagSet.length, TagSet[0]]).toEqual([50, { Key: 'team-0', Value: 'blau/grün' }]);
  await gateway.client().send(new DeleteBucketTaggingCommand({ Bucket: 'bucket' }));
  await expect(get()).rejects.toThrow(expect.objectContaining({ name: 'NoSuchTagSet' }));
});

test.each([
  ['more than fifty', Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: '' }))],
  [
    'the same key twice',
    [
      { Key: 'k', Value: '1' },
      { Key: 'k', Value: '2' },
    ],
  ],
  ['a key that is AWS’s', [{ Key: 'aws:k', Value: '1' }]],
  ['a value too long', [{ Key: 'k', Value: 'x'.repeat(257) }]],
])('%s are refused', async (_, tags) => {
  await expect(put(tags)).rejects.toThrow(expect.objectContaining({ name: 'InvalidTag' }));
});
