// Checksums of multipart objects: what the parts' become, and what a client may declare when it completes.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect } from 'vitest';
import type { Checksum, ChecksumAlgorithm, ChecksumType, CompletedPart, UploadRef } from '../../../backends/backend.ts';
import { uploadBody } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { threeParts } from './multipart.ts';
import { NO_ATTRIBUTES, rejection, type World } from './world.ts';

export const checksumPromises: Record<string, ContractPromise> = {
  'checksums of parts become the composite checksum of the object': async (world) => {
    const bodies = threeParts(world);
    const { upload, parts } = await sent(world, bodies, 'SHA256', 'COMPOSITE');
    const listed = await world.multipart.listParts(upload, { maxEntries: 10 }, world.signal);
    expect(listed).toMatchObject({ checksumAlgorithm: 'SHA256', checksumType: 'COMPOSITE' });
    expect(listed.parts.map((part) => part.checksum?.value)).toEqual(
      bodies.map((bytes) => sha256(bytes).toString('base64')),
    );
    await world.multipart.completeUpload(upload, parts, {}, world.signal);
    const value = `${sha256(Buffer.concat(bodies.map(sha256))).toString('base64')}-3`;
    expect(await checksumOf(world, upload)).toEqual({ algorithm: 'SHA256', value, type: 'COMPOSITE' });
    const head = await world.backend.head(upload, { partNumber: 2 }, world.signal);
    // Origins that keep no checksum of each part give none with it.
    if (head.partChecksum !== undefined) expect(head.partChecksum.value).toBe(parts[1]?.checksum?.value);
  },

  'checksums of parts become the full-object checksum, and a wrong one declared is BadDigest': async (world) => {
    const bodies = threeParts(world);
    const { upload, parts } = await sent(world, bodies, 'CRC32', 'FULL_OBJECT');
    const whole = Buffer.concat(bodies);
    const checksum: Checksum = { algorithm: 'CRC32', value: crc(whole), type: 'FULL_OBJECT' };
    const wrong = { checksum: { ...checksum, value: crc(Buffer.from('other')) } };
    await rejection(world.multipart.completeUpload(upload, parts, wrong, world.signal), 'BadDigest');
    expect(await world.exists(upload)).toBe(false);
    const right = { checksum, sizeBytes: whole.length };
    await world.multipart.completeUpload(upload, parts, right, world.signal);
    expect(await checksumOf(world, upload)).toEqual(checksum);
  },

  'a complete that declares another size commits nothing': async (world) => {
    const bodies = threeParts(world);
    const { upload, parts } = await sent(world, bodies, 'CRC32', 'FULL_OBJECT');
    const wrong = { sizeBytes: Buffer.concat(bodies).length + 1 };
    await rejection(world.multipart.completeUpload(upload, parts, wrong, world.signal), 'BadDigest');
    expect(await world.exists(upload)).toBe(false);
    await world.multipart.abortUpload(upload, world.signal);
  },
};

async function sent(
  world: World,
  bodies: readonly Buffer[],
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
): Promise<{ upload: UploadRef; parts: CompletedPart[] }> {
  world.needs(world.capabilities.checksums.includes(algorithm), `${algorithm} checksums`);
  const ref = world.ref();
  const options = { ...NO_ATTRIBUTES, checksumAlgorithm: algorithm, checksumType: type };
  const upload = { ...ref, uploadId: await world.multipart.createUpload(ref, options, world.signal) };
  const parts: CompletedPart[] = [];
  for (const [index, bytes] of bodies.entries()) {
    const value = algorithm === 'CRC32' ? crc(bytes) : sha256(bytes).toString('base64');
    const checksum: Checksum = { algorithm, value, type: 'FULL_OBJECT' };
    const body = uploadBody(bytes, { checksum });
    const { etag } = await world.multipart.uploadPart(upload, index + 1, body, world.signal);
    parts.push({ partNumber: index + 1, etag, checksum });
  }
  return { upload, parts };
}

async function checksumOf(world: World, upload: UploadRef): Promise<Checksum | undefined> {
  const { bucket, key } = upload;
  return (await world.backend.head({ bucket, key }, {}, world.signal)).info.checksum;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function crc(bytes: Uint8Array): string {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return digest.toString('base64');
}
