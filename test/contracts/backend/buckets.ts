// Buckets that clients make and delete, where the origin lets them.
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { BackendError } from '../../../backends/backend.ts';
import { uploadBody } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { NO_ATTRIBUTES, rejection } from './world.ts';

export const bucketPromises: Record<string, ContractPromise> = {
  'a bucket is made, known, listed, and gone when deleted': async (world) => {
    const { buckets, signal } = world;
    const name = freshName();
    await buckets.create(name, { owner: 'tester' }, signal);
    expect(await world.backend.headBucket(name, signal)).toMatchObject({ name });
    const listed = (await buckets.list(signal)).find((bucket) => bucket.name === name);
    expect(listed?.created.getTime()).toBeGreaterThan(Date.now() - 600_000);
    await buckets.delete(name, signal);
    expect(await world.backend.headBucket(name, signal)).toBeUndefined();
    expect((await buckets.list(signal)).map((bucket) => bucket.name)).not.toContain(name);
    await rejection(buckets.delete(name, signal), 'NoSuchBucket');
  },

  'a bucket that exists is not made again': async (world) => {
    const { buckets, signal } = world;
    const again = buckets.create(world.bucket, { owner: 'tester' }, signal);
    await rejection(again, 'BucketAlreadyOwnedByYou', 'BucketAlreadyExists');
  },

  'a bucket that holds an object is not deleted, one that holds only uploads is': async (world) => {
    const { buckets, signal } = world;
    const name = freshName();
    await buckets.create(name, { owner: 'tester' }, signal);
    const ref = { bucket: name, key: 'deep/er/object' };
    await world.put(ref, Buffer.from('x'));
    await rejection(buckets.delete(name, signal), 'BucketNotEmpty');
    expect((await world.bytesOf(ref)).toString()).toBe('x');
    await world.canWrite.delete(ref, {}, signal);
    const uploadId = await world.backend.multipart?.createUpload(ref, NO_ATTRIBUTES, signal);
    if (uploadId !== undefined) {
      await world.multipart.uploadPart({ ...ref, uploadId }, 1, uploadBody(Buffer.from('x')), signal);
    }
    await buckets.delete(name, signal);
    await buckets.create(name, { owner: 'tester' }, signal);
    expect((await world.backend.list(name, { maxEntries: 10 }, signal)).objects).toEqual([]);
    await buckets.delete(name, signal);
  },

  'a bucket deleted while an object is put loses neither the object nor the refusal': async (world) => {
    const { buckets, signal } = world;
    for (let round = 0; round < 5; round += 1) {
      const name = freshName();
      await buckets.create(name, { owner: 'tester' }, signal);
      const ref = { bucket: name, key: 'racing' };
      const [put, deleted] = await Promise.allSettled([world.put(ref, Buffer.from('x')), buckets.delete(name, signal)]);
      if (put.status === 'fulfilled') {
        expect(codeOf(deleted)).toBe('BucketNotEmpty');
        expect((await world.bytesOf(ref)).toString()).toBe('x');
        await world.canWrite.delete(ref, {}, signal);
        await buckets.delete(name, signal);
      } else {
        expect([codeOf(put), codeOf(deleted)]).toEqual(['NoSuchBucket', undefined]);
      }
    }
  },

  'a name that is no bucket name is InvalidBucketName': async (world) => {
    for (const name of ['..', 'a', 'has/slash', '.dfstore', 'UPPER_case', '-x-', 'x'.repeat(64)]) {
      await rejection(world.buckets.create(name, { owner: 'tester' }, world.signal), 'InvalidBucketName');
    }
  },
};

function freshName(): string {
  return `contract-${randomBytes(6).toString('hex')}`;
}

function codeOf(outcome: PromiseSettledResult<unknown>): string | undefined {
  if (outcome.status === 'fulfilled') return undefined;
  return outcome.reason instanceof BackendError ? outcome.reason.code : String(outcome.reason);
}
