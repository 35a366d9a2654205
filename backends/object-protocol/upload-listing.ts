// Listings of pending uploads and of their parts.
import type { ListUploadsOptions, Part, PartListOptions, PartListPage, UploadListPage, UploadRef } from '../backend.ts';
import { decoder } from './listing.ts';
import { readEtag, readStorageClass } from './object-headers.ts';
import type { OriginClient } from './origin-client.ts';
import { names } from './writes.ts';

export async function listParts(
  client: OriginClient,
  upload: UploadRef,
  options: PartListOptions,
  signal: AbortSignal,
): Promise<PartListPage> {
  const query = {
    uploadId: upload.uploadId,
    'max-parts': String(options.maxEntries),
    ...(options.after === undefined ? {} : { 'part-number-marker': String(options.after) }),
  };
  const { root } = await client.document({ method: 'GET', ...names(upload), query }, 'ListPartsResult', signal);
  const parts = root.all('Part').map((part) => ({
    partNumber: part.integer('PartNumber'),
    sizeBytes: part.integer('Size'),
    etag: readEtag(client.dialect, part.required('ETag')),
    lastModified: part.date('LastModified'),
  }));
  return {
    parts,
    storageClass: readStorageClass(client.dialect, root.text('StorageClass')),
    ...(root.isTrue('IsTruncated') ? { nextAfter: parts.at(-1)?.partNumber } : {}),
  };
}

/** At most 10,000, by the protocol. */
export async function listAllParts(client: OriginClient, upload: UploadRef, signal: AbortSignal): Promise<Part[]> {
  const parts: Part[] = [];
  let after: number | undefined;
  do {
    const page = await listParts(client, upload, { after, maxEntries: 1_000 }, signal);
    parts.push(...page.parts);
    after = page.nextAfter;
  } while (after !== undefined);
  return parts;
}

export async function listUploads(
  client: OriginClient,
  bucket: string,
  options: ListUploadsOptions,
  signal: AbortSignal,
): Promise<UploadListPage> {
  const query = {
    uploads: '',
    ...(client.dialect.encodesUploads ? { 'encoding-type': 'url' } : {}),
    'max-uploads': String(options.maxEntries),
    ...(options.prefix ? { prefix: options.prefix } : {}),
    ...(options.delimiter ? { delimiter: options.delimiter } : {}),
    ...(options.keyMarker ? { 'key-marker': options.keyMarker } : {}),
    ...(options.keyMarker && options.uploadIdMarker ? { 'upload-id-marker': options.uploadIdMarker } : {}),
  };
  const { root } = await client.document({ method: 'GET', bucket, query }, 'ListMultipartUploadsResult', signal);
  const text = decoder(root);
  const uploads = root.all('Upload').map((upload) => ({
    key: text(upload.required('Key')),
    uploadId: upload.required('UploadId'),
    initiated: upload.date('Initiated'),
    storageClass: readStorageClass(client.dialect, upload.text('StorageClass')),
  }));
  const prefixes = root.all('CommonPrefixes').map((entry) => text(entry.required('Prefix')));
  if (!root.isTrue('IsTruncated')) return { uploads, prefixes };
  const keyMarker = text(root.required('NextKeyMarker'));
  const uploadIdMarker = root.text('NextUploadIdMarker');
  return { uploads, prefixes, next: { keyMarker, ...(uploadIdMarker ? { uploadIdMarker } : {}) } };
}
