// What is told of the parts of an object that a multipart upload made.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Checksum, Part } from '../../../backends/backend.ts';
import { uploadBody } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { NO_ATTRIBUTES, randomBody } from './world.ts';

export const objectPartPromises: Record<string, ContractPromise> = {
  'the parts of a completed object are told, a page at a time': async (world) => {
    const { multipart, objectParts, signal } = world;
    const ref = world.ref();
    const sizeBytes = Math.max(1, world.capabilities.partMinBytes);
    const uploadId = await multipart.createUpload(ref, { ...NO_ATTRIBUTES, checksumAlgorithm: 'SHA256' }, signal);
    const upload = { ...ref, uploadId };
    for (const partNumber of [1, 2, 3]) {
      const bytes = randomBody(partNumber === 3 ? 3 : sizeBytes);
      await multipart.uploadPart(upload, partNumber, uploadBody(bytes, { checksum: sha256(bytes) }), signal);
    }
    const { parts } = await multipart.listParts(upload, { maxEntries: 10 }, signal);
    await multipart.completeUpload(upload, parts, {}, signal);
    const [first, second, third] = parts.map(shape);
    const page = await objectParts(ref, { maxEntries: 2 }, signal);
    expect(page).toMatchObject({ parts: [first, second], partCount: 3, nextAfter: 2 });
    const rest = await objectParts(ref, { after: page?.nextAfter, maxEntries: 2 }, signal);
    expect(rest).toMatchObject({ parts: [third], partCount: 3 });
    expect(rest?.nextAfter).toBeUndefined();
  },

  'an object put in one piece has no parts': async (world) => {
    const { objectParts, signal } = world;
    await world.put(world.ref(), Buffer.from('x'));
    expect(await objectParts(world.ref(), { maxEntries: 10 }, signal)).toBeUndefined();
  },
};

function sha256(bytes: Buffer): Checksum {
  return { algorithm: 'SHA256', type: 'FULL_OBJECT', value: createHash('sha256').update(bytes).digest('base64') };
}

function shape({ partNumber, sizeBytes, checksum }: Part) {
  return { partNumber, sizeBytes, checksum };
}
