// Multipart uploads from the first part to the object, and every way in which one is refused.
import { expect } from 'vitest';
import type { CompletedPart, ObjectRef, UploadRef } from '../../../backends/backend.ts';
import { brokenBody, md5, uploadBody } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { NO_ATTRIBUTES, randomBody, rejection, type World } from './world.ts';

export const multipartPromises: Record<string, ContractPromise> = {
  'parts in any order become one object in the order of their numbers': async (world) => {
    const ref = world.ref();
    const bodies = threeParts(world);
    const options = { headers: { contentType: 'application/x-parts' }, metadata: { made: 'in parts' } };
    const uploadId = await world.multipart.createUpload(ref, options, world.signal);
    const upload = { ...ref, uploadId };
    const third = await sendPart(world, upload, 9, bodies[2]);
    const first = await sendPart(world, upload, 2, bodies[0]);
    const second = await sendPart(world, upload, 5, bodies[1]);
    expect(await world.exists(ref)).toBe(false);
    const parts = [first, second, third];
    const written = await world.multipart.completeUpload(upload, parts, {}, world.signal);
    const whole = Buffer.concat(bodies);
    expect((await world.bytesOf(ref)).equals(whole)).toBe(true);
    const { info } = await world.backend.head(ref, {}, world.signal);
    expect(info).toMatchObject({ etag: written.etag, sizeBytes: whole.length, metadata: { made: 'in parts' } });
    expect(info.headers.contentType).toBe('application/x-parts');
    if (world.capabilities.etag === 'md5') expect(info.etag).toBe(multipartEtag(bodies));
    await rejection(world.multipart.listParts(upload, { maxEntries: 10 }, world.signal), 'NoSuchUpload');
  },

  'a completed object is read by its parts where the origin tells them': async (world) => {
    const ref = world.ref();
    const bodies = threeParts(world);
    await assemble(world, ref, bodies);
    const { info } = await world.backend.head(ref, {}, world.signal);
    world.needs(info.partCount !== undefined, 'the number of parts of an object');
    expect(info.partCount).toBe(3);
    let start = 0;
    for (const [index, bytes] of bodies.entries()) {
      const range = { start, end: start + bytes.length };
      const partNumber = index + 1;
      expect((await world.backend.head(ref, { partNumber }, world.signal)).range).toEqual(range);
      expect((await world.bytesOf(ref, { partNumber })).equals(bytes)).toBe(true);
      start = range.end;
    }
    await rejection(world.backend.read(ref, { partNumber: 4 }, world.signal), 'InvalidPartNumber', 'InvalidPart');
  },

  'a part sent again replaces the one before': async (world) => {
    const ref = world.ref();
    const upload = await begin(world, ref);
    await sendPart(world, upload, 1, Buffer.from('older'));
    const newer = await sendPart(world, upload, 1, Buffer.from('newer'));
    await world.multipart.completeUpload(upload, [newer], {}, world.signal);
    expect((await world.bytesOf(ref)).toString()).toBe('newer');
  },

  'parts that were sent but not named are left out': async (world) => {
    const ref = world.ref();
    const upload = await begin(world, ref);
    const named = await sendPart(world, upload, 1, Buffer.from('named'));
    await sendPart(world, upload, 2, Buffer.from('not named'));
    await world.multipart.completeUpload(upload, [named], {}, world.signal);
    expect((await world.bytesOf(ref)).toString()).toBe('named');
  },

  'the same complete again answers the same etag': async (world) => {
    const ref = world.ref();
    const upload = await begin(world, ref);
    const parts = [await sendPart(world, upload, 1, Buffer.from('once'))];
    const first = await world.multipart.completeUpload(upload, parts, {}, world.signal);
    const second = await world.multipart.completeUpload(upload, parts, {}, world.signal);
    expect(second.etag).toBe(first.etag);
    expect((await world.bytesOf(ref)).toString()).toBe('once');
  },

  'a complete naming a part that is not there or has another etag is InvalidPart': async (world) => {
    const ref = world.ref();
    const upload = await begin(world, ref);
    const part = await sendPart(world, upload, 1, Buffer.from('here'));
    const wrong = { ...part, etag: md5(Buffer.from('another')).toString('hex') };
    await rejection(world.multipart.completeUpload(upload, [wrong], {}, world.signal), 'InvalidPart');
    const absent = { ...part, partNumber: 2 };
    await rejection(world.multipart.completeUpload(upload, [absent], {}, world.signal), 'InvalidPart');
    expect(await world.exists(ref)).toBe(false);
    await world.multipart.completeUpload(upload, [part], {}, world.signal);
    expect((await world.bytesOf(ref)).toString()).toBe('here');
  },

  'a complete whose parts are out of order or named twice is InvalidPartOrder': async (world) => {
    const ref = world.ref();
    const [first, second] = threeParts(world);
    const upload = await begin(world, ref);
    const one = await sendPart(world, upload, 1, first);
    const two = await sendPart(world, upload, 2, second);
    await rejection(world.multipart.completeUpload(upload, [two, one], {}, world.signal), 'InvalidPartOrder');
    await rejection(world.multipart.completeUpload(upload, [one, one], {}, world.signal), 'InvalidPartOrder');
    expect(await world.exists(ref)).toBe(false);
  },

  'a part below the minimum that is not the last is EntityTooSmall': async (world) => {
    const ref = world.ref();
    const upload = await begin(world, ref);
    world.needs(world.capabilities.partMinBytes > 1, 'a smallest part size');
    const one = await sendPart(world, upload, 1, Buffer.alloc(world.capabilities.partMinBytes - 1));
    const two = await sendPart(world, upload, 2, Buffer.from('last'));
    await rejection(world.multipart.completeUpload(upload, [one, two], {}, world.signal), 'EntityTooSmall');
    expect(await world.exists(ref)).toBe(false);
  },

  'an upload that is unknown, completed or aborted is NoSuchUpload': async (world) => {
    const ref = world.ref();
    const upload = await begin(world, ref);
    await sendPart(world, upload, 1, Buffer.from('x'));
    await world.multipart.abortUpload(upload, world.signal);
    await nothingMoreOf(world, upload, 'aborted');
    const done = await begin(world, ref);
    const part = await sendPart(world, done, 1, Buffer.from('x'));
    await world.multipart.completeUpload(done, [part], {}, world.signal);
    await rejection(world.multipart.listParts(done, { maxEntries: 10 }, world.signal), 'NoSuchUpload');
    await rejection(sendPart(world, done, 2, Buffer.from('x')), 'NoSuchUpload');
  },

  'a part whose body breaks is not there': async (world) => {
    const upload = await begin(world, world.ref());
    const broken = new Error('wrong digest');
    const body = brokenBody(Buffer.alloc(99_999), 100_000, broken);
    await expect(world.multipart.uploadPart(upload, 1, body, world.signal)).rejects.toBe(broken);
    const { parts } = await world.multipart.listParts(upload, { maxEntries: 10 }, world.signal);
    expect(parts).toEqual([]);
    await world.multipart.abortUpload(upload, world.signal);
  },

  'a complete with If-None-Match * does not replace an object': async (world) => {
    world.needs(world.capabilities.putIfAbsent !== 'none', 'If-None-Match on writes');
    const ref = world.ref();
    const upload = await begin(world, ref);
    const part = await sendPart(world, upload, 1, Buffer.from('in parts'));
    await world.put(ref, Buffer.from('first'));
    const conditions = { ifNoneMatch: '*' };
    const completing = world.multipart.completeUpload(upload, [part], { conditions }, world.signal);
    await rejection(completing, 'PreconditionFailed');
    expect((await world.bytesOf(ref)).toString()).toBe('first');
    await world.multipart.abortUpload(upload, world.signal);
  },

  'uploads of one key do not know of each other': async (world) => {
    const ref = world.ref();
    const [one, two] = [await begin(world, ref), await begin(world, ref)];
    expect(one.uploadId).not.toBe(two.uploadId);
    const part = await sendPart(world, one, 1, Buffer.from('one'));
    await sendPart(world, two, 1, Buffer.from('two'));
    await world.multipart.abortUpload(two, world.signal);
    await world.multipart.completeUpload(one, [part], {}, world.signal);
    expect((await world.bytesOf(ref)).toString()).toBe('one');
  },
};

