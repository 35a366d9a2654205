// Multipart uploads.
import { randomUUID } from 'node:crypto';
import { encodingElement } from './bucket-routes.ts';
import { type Call, Refused } from './call.ts';
import { compareNames, entriesOf, escaped, nameWriter, unescapedXml } from './documents.ts';
import { crcHeader, type FindBucket, keptHeaders, keyOf, quoted, sourceObject } from './object-routes.ts';
import { assembledObject, type StoredBucket, type StoredObject, type StoredUpload, storedObject } from './store.ts';
import { versionHeader } from './version-routes.ts';

export function createUpload(call: Call, bucket: StoredBucket): void {
  const key = keyOf(call);
  const id = randomUUID().replaceAll('-', '').toUpperCase();
  bucket.uploads.set(id, { id, key, initiated: new Date(), headers: keptHeaders(call), parts: new Map() });
  call.answerXml(
    `<InitiateMultipartUploadResult><Bucket>${bucket.name}</Bucket><Key>${escaped(key)}</Key>` +
      `<UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
  );
}

export async function uploadPart(call: Call, bucket: StoredBucket, find: FindBucket): Promise<void> {
  const upload = pendingUpload(call, bucket);
  const number = call.integer('partNumber', 0);
  if (number < 1 || number > 10_000) throw new Refused(400, 'InvalidArgument');
  const source = call.own('copy-source');
  if (source === undefined) {
    const bytes = await call.body();
    const part = storedObject(bytes, {});
    pendingUpload(call, bucket).parts.set(number, part);
    return call.answer(200, { ETag: quoted(call, part), ...crcHeader(call, part) });
  }
  const part = storedObject(sourceBytes(call, sourceObject(call, source, find)), {});
  upload.parts.set(number, part);
  call.answerXml(
    `<CopyPartResult><LastModified>${part.modified.toISOString()}</LastModified>` +
      `<ETag>${escaped(quoted(call, part))}</ETag></CopyPartResult>`,
  );
}

function sourceBytes(call: Call, source: StoredObject): Buffer {
  const range = call.own('copy-source-range');
  if (range === undefined) return source.bytes;
  const match = /^bytes=(\d+)-(\d+)$/.exec(range);
  const [start, end] = [Number(match?.[1]), Number(match?.[2]) + 1];
  if (match === null || end > source.bytes.length) throw new Refused(416, 'InvalidRange');
  return source.bytes.subarray(start, end);
}

export function listParts(call: Call, bucket: StoredBucket): void {
  const upload = pendingUpload(call, bucket);
  const after = call.integer('part-number-marker', 0);
  const parts = [...upload.parts].filter(([number]) => number > after).sort(([one], [other]) => one - other);
  const page = parts.slice(0, Math.min(1_000, call.integer('max-parts', 1_000)));
  const listed = page.map(
    ([number, part]) =>
      `<Part><PartNumber>${number}</PartNumber><LastModified>${part.modified.toISOString()}</LastModified>` +
      `<ETag>${escaped(quoted(call, part))}</ETag><Size>${part.bytes.length}</Size></Part>`,
  );
  call.answerXml(
    `<ListPartsResult><UploadId>${upload.id}</UploadId><NextPartNumberMarker>${page.at(-1)?.[0] ?? after}</NextPartNumberMarker>` +
      `<IsTruncated>${page.length < parts.length}</IsTruncated>${listed.join('')}</ListPartsResult>`,
  );
}

export function listUploads(call: Call, bucket: StoredBucket): void {
  const [keyMarker, idMarker] = [call.query.get('key-marker') ?? '', call.query.get('upload-id-marker') ?? ''];
  const items = [...bucket.uploads.values()].sort(uploadOrder).filter(({ key, id }) => {
    const order = compareNames(key, keyMarker);
    return order > 0 || (order === 0 && idMarker !== '' && isLater(bucket, id, idMarker));
  });
  const pairs = items.map((upload) => [upload.key, upload] as const);
  const entries = entriesOf(pairs, call.query.get('prefix') ?? '', call.query.get('delimiter') ?? '').filter(
    ({ name, item }) => item !== undefined || name !== keyMarker,
  );
  const page = entries.slice(0, Math.min(1_000, call.integer('max-uploads', 1_000)));
  const write = nameWriter(call.query.get('encoding-type'));
  const listed = page.map(({ name, item }) =>
    item === undefined
      ? `<CommonPrefixes><Prefix>${write(name)}</Prefix></CommonPrefixes>`
      : `<Upload><Key>${write(name)}</Key><UploadId>${item.id}</UploadId><Initiated>${item.initiated.toISOString()}</Initiated></Upload>`,
  );
  const last = page.at(-1);
  const markers = `<NextKeyMarker>${write(last?.name ?? '')}</NextKeyMarker><NextUploadIdMarker>${last?.item?.id ?? ''}</NextUploadIdMarker>`;
  const truncated = page.length < entries.length;
  call.answerXml(
    `<ListMultipartUploadsResult>${encodingElement(call)}${truncated ? markers : ''}` +
      `<IsTruncated>${truncated}</IsTruncated>${listed.join('')}</ListMultipartUploadsResult>`,
  );
}

function uploadOrder(one: StoredUpload, other: StoredUpload): number {
  return compareNames(one.key, other.key) || one.initiated.getTime() - other.initiated.getTime();
}

/** Uploads of one key are in the order they were begun, which is the order of the map. */
function isLater(bucket: StoredBucket, id: string, marker: string): boolean {
  const ids = [...bucket.uploads.keys()];
  return ids.indexOf(id) > ids.indexOf(marker);
}

export async function completeUpload(call: Call, bucket: StoredBucket): Promise<void> {
  pendingUpload(call, bucket);
  const document = (await call.body()).toString('utf8');
  const upload = pendingUpload(call, bucket);
  const listed = [...document.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)];
  if (listed.length === 0) throw new Refused(400, 'MalformedXML');
  const parts = listed.map(([, number, etag = '']) => {
    const part = upload.parts.get(Number(number));
    if (part === undefined || quoted(call, part) !== unescapedXml(etag)) throw new Refused(400, 'InvalidPart');
    return part;
  });
  const numbers = listed.map(([, number]) => Number(number));
  if (numbers.some((number, index) => number <= (numbers[index - 1] ?? 0))) throw new Refused(400, 'InvalidPartOrder');
  if (parts.slice(0, -1).some(({ bytes }) => bytes.length < call.flavour.partMinBytes)) {
    throw new Refused(400, 'EntityTooSmall');
  }
  if (call.own('forbid-overwrite') === 'true' && bucket.objects.has(upload.key)) {
    throw new Refused(409, 'FileAlreadyExists');
  }
  const object = assembledObject(parts, upload.headers);
  const id = bucket.versions.put(upload.key, object);
  for (const [name, value] of Object.entries(versionHeader(call, id))) call.response.setHeader(name, value);
  bucket.uploads.delete(upload.id);
  call.answerXml(
    `<CompleteMultipartUploadResult><Key>${escaped(upload.key)}</Key><ETag>${escaped(quoted(call, object))}</ETag></CompleteMultipartUploadResult>`,
  );
}

export function abortUpload(call: Call, bucket: StoredBucket): void {
  bucket.uploads.delete(pendingUpload(call, bucket).id);
  call.answer(204);
}

function pendingUpload(call: Call, bucket: StoredBucket): StoredUpload {
  const upload = bucket.uploads.get(call.query.get('uploadId') ?? '');
  if (upload === undefined || upload.key !== keyOf(call)) throw new Refused(404, 'NoSuchUpload');
  return upload;
}
