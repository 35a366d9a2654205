// Several versions of a key: what writes and deletes leave, what a version is read by, and what is listed.
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import type {
  DeleteConditions,
  ListVersionsOptions,
  ObjectRef,
  Versioning,
  VersioningStatus,
  VersionRef,
  Written,
} from '../../../backends/backend.ts';
import { uploadBody } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { NO_ATTRIBUTES, rejection, type World } from './world.ts';

/** A bucket of its own with versions. */
export class VersionedBucket {
  readonly world: World;
  readonly bucket: string;
  readonly versioning: Versioning;

  static async make(world: World, status: 'Enabled' | 'off' = 'Enabled'): Promise<VersionedBucket> {
    const { versioning, buckets } = world;
    world.needs(versioning.set !== undefined, 'a switch for versions');
    const bucket = `versions-${randomBytes(6).toString('hex')}`;
    await buckets.create(bucket, { owner: 'tester' }, world.signal);
    const versioned = new VersionedBucket(world, bucket, versioning);
    if (status !== 'off') await versioned.switch(status);
    return versioned;
  }

  private constructor(world: World, bucket: string, versioning: Versioning) {
    this.world = world;
    this.bucket = bucket;
    this.versioning = versioning;
  }

  ref(key = 'key'): ObjectRef {
    return { bucket: this.bucket, key };
  }

  put(bytes: string, key?: string): Promise<Written> {
    return this.world.put(this.ref(key), Buffer.from(bytes));
  }

  /** Of the current object, or of a version. */
  async read(versionId?: string, key?: string): Promise<string> {
    const { body, info } = await this.world.backend.read(this.ref(key), { versionId }, this.world.signal);
    const bytes = (await buffer(body)).toString();
    if (versionId !== undefined) expect(info.versionId).toBe(versionId);
    return bytes;
  }

  delete(versionId?: string, key?: string) {
    return this.world.canWrite.delete(this.ref(key), { versionId }, this.world.signal);
  }

  async switch(status: VersioningStatus): Promise<void> {
    await this.versioning.set?.(this.bucket, status, this.world.signal);
  }

  /** All of them, newest first: their ids, 'marker' before those of delete markers. */
  async ids(key = 'key'): Promise<string[]> {
    const { versions } = await this.list({ prefix: key });
    return versions.map((version) => ('deleteMarker' in version ? `marker ${version.versionId}` : version.versionId));
  }

  list(options: Partial<ListVersionsOptions>) {
    return this.versioning.list(this.bucket, { maxEntries: 1000, ...options }, this.world.signal);
  }
}

function idOf({ versionId }: { versionId?: string | undefined }): string {
  if (versionId === undefined) throw new Error('The write told no version.');
  return versionId;
}