export async function begin(world: World, ref: ObjectRef): Promise<UploadRef> {
  return { ...ref, uploadId: await world.multipart.createUpload(ref, NO_ATTRIBUTES, world.signal) };
}

export async function sendPart(
  world: World,
  upload: UploadRef,
  partNumber: number,
  bytes: Buffer,
): Promise<CompletedPart> {
  const { etag } = await world.multipart.uploadPart(upload, partNumber, uploadBody(bytes), world.signal);
  return { partNumber, etag };
}

/** A multipart object of these parts. */
export async function assemble(world: World, ref: ObjectRef, bodies: readonly Buffer[]): Promise<void> {
  const upload = await begin(world, ref);
  const parts: CompletedPart[] = [];
  for (const [index, bytes] of bodies.entries()) parts.push(await sendPart(world, upload, index + 1, bytes));
  await world.multipart.completeUpload(upload, parts, {}, world.signal);
}

/** The smallest legal ones: two of the minimum and a tail. */
export function threeParts(world: World): [Buffer, Buffer, Buffer] {
  world.needs(world.backend.multipart !== undefined, 'multipart uploads');
  const least = Math.max(world.capabilities.partMinBytes, 1_000);
  return [randomBody(least), randomBody(least + 1), randomBody(77)];
}

async function nothingMoreOf(world: World, upload: UploadRef, what: string): Promise<void> {
  const part = { partNumber: 1, etag: md5(Buffer.from('x')).toString('hex') };
  const { multipart, signal } = world;
  await rejection(multipart.listParts(upload, { maxEntries: 10 }, signal), 'NoSuchUpload');
  await rejection(sendPart(world, upload, 1, Buffer.from(what)), 'NoSuchUpload');
  await rejection(multipart.completeUpload(upload, [part], {}, signal), 'NoSuchUpload');
  await rejection(multipart.abortUpload(upload, signal), 'NoSuchUpload');
}

function multipartEtag(bodies: readonly Buffer[]): string {
  return `${md5(Buffer.concat(bodies.map(md5))).toString('hex')}-${bodies.length}`;
}
