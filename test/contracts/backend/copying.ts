// Copies within one origin: of objects, and of ranges as parts.
import { expect } from 'vitest';
import type { ContractPromise } from '../backend.ts';
import { assemble, begin, sendPart, threeParts } from './multipart.ts';
import { randomBody, rejection } from './world.ts';

export const copyPromises: Record<string, ContractPromise> = {
  'a copy has the bytes and the attributes of its source': async (world) => {
    const { copy } = world;
    const [source, target] = [world.ref('source +&é'), world.ref('target')];
    const bytes = randomBody(10_000);
    await world.put(source, bytes, { headers: { contentType: 'text/a' }, metadata: { a: '1' } });
    const copied = await copy(source, target, {}, world.signal);
    const { info } = await world.backend.head(target, {}, world.signal);
    expect(info).toMatchObject({ etag: copied.etag, sizeBytes: bytes.length, metadata: { a: '1' } });
    expect(info.headers.contentType).toBe('text/a');
    expect((await world.bytesOf(target)).equals(bytes)).toBe(true);
  },

  'a copy outlives its source, and a write to one does not reach the other': async (world) => {
    const { copy } = world;
    const [source, target] = [world.ref('source'), world.ref('target')];
    await world.put(source, Buffer.from('shared'));
    await copy(source, target, {}, world.signal);
    await world.put(source, Buffer.from('changed'));
    expect((await world.bytesOf(target)).toString()).toBe('shared');
    await copy(target, source, {}, world.signal);
    expect((await world.bytesOf(source)).toString()).toBe('shared');
    await world.canWrite.delete(source, {}, world.signal);
    expect((await world.bytesOf(target)).toString()).toBe('shared');
  },

  'a copy may replace the attributes, also of the object itself': async (world) => {
    const { copy } = world;
    const ref = world.ref();
    const { etag } = await world.put(ref, Buffer.from('same bytes'), { metadata: { a: '1' } });
    const replace = { headers: { contentType: 'text/b' }, metadata: { b: '2' } };
    await copy(ref, ref, { replace }, world.signal);
    const { info } = await world.backend.head(ref, {}, world.signal);
    expect(info).toMatchObject({ metadata: { b: '2' }, sizeBytes: 10 });
    expect(info.headers.contentType).toBe('text/b');
    if (world.capabilities.etag === 'md5') expect(info.etag).toBe(etag);
    expect((await world.bytesOf(ref)).toString()).toBe('same bytes');
  },

  'a copy keeps to the conditions on its source': async (world) => {
    const { copy } = world;
    const [source, target] = [world.ref('source'), world.ref('target')];
    const { etag } = await world.put(source, Buffer.from('x'));
    const refused = { sourceConditions: { ifMatch: ['00000000000000000000000000000000'] } };
    await rejection(copy(source, target, refused, world.signal), 'PreconditionFailed');
    const unchanged = { sourceConditions: { ifNoneMatch: [etag] } };
    await rejection(copy(source, target, unchanged, world.signal), 'PreconditionFailed', 'NotModified');
    expect(await world.exists(target)).toBe(false);
    await copy(source, target, { sourceConditions: { ifMatch: [etag] } }, world.signal);
    expect(await world.exists(target)).toBe(true);
  },

  'a copy of what is not there is NoSuchKey and makes nothing': async (world) => {
    const target = world.ref('target');
    await rejection(world.copy(world.ref('absent'), target, {}, world.signal), 'NoSuchKey');
    expect(await world.exists(target)).toBe(false);
  },

  'a copy of a multipart object has its bytes': async (world) => {
    const { copy } = world;
    const bodies = threeParts(world);
    const [source, target] = [world.ref('source'), world.ref('target')];
    await assemble(world, source, bodies);
    await copy(source, target, {}, world.signal);
    expect((await world.bytesOf(target)).equals(Buffer.concat(bodies))).toBe(true);
  },

  'a range of an object becomes a part': async (world) => {
    const copyPart = world.multipart.uploadPartCopy?.bind(world.multipart);
    world.needs(copyPart !== undefined, 'copies into parts');
    const least = Math.max(world.capabilities.partMinBytes, 1_000);
    const [source, target] = [world.ref('source'), world.ref('target')];
    const bytes = randomBody(least + 500);
    await world.put(source, bytes);
    const upload = await begin(world, target);
    const ranged = await copyPart?.(upload, 1, source, { range: { start: 100, end: 100 + least } }, world.signal);
    const whole = await copyPart?.(upload, 2, source, {}, world.signal);
    const sent = await sendPart(world, upload, 3, Buffer.from('tail'));
    const parts = [{ partNumber: 1, etag: ranged?.etag ?? '' }, { partNumber: 2, etag: whole?.etag ?? '' }, sent];
    await world.multipart.completeUpload(upload, parts, {}, world.signal);
    const expected = Buffer.concat([bytes.subarray(100, 100 + least), bytes, Buffer.from('tail')]);
    expect((await world.bytesOf(target)).equals(expected)).toBe(true);
  },

  'a part copied from beyond the end, from an absent key or against a condition is refused': async (world) => {
    const copyPart = world.multipart.uploadPartCopy?.bind(world.multipart);
    if (copyPart === undefined) return world.needs(false, 'copies into parts');
    const source = world.ref('source');
    await world.put(source, Buffer.from('0123456789'));
    const upload = await begin(world, world.ref('target'));
    const beyond = copyPart(upload, 1, source, { range: { start: 5, end: 11 } }, world.signal);
    await rejection(beyond, 'InvalidRange', 'InvalidArgument');
    await rejection(copyPart(upload, 1, world.ref('absent'), {}, world.signal), 'NoSuchKey');
    const conditions = { ifMatch: ['00000000000000000000000000000000'] };
    await rejection(copyPart(upload, 1, source, { conditions }, world.signal), 'PreconditionFailed');
    const { parts } = await world.multipart.listParts(upload, { maxEntries: 5 }, world.signal);
    expect(parts).toEqual([]);
    await world.multipart.abortUpload(upload, world.signal);
  },
};
