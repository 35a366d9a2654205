// The contract on documents kept with a bucket.
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { ContractPromise } from '../backend.ts';
import { rejection } from './world.ts';

export const bucketDocumentPromises: Record<string, ContractPromise> = {
  'a document of a bucket is read as it was set, replaced, and gone when deleted': async (world) => {
    const { signal, bucket, bucketDocuments: documents } = world;
    expect(await documents.get(bucket, 'rules', signal)).toBeUndefined();
    for (const text of ['', '<r>é \u{1f600}\n</r>', 'x'.repeat(65_536)]) {
      await documents.set(bucket, 'rules', text, signal);
      expect(await documents.get(bucket, 'rules', signal)).toBe(text);
    }
    await documents.set(bucket, 'rules too', 'other', signal);
    await documents.delete(bucket, 'rules', signal);
    await documents.delete(bucket, 'rules', signal);
    expect(await documents.get(bucket, 'rules', signal)).toBeUndefined();
    expect(await documents.get(bucket, 'rules too', signal)).toBe('other');
    await documents.delete(bucket, 'rules too', signal);
  },

  'documents go with their bucket and touch no other': async (world) => {
    const { buckets, signal, bucketDocuments: documents } = world;
    const name = `contract-${randomBytes(6).toString('hex')}`;
    const longer = `${name}-x`;
    for (const bucket of [name, longer]) {
      await buckets.create(bucket, { owner: 'tester' }, signal);
      await documents.set(bucket, 'rules', bucket, signal);
    }
    await buckets.delete(name, signal);
    await buckets.create(name, { owner: 'tester' }, signal);
    expect(await documents.get(name, 'rules', signal)).toBeUndefined();
    expect(await documents.get(longer, 'rules', signal)).toBe(longer);
    for (const bucket of [name, longer]) await buckets.delete(bucket, signal);
    await rejection(documents.get(name, 'rules', signal), 'NoSuchBucket');
    await rejection(documents.set(name, 'rules', 'x', signal), 'NoSuchBucket');
    await rejection(documents.delete(name, 'rules', signal), 'NoSuchBucket');
  },
};
