// Heads and reads: whole objects, ranges, conditions on reads, and what a reader keeps while the object changes.
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { RangeRequest, ReadConditions } from '../../../backends/backend.ts';
import type { ContractPromise } from '../backend.ts';
import { randomBody, rejection, type World } from './world.ts';

export const readingPromises: Record<string, ContractPromise> = {
  'check succeeds on an origin that answers': (world) => world.backend.check(world.signal),

  'the bucket is known by its name, and another is not': async (world) => {
    expect(await world.backend.headBucket(world.bucket, world.signal)).toMatchObject({ name: world.bucket });
    expect(await world.backend.headBucket('no-such-bucket-here', world.signal)).toBeUndefined();
  },

  'an object is read whole, and its head tells the same record': async (world) => {
    const ref = world.ref();
    const bytes = randomBody(300_001);
    await world.store(ref, bytes);
    const read = await world.backend.read(ref, {}, world.signal);
    expect((await buffer(read.body)).equals(bytes)).toBe(true);
    expect(read.range).toBeUndefined();
    const head = await world.backend.head(ref, {}, world.signal);
    expect(head.range).toBeUndefined();
    expect(head.info).toEqual(read.info);
    expect(head.info).toMatchObject({ key: ref.key, sizeBytes: bytes.length });
    expect(Math.abs(head.info.lastModified.getTime() - Date.now())).toBeLessThan(600_000);
    expect(head.info.etag).not.toMatch(/"/);
    if (/^[0-9a-f-]+$/i.test(head.info.etag)) expect(head.info.etag).toBe(head.info.etag.toLowerCase());
  },

  'an empty object is read as no bytes, and no range of it can be satisfied': async (world) => {
    const ref = world.ref();
    await world.store(ref, Buffer.alloc(0));
    expect((await world.backend.head(ref, {}, world.signal)).info.sizeBytes).toBe(0);
    expect(await world.bytesOf(ref)).toHaveLength(0);
    await rejection(world.backend.read(ref, { range: { start: 0 } }, world.signal), 'InvalidRange');
    await rejection(world.backend.read(ref, { range: { suffixBytes: 5 } }, world.signal), 'InvalidRange');
  },

  'any range gives exactly its bytes': async (world) => {
    const ref = world.ref();
    const bytes = randomBody(70_000);
    await world.store(ref, bytes);
    const offset = fc.nat(bytes.length + 1_000);
    const anyRange: fc.Arbitrary<RangeRequest> = fc.oneof(
      fc.record({ start: offset }),
      fc.tuple(offset, fc.integer({ min: 1, max: 80_000 })).map(([start, length]) => ({ start, end: start + length })),
      fc.record({ suffixBytes: fc.nat(bytes.length + 1_000) }),
    );
    await fc.assert(
      fc.asyncProperty(anyRange, (range) => rangeHolds(world, ref.key, bytes, range)),
      { numRuns: world.runs },
    );
  },

  'what is not there is NoSuchKey, and in a bucket that is not there NoSuchBucket': async (world) => {
    await rejection(world.backend.head(world.ref('absent'), {}, world.signal), 'NoSuchKey');
    await rejection(world.backend.read(world.ref('absent'), {}, world.signal), 'NoSuchKey');
    const elsewhere = { bucket: 'no-such-bucket-here', key: 'absent' };
    await rejection(world.backend.read(elsewhere, {}, world.signal), 'NoSuchBucket', 'NoSuchKey');
    await rejection(world.backend.list(elsewhere.bucket, { maxEntries: 1 }, world.signal), 'NoSuchBucket');
  },

  'conditions on reads are decided in the order of RFC 9110': async (world) => {
    const ref = world.ref();
    await world.store(ref, Buffer.from('conditional'));
    const { etag, lastModified, identity } = (await world.backend.head(ref, {}, world.signal)).info;
    world.needs(identity === 'strong', 'an etag that names the bytes');
    const before = new Date(lastModified.getTime() - 86_400_000);
    const after = new Date(Math.floor(lastModified.getTime() / 1000) * 1000);
    const cases: [ReadConditions, 'ok' | 'PreconditionFailed' | 'NotModified'][] = [
      [{ ifMatch: [etag] }, 'ok'],
      [{ ifMatch: ['*'] }, 'ok'],
      [{ ifMatch: ['other'] }, 'PreconditionFailed'],
      [{ ifNoneMatch: [etag] }, 'NotModified'],
      [{ ifNoneMatch: ['other'] }, 'ok'],
      [{ ifModifiedSince: before }, 'ok'],
      [{ ifModifiedSince: after }, 'NotModified'],
      [{ ifUnmodifiedSince: before }, 'PreconditionFailed'],
      [{ ifUnmodifiedSince: after }, 'ok'],
      [{ ifMatch: [etag], ifUnmodifiedSince: before }, 'ok'],
      [{ ifNoneMatch: ['other'], ifModifiedSince: after }, 'ok'],
    ];
    for (const [conditions, expected] of cases) {
      const told = JSON.stringify(conditions);
      const heads = world.backend.head(ref, { conditions }, world.signal);
      if (expected === 'ok') {
        await heads;
        expect((await world.bytesOf(ref, { conditions })).toString(), told).toBe('conditional');
      } else {
        await rejection(heads, expected);
        await rejection(world.backend.read(ref, { conditions }, world.signal), expected);
      }
    }
  },

  'a read of an object that has not changed tells its etag, and when it was changed last': async (world) => {
    const ref = world.ref();
    await world.store(ref, Buffer.from('unchanged'));
    const { etag, lastModified, identity } = (await world.backend.head(ref, {}, world.signal)).info;
    world.needs(identity === 'strong', 'an etag that names the bytes');
    for (const range of [undefined, { start: 2, end: 5 }]) {
      const unchanged = world.backend.read(ref, { conditions: { ifNoneMatch: [etag] }, range }, world.signal);
      const { info } = await rejection(unchanged, 'NotModified');
      expect({ etag: info?.etag, lastModified: info?.lastModified?.toUTCString() }).toEqual({
        etag,
        lastModified: lastModified.toUTCString(),
      });
    }
  },

  'a read aborted before it began rejects with the reason': async (world) => {
    const ref = world.ref();
    await world.store(ref, Buffer.from('x'));
    const reason = new Error('the client left');
    await expect(world.backend.read(ref, {}, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(world.backend.head(ref, {}, AbortSignal.abort(reason))).rejects.toBe(reason);
  },

  'a read aborted under way ends in an error, never as a short clean end': async (world) => {
    const ref = world.ref();
    await world.store(ref, randomBody(8 * 1024 * 1024));
    const controller = new AbortController();
    const { body } = await world.backend.read(ref, {}, controller.signal);
    const reason = new Error('the client left');
    const drained = (async () => {
      for await (const _ of body) controller.abort(reason);
    })();
    await expect(drained).rejects.toThrow();
    expect(body.destroyed).toBe(true);
  },

  'a body destroyed by its reader lets go of the object': async (world) => {
    const ref = world.ref();
    await world.store(ref, randomBody(4 * 1024 * 1024));
    const { body } = await world.backend.read(ref, {}, world.signal);
    const closed = new Promise<void>((resolve) => body.once('close', resolve));
    body.destroy();
    await closed;
    expect((await world.bytesOf(ref, { range: { start: 0, end: 3 } })).length).toBe(3);
  },

  'an object replaced while it is read is never mixed with the new one': async (world) => {
    const { delete: remove } = world.canWrite;
    const ref = world.ref();
    const older = Buffer.alloc(6 * 1024 * 1024, 'a');
    await world.put(ref, older);
    const { body } = await world.backend.read(ref, {}, world.signal);
    const chunks: Buffer[] = [];
    let replaced = false;
    try {
      for await (const chunk of body) {
        chunks.push(chunk as Buffer);
        if (!replaced) {
          replaced = true;
          await world.put(ref, Buffer.alloc(older.length, 'b'));
          await remove(ref, {}, world.signal);
        }
      }
      expect(Buffer.concat(chunks).equals(older)).toBe(true);
    } catch (error) {
      expect(body.destroyed, String(error)).toBe(true);
      expect(Buffer.concat(chunks).includes('b')).toBe(false);
    }
    expect(await world.exists(ref)).toBe(false);
  },
};

async function rangeHolds(world: World, key: string, bytes: Buffer, range: RangeRequest): Promise<void> {
  const start = 'suffixBytes' in range ? Math.max(0, bytes.length - range.suffixBytes) : range.start;
  const end = 'suffixBytes' in range ? bytes.length : Math.min(range.end ?? bytes.length, bytes.length);
  const reading = world.backend.read({ bucket: world.bucket, key }, { range }, world.signal);
  if (start >= end) {
    await rejection(reading, 'InvalidRange');
    return;
  }
  const read = await reading;
  expect((await buffer(read.body)).equals(bytes.subarray(start, end))).toBe(true);
  expect(read.range).toEqual({ start, end });
  expect(read.info.sizeBytes).toBe(bytes.length);
}
