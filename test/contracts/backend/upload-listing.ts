// What is told of uploads under way: their parts, and the uploads of a bucket.
import { expect } from 'vitest';
import type { ListUploadsOptions, Part, PendingUpload } from '../../../backends/backend.ts';
import { md5 } from '../../support/upload-body.ts';
import type { ContractPromise } from '../backend.ts';
import { begin, sendPart } from './multipart.ts';
import { byBytes, type World } from './world.ts';

export const uploadListingPromises: Record<string, ContractPromise> = {
  'parts are listed by number, page by page': async (world) => {
    const upload = await begin(world, world.ref());
    const numbers = [7, 1, 30, 2, 12];
    for (const number of numbers) await sendPart(world, upload, number, Buffer.alloc(number, 'p'));
    const parts: Part[] = [];
    let after: number | undefined;
    do {
      const page = await world.multipart.listParts(upload, { after, maxEntries: 2 }, world.signal);
      expect(page.parts.length).toBeLessThanOrEqual(2);
      parts.push(...page.parts);
      after = page.nextAfter;
    } while (after !== undefined);
    expect(parts.map((part) => part.partNumber)).toEqual([1, 2, 7, 12, 30]);
    for (const part of parts) {
      expect(part.sizeBytes).toBe(part.partNumber);
      if (world.capabilities.etag === 'md5') {
        expect(part.etag).toBe(md5(Buffer.alloc(part.partNumber, 'p')).toString('hex'));
      }
    }
    await world.multipart.abortUpload(upload, world.signal);
  },

  'uploads under way are listed by key and then by age, page by page': async (world) => {
    const corner = world.corner();
    const begun: { key: string; uploadId: string }[] = [];
    for (const name of ['b', 'a/1', 'b', 'a/2', 'c', 'é', 'b']) {
      const { key, uploadId } = await begin(world, { bucket: world.bucket, key: corner + name });
      begun.push({ key, uploadId });
    }
    const expected = begun.toSorted((a, b) => byBytes(a.key, b.key));
    const all = await uploadPages(world, { prefix: corner, maxEntries: 2 });
    expect(all.uploads.map((upload) => upload.key)).toEqual(expected.map((upload) => upload.key));
    expect(new Set(all.uploads.map((upload) => upload.uploadId))).toEqual(new Set(begun.map((one) => one.uploadId)));
    const rolled = await uploadPages(world, { prefix: corner, delimiter: '/', maxEntries: 1 });
    expect(rolled.prefixes).toEqual([`${corner}a/`]);
    expect(rolled.uploads.map((upload) => upload.key)).toEqual(['b', 'b', 'b', 'c', 'é'].map((name) => corner + name));
    for (const one of begun) await world.multipart.abortUpload({ bucket: world.bucket, ...one }, world.signal);
    const after = await world.multipart.listUploads(world.bucket, { prefix: corner, maxEntries: 10 }, world.signal);
    expect(after).toMatchObject({ uploads: [], prefixes: [] });
  },
};

async function uploadPages(
  world: World,
  options: ListUploadsOptions,
): Promise<{ uploads: PendingUpload[]; prefixes: string[] }> {
  const found = { uploads: [] as PendingUpload[], prefixes: [] as string[] };
  let markers: { keyMarker?: string; uploadIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await world.multipart.listUploads(world.bucket, { ...options, ...markers }, world.signal);
    expect(page.uploads.length + page.prefixes.length).toBeLessThanOrEqual(options.maxEntries);
    found.uploads.push(...page.uploads);
    found.prefixes.push(...page.prefixes);
    if (page.next === undefined) return found;
    markers = page.next;
  }
}