export const versioningPromises: Record<string, ContractPromise> = {
  'a bucket has no versions until they are switched on, and then says so': async (world) => {
    const versioned = await VersionedBucket.make(world, 'off');
    const { versioning, bucket } = versioned;
    expect(await versioning.get(bucket, world.signal)).toBeUndefined();
    const { versionId } = await versioned.put('plain');
    expect(versionId).toBeUndefined();
    await versioned.switch('Enabled');
    expect(await versioning.get(bucket, world.signal)).toBe('Enabled');
    await versioned.switch('Suspended');
    expect(await versioning.get(bucket, world.signal)).toBe('Suspended');
  },

  'a write leaves the version before it, and each is read by its id': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const [first, second] = [idOf(await versioned.put('first')), idOf(await versioned.put('second, longer'))];
    expect(first).not.toBe(second);
    expect(await versioned.read()).toBe('second, longer');
    expect([await versioned.read(first), await versioned.read(second)]).toEqual(['first', 'second, longer']);
    const ranged = { versionId: first, range: { start: 1, end: 3 } };
    expect((await world.bytesOf(versioned.ref(), ranged)).toString()).toBe('ir');
    const { info } = await world.backend.head(versioned.ref(), { versionId: first }, world.signal);
    expect([info.sizeBytes, info.versionId]).toEqual([5, first]);
    expect((await world.backend.head(versioned.ref(), {}, world.signal)).info.versionId).toBe(second);
  },

  'a delete puts a marker on top, which hides the object and nothing else': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const id = idOf(await versioned.put('kept'));
    const deleted = await versioned.delete();
    expect(deleted.deleteMarker).toBe(true);
    await rejection(versioned.read(), 'NoSuchKey');
    await rejection(world.backend.head(versioned.ref(), {}, world.signal), 'NoSuchKey');
    await rejection(versioned.read(idOf(deleted)), 'DeleteMarker');
    expect((await world.backend.list(versioned.bucket, { maxEntries: 10 }, world.signal)).objects).toEqual([]);
    expect(await versioned.read(id)).toBe('kept');
    expect(await versioned.ids()).toEqual([`marker ${deleted.versionId}`, id]);
  },

  'a key that was never there gets a marker all the same, and markers pile up': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const markers = [idOf(await versioned.delete()), idOf(await versioned.delete())];
    expect(await versioned.ids()).toEqual(markers.toReversed().map((id) => `marker ${id}`));
    await rejection(versioned.read(), 'NoSuchKey');
  },

  'when the newest version or marker is removed, what was before it is the object again': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const [first, second] = [idOf(await versioned.put('first')), idOf(await versioned.put('second'))];
    const marker = idOf(await versioned.delete());
    const removed = await versioned.delete(marker);
    expect([removed.versionId, removed.deleteMarker]).toEqual([marker, true]);
    expect(await versioned.read()).toBe('second');
    const again = await versioned.delete(second);
    expect([again.versionId, again.deleteMarker ?? false]).toEqual([second, false]);
    expect([await versioned.read(), await versioned.read(first)]).toEqual(['first', 'first']);
    expect((await world.backend.list(versioned.bucket, { maxEntries: 10 }, world.signal)).objects.length).toBe(1);
    await versioned.delete(first);
    await rejection(versioned.read(), 'NoSuchKey');
    expect(await versioned.ids()).toEqual([]);
  },

  'an older version is removed without a trace on the others': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const ids = [idOf(await versioned.put('a')), idOf(await versioned.put('b')), idOf(await versioned.put('c'))];
    await versioned.delete(ids[1]);
    expect(await versioned.ids()).toEqual([ids[2], ids[0]]);
    expect([await versioned.read(), await versioned.read(ids[0])]).toEqual(['c', 'a']);
    await rejection(versioned.read(ids[1]), 'NoSuchVersion');
  },

  'a version that is gone is deleted again with success': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const [first, second] = [idOf(await versioned.put('first')), idOf(await versioned.put('second'))];
    await versioned.delete(first);
    await versioned.delete(first);
    expect(await versioned.ids()).toEqual([second]);
  },

  'what was written before versions were switched on is the null version': async (world) => {
    const versioned = await VersionedBucket.make(world, 'off');
    await versioned.put('before');
    await versioned.switch('Enabled');
    expect(await versioned.ids()).toEqual(['null']);
    const id = idOf(await versioned.put('after'));
    expect(await versioned.ids()).toEqual([id, 'null']);
    expect([await versioned.read('null'), await versioned.read()]).toEqual(['before', 'after']);
    await versioned.delete(id);
    expect([await versioned.read(), await versioned.ids()]).toEqual(['before', ['null']]);
    await versioned.delete('null');
    await rejection(versioned.read(), 'NoSuchKey');
    expect(await versioned.ids()).toEqual([]);
  },

  'while suspended, a write replaces the null version and leaves the others': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const kept = idOf(await versioned.put('kept'));
    await versioned.switch('Suspended');
    await versioned.put('null one');
    await versioned.put('null two');
    expect(await versioned.ids()).toEqual(['null', kept]);
    expect([await versioned.read(), await versioned.read('null'), await versioned.read(kept)]).toEqual([
      'null two',
      'null two',
      'kept',
    ]);
  },

  'while suspended, a delete replaces the null version with a marker': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const kept = idOf(await versioned.put('kept'));
    await versioned.switch('Suspended');
    await versioned.put('null');
    const deleted = await versioned.delete();
    expect(deleted.deleteMarker).toBe(true);
    await versioned.delete();
    expect(await versioned.ids()).toEqual(['marker null', kept]);
    await versioned.put('null again');
    expect(await versioned.ids()).toEqual(['null', kept]);
    await versioned.delete('null');
    expect([await versioned.read(), await versioned.ids()]).toEqual(['kept', [kept]]);
  },

  'a null version among newer ones is replaced where it is, and the new one is the newest': async (world) => {
    const versioned = await VersionedBucket.make(world, 'off');
    await versioned.put('old null');
    await versioned.switch('Enabled');
    const kept = idOf(await versioned.put('kept'));
    await versioned.switch('Suspended');
    await versioned.put('new null');
    expect(await versioned.ids()).toEqual(['null', kept]);
    expect([await versioned.read('null'), await versioned.read(kept)]).toEqual(['new null', 'kept']);
  },

  'a version is copied from, and a copy is a version of its own': async (world) => {
    const { copy, signal } = world;
    const versioned = await VersionedBucket.make(world);
    const first = idOf(await versioned.put('first'));
    await versioned.put('second');
    const source: VersionRef = { ...versioned.ref(), versionId: first };
    const copied = await copy(
      source,
      versioned.ref(),
      { replace: { headers: {}, metadata: { made: 'copy' } } },
      signal,
    );
    expect(copied.sourceVersionId).toBe(first);
    expect([await versioned.read(), (await versioned.ids())[0]]).toEqual(['first', copied.versionId]);
    expect((await versioned.ids()).length).toBe(3);
    await versioned.delete(idOf(copied));
    expect([await versioned.read(), await versioned.read(first)]).toEqual(['second', 'first']);
  },

  'a multipart upload makes a version, which keeps its parts when another follows': async (world) => {
    const { multipart, signal } = world;
    const versioned = await VersionedBucket.make(world);
    const ref = versioned.ref();
    const uploadId = await multipart.createUpload(ref, NO_ATTRIBUTES, signal);
    const bodies = [Buffer.alloc(world.capabilities.partMinBytes, 'a'), Buffer.from('tail')];
    const parts = [];
    for (const [index, bytes] of bodies.entries()) {
      const upload = { ...ref, uploadId };
      const { etag } = await multipart.uploadPart(upload, index + 1, uploadBody(bytes), signal);
      parts.push({ partNumber: index + 1, etag });
    }
    const made = idOf(await multipart.completeUpload({ ...ref, uploadId }, parts, {}, signal));
    await versioned.put('next');
    const { info } = await world.backend.head(ref, { versionId: made }, signal);
    expect(info.etag).toMatch(/-2$/);
    // Origins that do not tell of parts cannot be asked for one.
    const last = info.partCount === undefined ? { range: { suffixBytes: 4 } } : { partNumber: 2 };
    expect((await world.bytesOf(ref, { versionId: made, ...last })).toString()).toBe('tail');
    await versioned.delete((await versioned.ids())[0]);
    expect((await world.bytesOf(ref, last)).toString()).toBe('tail');
  },

  'tags belong to a version': async (world) => {
    const { tagging, signal } = world;
    const versioned = await VersionedBucket.make(world);
    const [first, second] = [idOf(await versioned.put('first')), idOf(await versioned.put('second'))];
    await tagging.set({ ...versioned.ref(), versionId: first }, { of: 'first' }, signal);
    await tagging.set(versioned.ref(), { of: 'second' }, signal);
    expect((await tagging.get({ ...versioned.ref(), versionId: first }, signal)).tags).toEqual({ of: 'first' });
    expect((await tagging.get({ ...versioned.ref(), versionId: second }, signal)).tags).toEqual({ of: 'second' });
    await tagging.delete({ ...versioned.ref(), versionId: first }, signal);
    expect((await tagging.get({ ...versioned.ref(), versionId: first }, signal)).tags).toEqual({});
    expect(await versioned.read(first)).toBe('first');
  },

  'a key under a delete marker is absent to conditions': async (world) => {
    world.needs(world.capabilities.putIfAbsent !== 'none', 'conditions on a put');
    const versioned = await VersionedBucket.make(world);
    await versioned.put('first');
    const options = { conditions: { ifNoneMatch: '*' } };
    await rejection(world.put(versioned.ref(), Buffer.from('no'), options), 'PreconditionFailed');
    await versioned.delete();
    await world.put(versioned.ref(), Buffer.from('again'), options);
    expect([await versioned.read(), (await versioned.ids()).length]).toEqual(['again', 3]);
  },

  'versions are listed by key and age, page by page, prefixes once': async (world) => {
    const versioned = await VersionedBucket.make(world);
    for (const key of ['a', 'b', 'b', 'b', 'c/1', 'c/1', 'c/2', 'd']) await versioned.put(key, key);
    await versioned.delete(undefined, 'b');
    await versioned.delete(undefined, 'a0');
    const expected = ['a latest', 'a0 latest marker', 'b latest marker', 'b', 'b', 'b', 'c/', 'd latest'];
    for (const maxEntries of [1, 2, 3, 1000]) {
      expect(await pages(versioned, { delimiter: '/', maxEntries }), `pages of ${maxEntries}`).toEqual(expected);
    }
    expect(await pages(versioned, { prefix: 'c/', maxEntries: 2 })).toEqual(['c/1 latest', 'c/1', 'c/2 latest']);
    expect(await pages(versioned, { keyMarker: 'b', maxEntries: 10 })).toEqual([
      'c/1 latest',
      'c/1',
      'c/2 latest',
      'd latest',
    ]);
  },

  'writes of one key at once are a version each, and the last of them is the object': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const bodies = Array.from({ length: 8 }, (_, index) => `body ${index}`);
    const written = await Promise.all(bodies.map(async (bytes) => [idOf(await versioned.put(bytes)), bytes] as const));
    const ids = await versioned.ids();
    expect(ids.toSorted()).toEqual(written.map(([id]) => id).sort());
    for (const [id, bytes] of written) expect(await versioned.read(id)).toBe(bytes);
    expect(await versioned.read()).toBe(written.find(([id]) => id === ids[0])?.[1]);
  },

  'a delete on conditions is about the newest version, be it a marker': async (world) => {
    world.needs((world.capabilities.deleteIf ?? 'none') !== 'none', 'deletes on conditions');
    const versioned = await VersionedBucket.make(world);
    const remove = (conditions: DeleteConditions) =>
      world.canWrite.delete(versioned.ref(), { conditions }, world.signal);
    await remove({ ifMatch: 'never there' });
    expect(await versioned.ids()).toEqual([]);
    const { etag } = await versioned.put('x');
    await rejection(remove({ ifMatch: 'another' }), 'PreconditionFailed');
    await remove({ ifMatch: etag, sizeBytes: 1 });
    await rejection(remove({ ifMatch: etag }), 'PreconditionFailed');
    expect((await versioned.ids()).length).toBe(2);
  },

  'a bucket with a version or a marker left is not empty': async (world) => {
    const versioned = await VersionedBucket.make(world);
    const id = idOf(await versioned.put('x'));
    const marker = idOf(await versioned.delete());
    await rejection(world.buckets.delete(versioned.bucket, world.signal), 'BucketNotEmpty');
    await versioned.delete(id);
    await rejection(world.buckets.delete(versioned.bucket, world.signal), 'BucketNotEmpty');
    await versioned.delete(marker);
    await world.buckets.delete(versioned.bucket, world.signal);
  },
};

/** Entries of all pages in order, told by name. Within a page, servers tell prefixes apart from versions. */
async function pages(versioned: VersionedBucket, options: Partial<ListVersionsOptions>): Promise<string[]> {
  const told: string[] = [];
  let from: Partial<ListVersionsOptions> = {};
  for (;;) {
    const page = await versioned.list({ ...options, ...from });
    const entries = page.versions.map((version) => {
      const marks = `${version.isLatest ? ' latest' : ''}${'deleteMarker' in version ? ' marker' : ''}`;
      return { key: version.key, told: `${version.key}${marks}` };
    });
    const prefixes = page.prefixes.map((prefix) => ({ key: prefix, told: prefix }));
    const inOrder = [...entries, ...prefixes].sort((one, other) =>
      Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)),
    );
    told.push(...inOrder.map((entry) => entry.told));
    if (page.next === undefined) return told;
    from = page.next;
  }
}
