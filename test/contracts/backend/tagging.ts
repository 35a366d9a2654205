// Tags of objects that are there already, and what a write does with them.
import { expect } from 'vitest';
import { uploadBody } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { NO_ATTRIBUTES, rejection } from './world.ts';

const TAGS = { team: 'ml', Stage: 'raw', leer: '', größe: 'a+b=c/d:e @_-.' };

export const taggingPromises: Record<string, ContractPromise> = {
  'tags given with a put are told': async (world) => {
    const { tagging, signal } = world;
    const ref = world.ref();
    await world.put(ref, Buffer.from('x'), { tags: TAGS });
    expect((await tagging.get(ref, signal)).tags).toEqual(TAGS);
  },

  'an object put without tags has none': async (world) => {
    const { tagging, signal } = world;
    const ref = world.ref();
    await world.put(ref, Buffer.from('x'), { tags: TAGS });
    await world.put(ref, Buffer.from('x'));
    expect((await tagging.get(ref, signal)).tags).toEqual({});
    expect((await world.backend.head(ref, {}, signal)).info.tagCount ?? 0).toBe(0);
  },

  'tags that are set replace all others and leave the object what it was': async (world) => {
    const { backend, tagging, signal } = world;
    const ref = world.ref();
    const metadata = { kept: 'yes' };
    await world.put(ref, Buffer.from('bytes'), { headers: { contentType: 'text/x' }, metadata, tags: { old: '1' } });
    const { info: before } = await backend.head(ref, {}, signal);
    await tagging.set(ref, TAGS, signal);
    expect((await tagging.get(ref, signal)).tags).toEqual(TAGS);
    const { info } = await backend.head(ref, {}, signal);
    expect(info).toEqual({ ...before, tagCount: Object.keys(TAGS).length });
    expect((await world.bytesOf(ref)).toString()).toBe('bytes');
  },

  'tags that are deleted are gone, and deleting none succeeds': async (world) => {
    const { backend, tagging, signal } = world;
    const ref = world.ref();
    await world.put(ref, Buffer.from('x'), { tags: TAGS });
    await tagging.delete(ref, signal);
    await tagging.delete(ref, signal);
    expect((await tagging.get(ref, signal)).tags).toEqual({});
    expect((await backend.head(ref, {}, signal)).info.tagCount ?? 0).toBe(0);
  },

  'an object that is not there has no tags to read, set or delete': async (world) => {
    const { tagging, signal } = world;
    await rejection(tagging.get(world.ref('missing'), signal), 'NoSuchKey');
    await rejection(tagging.set(world.ref('missing'), TAGS, signal), 'NoSuchKey');
    await rejection(tagging.delete(world.ref('missing'), signal), 'NoSuchKey');
    expect(await world.exists(world.ref('missing'))).toBe(false);
  },

  'a copy keeps the tags of its source unless it brings its own': async (world) => {
    const { copy, tagging, signal } = world;
    const source = world.ref('source');
    await world.put(source, Buffer.from('x'), { tags: TAGS });
    await copy(source, world.ref('kept'), {}, signal);
    await copy(source, world.ref('replaced'), { replaceTags: { own: '1' } }, signal);
    await copy(source, world.ref('bare'), { replaceTags: {} }, signal);
    expect((await tagging.get(world.ref('kept'), signal)).tags).toEqual(TAGS);
    expect((await tagging.get(world.ref('replaced'), signal)).tags).toEqual({ own: '1' });
    expect((await tagging.get(world.ref('bare'), signal)).tags).toEqual({});
  },

  'a multipart upload brings the tags it was begun with': async (world) => {
    const { multipart, tagging, signal } = world;
    const ref = world.ref();
    const uploadId = await multipart.createUpload(ref, { ...NO_ATTRIBUTES, tags: TAGS }, signal);
    const part = await multipart.uploadPart({ ...ref, uploadId }, 1, uploadBody(Buffer.from('part')), signal);
    const parts = [{ partNumber: 1, etag: part.etag }];
    await multipart.completeUpload({ ...ref, uploadId }, parts, {}, signal);
    expect((await tagging.get(ref, signal)).tags).toEqual(TAGS);
  },
};
