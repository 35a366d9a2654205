// Canned access lists of objects: kept with the object, never with its copies or successors.
import { expect } from 'vitest';
import type { CannedAcl, ObjectRef } from '../../../backends/backend.ts';
import { uploadBody } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { NO_ATTRIBUTES, rejection, type World } from './world.ts';

const aclOf = async ({ backend, signal }: World, ref: ObjectRef): Promise<CannedAcl | undefined> =>
  (await backend.head(ref, {}, signal)).info.acl;

export const objectAclPromises: Record<string, ContractPromise> = {
  'an access list given with a put is told, and the next put has its own or none': async (world) => {
    world.needs(world.capabilities.acls === true, 'access lists of objects');
    const ref = world.ref();
    await world.put(ref, Buffer.from('x'), { acl: 'public-read' });
    expect(await aclOf(world, ref)).toBe('public-read');
    await world.put(ref, Buffer.from('y'));
    expect(await aclOf(world, ref)).toBeUndefined();
  },

  'an access list that is set leaves the object what it was, and can be taken away': async (world) => {
    const { acls, backend, signal } = world;
    const ref = world.ref();
    await world.put(ref, Buffer.from('bytes'), { headers: { contentType: 'text/x' }, metadata: { kept: 'yes' } });
    const { info: before } = await backend.head(ref, {}, signal);
    await acls.set(ref, 'authenticated-read', signal);
    expect((await backend.head(ref, {}, signal)).info).toEqual({ ...before, acl: 'authenticated-read' });
    await acls.set(ref, undefined, signal);
    expect((await backend.head(ref, {}, signal)).info).toEqual(before);
    expect((await world.bytesOf(ref)).toString()).toBe('bytes');
  },

  'a copy has the access list that it is given, not its source’s': async (world) => {
    world.needs(world.capabilities.acls === true, 'access lists of objects');
    const [source, target] = [world.ref(), world.ref()];
    await world.put(source, Buffer.from('x'), { acl: 'public-read' });
    await world.copy(source, target, {}, world.signal);
    expect(await aclOf(world, target)).toBeUndefined();
    await world.copy(source, target, { acl: 'public-read-write' }, world.signal);
    expect(await aclOf(world, target)).toBe('public-read-write');
  },

  'an upload of parts keeps the access list it was begun with': async (world) => {
    world.needs(world.capabilities.acls === true, 'access lists of objects');
    const ref = world.ref();
    const options = { ...NO_ATTRIBUTES, acl: 'public-read' as const };
    const upload = { ...ref, uploadId: await world.multipart.createUpload(ref, options, world.signal) };
    const body = uploadBody(Buffer.from('part'));
    const { etag } = await world.multipart.uploadPart(upload, 1, body, world.signal);
    await world.multipart.completeUpload(upload, [{ partNumber: 1, etag }], {}, world.signal);
    expect(await aclOf(world, ref)).toBe('public-read');
  },

  'there is no access list of what is not there': async (world) => {
    await rejection(world.acls.set(world.ref(), 'public-read', world.signal), 'NoSuchKey');
  },
};
