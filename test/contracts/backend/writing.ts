// Puts and deletes: what a write keeps, and that one which failed has left nothing.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Checksum } from '../../../backends/backend.ts';
import { brokenBody, md5, stalledBody, uploadBody } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { NO_ATTRIBUTES, randomBody, rejection } from './world.ts';

const HEADERS = {
  contentType: 'text/x-odd; charset=utf-8',
  cacheControl: 'max-age=60',
  contentDisposition: 'attachment; filename="a.txt"',
  contentEncoding: 'gzip',
  contentLanguage: 'de',
  expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
};

export const writingPromises: Record<string, ContractPromise> = {
  'a put answers what a head then tells': async (world) => {
    const ref = world.ref();
    const bytes = randomBody(100_000);
    const written = await world.put(ref, bytes);
    const { info } = await world.backend.head(ref, {}, world.signal);
    expect(info).toMatchObject({ etag: written.etag, sizeBytes: bytes.length, identity: 'strong' });
    expect(written.sizeBytes).toBe(bytes.length);
    if (written.lastModified !== undefined) {
      expect(seconds(written.lastModified)).toBe(seconds(info.lastModified));
    }
    if (world.capabilities.etag === 'md5') expect(info.etag).toBe(md5(bytes).toString('hex'));
  },

  'headers and user metadata are kept verbatim': async (world) => {
    const ref = world.ref();
    const metadata = { plain: 'value', 'with-dash': 'a b  c', empty: '', text: 'grüße \u{1F600}' };
    world.needs(world.capabilities.userMetadataMaxBytes > 200, 'user metadata');
    await world.put(ref, Buffer.from('x'), { headers: HEADERS, metadata });
    const { info } = await world.backend.head(ref, {}, world.signal);
    expect(info.headers).toMatchObject(HEADERS);
    expect(info.metadata).toEqual(metadata);
    expect((await world.backend.read(ref, {}, world.signal)).body.destroy().destroyed).toBe(true);
  },

  'a put replaces the object and its attributes altogether': async (world) => {
    const ref = world.ref();
    await world.put(ref, Buffer.from('the older, longer one'), { headers: HEADERS, metadata: { a: '1' } });
    await world.put(ref, Buffer.from('newer'), { headers: { contentType: 'text/plain' }, metadata: {} });
    const { info } = await world.backend.head(ref, {}, world.signal);
    expect(info.metadata).toEqual({});
    expect(info.headers.contentType).toBe('text/plain');
    expect(info.headers.cacheControl).toBeUndefined();
    expect((await world.bytesOf(ref)).toString()).toBe('newer');
  },

  'tags given on a put are counted': async (world) => {
    const ref = world.ref();
    await world.put(ref, Buffer.from('x'), { tags: { team: 'ml', stage: 'raw' } });
    expect((await world.backend.head(ref, {}, world.signal)).info.tagCount).toBe(2);
  },

  'a checksum that came with the body is kept and told': async (world) => {
    const { put } = world.canWrite;
    world.needs(world.capabilities.checksums.includes('SHA256'), 'SHA-256 checksums');
    const ref = world.ref();
    const bytes = randomBody(1000);
    const value = createHash('sha256').update(bytes).digest('base64');
    const checksum: Checksum = { algorithm: 'SHA256', value, type: 'FULL_OBJECT' };
    const written = await put(ref, uploadBody(bytes, { checksum }), NO_ATTRIBUTES, world.signal);
    if (written.checksum !== undefined) expect(written.checksum).toEqual(checksum);
    expect((await world.backend.head(ref, {}, world.signal)).info.checksum).toEqual(checksum);
  },

  'a body that breaks on its last byte commits nothing and rejects with its own error': async (world) => {
    const { put } = world.canWrite;
    for (const sizeBytes of [1, 2_000, 3_000_000]) {
      const ref = world.ref(`broken-${sizeBytes}`);
      const broken = new Error('the digest is wrong');
      const body = brokenBody(Buffer.alloc(sizeBytes - 1, 'b'), sizeBytes, broken);
      await expect(put(ref, body, NO_ATTRIBUTES, world.signal)).rejects.toBe(broken);
      expect(await world.exists(ref)).toBe(false);
    }
  },

  'a body that breaks leaves the object it would have replaced as it was': async (world) => {
    const { put } = world.canWrite;
    const ref = world.ref();
    await world.put(ref, Buffer.from('older'), { metadata: { version: '1' } });
    const broken = new Error('the client cut the line');
    const body = brokenBody(Buffer.alloc(500_000), 1_000_000, broken);
    await expect(put(ref, body, NO_ATTRIBUTES, world.signal)).rejects.toBe(broken);
    expect((await world.bytesOf(ref)).toString()).toBe('older');
  },

  'a body closed early without an error commits nothing': async (world) => {
    const { put } = world.canWrite;
    const ref = world.ref();
    await expect(put(ref, brokenBody(Buffer.alloc(10), 20), NO_ATTRIBUTES, world.signal)).rejects.toThrow();
    expect(await world.exists(ref)).toBe(false);
  },

  'a put aborted in the middle of its body rejects with the reason and commits nothing': async (world) => {
    const { put } = world.canWrite;
    const ref = world.ref();
    const controller = new AbortController();
    const reason = new Error('the gateway gave up');
    const { body, stalled } = stalledBody(Buffer.alloc(300_000), 600_000);
    const putting = put(ref, body, NO_ATTRIBUTES, controller.signal);
    putting.catch(() => {});
    await stalled;
    controller.abort(reason);
    await expect(putting).rejects.toBe(reason);
    expect(await world.exists(ref)).toBe(false);
  },

  'a put aborted before it began commits nothing': async (world) => {
    const { put } = world.canWrite;
    const ref = world.ref();
    const reason = new Error('too late');
    const putting = put(ref, uploadBody(Buffer.from('x')), NO_ATTRIBUTES, AbortSignal.abort(reason));
    await expect(putting).rejects.toBe(reason);
    expect(await world.exists(ref)).toBe(false);
  },

  'a deleted object is gone, and deleting it again succeeds': async (world) => {
    const { delete: remove } = world.canWrite;
    const ref = world.ref();
    await world.put(ref, Buffer.from('x'));
    await remove(ref, {}, world.signal);
    await rejection(world.backend.head(ref, {}, world.signal), 'NoSuchKey');
    await rejection(world.backend.read(ref, {}, world.signal), 'NoSuchKey');
    await remove(ref, {}, world.signal);
    await remove(world.ref('never-was'), {}, world.signal);
  },

  'writes to a bucket that is not there are NoSuchBucket': async (world) => {
    const { delete: remove } = world.canWrite;
    const ref = { bucket: 'no-such-bucket-here', key: 'x' };
    await rejection(world.put(ref, Buffer.from('x')), 'NoSuchBucket');
    await rejection(remove(ref, {}, world.signal), 'NoSuchBucket');
  },

  'a batch delete takes the whole batch, absent keys included': async (world) => {
    const deleteMany = world.backend.deleteMany?.bind(world.backend);
    world.needs(deleteMany !== undefined && world.capabilities.batchDeleteMax > 0, 'batch deletes');
    const refs = ['a', 'b/c', 'with <&> "x"', 'plus+and space'].map((name) => world.ref(name));
    for (const ref of refs) await world.put(ref, Buffer.from(ref.key));
    const targets = [...refs, world.ref('absent')].map(({ key }) => ({ key }));
    const outcomes = await deleteMany?.(world.bucket, targets, world.signal);
    expect(outcomes?.map(({ key, error }) => ({ key, error }))).toEqual(
      targets.map(({ key }) => ({ key, error: undefined })),
    );
    for (const ref of refs) expect(await world.exists(ref)).toBe(false);
  },

  'puts of one key at once leave one of them, whole': async (world) => {
    const ref = world.ref();
    const bodies = Array.from({ length: 8 }, (_, index) => Buffer.alloc(200_000 + index, `${index}`));
    await Promise.all(bodies.map((bytes, index) => world.put(ref, bytes, { metadata: { index: `${index}` } })));
    const { info } = await world.backend.head(ref, {}, world.signal);
    const winner = bodies.find((bytes) => bytes.length === info.sizeBytes);
    expect(winner).toBeDefined();
    expect((await world.bytesOf(ref)).equals(winner ?? Buffer.alloc(0))).toBe(true);
    if (world.capabilities.userMetadataMaxBytes > 0) {
      expect(info.metadata).toEqual({ index: `${info.sizeBytes - 200_000}` });
    }
  },
};

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
