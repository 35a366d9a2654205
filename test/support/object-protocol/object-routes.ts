// GET, HEAD, PUT and DELETE of objects, copies and tags.
import { type Call, Refused } from './call.ts';
import { escaped } from './documents.ts';
import { type StoredBucket, type StoredObject, storedObject } from './store.ts';
import { findVersion, versionHeader, versionHeaderOf } from './version-routes.ts';

export type FindBucket = (name: string) => StoredBucket;

export function keyOf(call: Call): string {
  const key = call.key ?? '';
  if (Buffer.byteLength(key) > call.flavour.keyMaxBytes || call.flavour.refusesKey?.test(key)) {
    throw new Refused(400, call.flavour.name === 'oss' ? 'InvalidObjectName' : 'KeyTooLong');
  }
  return key;
}

export function readObject(call: Call, bucket: StoredBucket): void {
  const key = keyOf(call);
  const object = findVersion(call, bucket, key);
  if (call.query.has('tagging')) {
    call.answerXml(tagDocument(object.headers[`${call.flavour.prefix}tagging`]));
    return;
  }
  const verdict = conditionVerdict(call, object, '');
  if (verdict === 412) throw new Refused(412, 'PreconditionFailed');
  const told = { ...objectHeaders(call, object), ...versionHeaderOf(call, bucket, key, object) };
  if (verdict === 304) {
    call.answer(304, told);
    return;
  }
  const size = object.bytes.length;
  const range = call.method === 'GET' ? requestedRange(call, size) : undefined;
  if (range === undefined) {
    call.answer(200, { ...told, 'Content-Length': size }, object.bytes);
    return;
  }
  const [start, end] = range;
  const headers = { ...told, 'Content-Length': end - start, 'Content-Range': `bytes ${start}-${end - 1}/${size}` };
  call.answer(206, headers, object.bytes.subarray(start, end));
}

export async function writeObject(call: Call, bucket: StoredBucket, find: FindBucket): Promise<void> {
  const key = keyOf(call);
  const forbids = call.flavour.name === 'oss' && call.own('forbid-overwrite') === 'true';
  if (forbids && bucket.objects.has(key)) throw new Refused(409, 'FileAlreadyExists');
  const source = call.own('copy-source');
  if (source !== undefined) return copyObject(call, bucket, sourceObject(call, source, find));
  const bytes = await call.body();
  if (forbids && bucket.objects.has(key)) throw new Refused(409, 'FileAlreadyExists');
  const object = storedObject(bytes, keptHeaders(call));
  const id = bucket.versions.put(key, object);
  call.answer(200, { ETag: quoted(call, object), ...crcHeader(call, object), ...versionHeader(call, id) });
}

export function deleteObject(call: Call, bucket: StoredBucket): void {
  const [key, id] = [keyOf(call), call.query.get('versionId')];
  const marker = { [`${call.flavour.prefix}delete-marker`]: 'true' };
  if (id !== undefined && bucket.versions.status !== undefined) {
    const removed = bucket.versions.remove(key, id);
    const isMarker = removed !== undefined && removed.object === undefined;
    call.answer(204, { ...versionHeader(call, id), ...(isMarker ? marker : {}) });
    return;
  }
  const made = bucket.versions.put(key, undefined);
  call.answer(204, made === undefined ? {} : { ...versionHeader(call, made), ...marker });
}

function copyObject(call: Call, bucket: StoredBucket, source: StoredObject): void {
  const replaces = call.own('metadata-directive') === 'REPLACE';
  const { prefix } = call.flavour;
  const tags = call.own('tagging-directive') === 'Replace' ? call.own('tagging') : source.headers[`${prefix}tagging`];
  const storageClass = call.own('storage-class');
  const { [`${prefix}tagging`]: _, ...kept } = replaces ? keptHeaders(call) : source.headers;
  const object = storedObject(source.bytes, {
    ...kept,
    ...(tags === undefined ? {} : { [`${prefix}tagging`]: tags }),
    ...(storageClass === undefined ? {} : { [`${prefix}storage-class`]: storageClass }),
  });
  const id = bucket.versions.put(keyOf(call), object);
  for (const [name, value] of Object.entries(versionHeader(call, id))) call.response.setHeader(name, value);
  call.answerXml(
    `<CopyObjectResult><ETag>${escaped(quoted(call, object))}</ETag>` +
      `<LastModified>${object.modified.toISOString()}</LastModified></CopyObjectResult>`,
  );
}

export function sourceObject(call: Call, source: string, find: FindBucket): StoredObject {
  const match = /^\/?([^/]+)\/([^?]+)(?:\?versionId=(.+))?$/.exec(source);
  if (match === null) throw new Refused(400, 'InvalidArgument');
  const bucket = find(match[1] ?? '');
  const key = decodeURIComponent(match[2] ?? '');
  const version = bucket.versions.of(key).find(({ id }) => id === decodeURIComponent(match[3] ?? ''));
  const object = match[3] === undefined ? bucket.objects.get(key) : version?.object;
  if (object === undefined) throw new Refused(404, 'NoSuchKey');
  if (conditionVerdict(call, object, `${call.flavour.prefix}copy-source-`) !== undefined) {
    throw new Refused(412, 'PreconditionFailed');
  }
  return object;
}

export function quoted(call: Call, object: Pick<StoredObject, 'etag'>): string {
  return `"${call.flavour.etag(object)}"`;
}

export function crcHeader(call: Call, object: StoredObject): Record<string, string> {
  return call.flavour.tellsCrc64 ? { 'x-oss-hash-crc64ecma': object.crc64 } : {};
}

/** What an object keeps of the headers it was put with. */
export function keptHeaders(call: Call): Record<string, string> {
  const { prefix } = call.flavour;
  const names = [
    'content-type',
    'cache-control',
    'content-disposition',
    'content-encoding',
    'content-language',
    'expires',
  ];
  const own = [`${prefix}meta-`, `${prefix}tagging`, `${prefix}storage-class`];
  return Object.fromEntries(
    Object.entries(call.headers).filter(
      ([name]) => names.includes(name) || (own.some((start) => name.startsWith(start)) && !name.endsWith('-directive')),
    ),
  );
}

/** Compared as they are written: OSS's are upper-case. */
function conditionVerdict(call: Call, object: StoredObject, prefix: string): 304 | 412 | undefined {
  const modified = object.modified.getTime();
  const etag = quoted(call, object);
  const match = call.header(`${prefix}if-match`);
  const unmodifiedSince = call.header(`${prefix}if-unmodified-since`);
  if (match !== undefined && match !== etag) return 412;
  if (unmodifiedSince !== undefined && modified > Date.parse(unmodifiedSince)) return 412;
  const noneMatch = call.header(`${prefix}if-none-match`);
  const modifiedSince = call.header(`${prefix}if-modified-since`);
  if (noneMatch !== undefined && noneMatch === etag) return 304;
  if (modifiedSince !== undefined && modified <= Date.parse(modifiedSince)) return 304;
  return undefined;
}

function objectHeaders(call: Call, object: StoredObject): Record<string, string> {
  const { prefix, standardClass } = call.flavour;
  const { [`${prefix}tagging`]: tags, ...kept } = object.headers;
  return {
    [`${prefix}storage-class`]: standardClass,
    ...kept,
    ...(tags === undefined ? {} : { [`${prefix}tagging-count`]: String(tags.split('&').length) }),
    ...crcHeader(call, object),
    ETag: quoted(call, object),
    'Last-Modified': object.modified.toUTCString(),
    'Accept-Ranges': 'bytes',
  };
}

/** Half-open. Without 'standard' OSS answers the whole object to a range it cannot satisfy. */
function requestedRange(call: Call, size: number): [number, number] | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(call.header('range') ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (start < end) return [start, end];
  if (call.flavour.name === 'oss' && call.own('range-behavior') !== 'standard') return undefined;
  throw new Refused(416, 'InvalidRange');
}

function tagDocument(tags: string | undefined): string {
  const pairs = (tags ?? '').split('&').filter((pair) => pair !== '');
  const written = pairs.map((pair) => {
    const [key = '', value = ''] = pair.split('=').map(decodeURIComponent);
    return `<Tag><Key>${escaped(key)}</Key><Value>${escaped(value)}</Value></Tag>`;
  });
  return `<Tagging><TagSet>${written.join('')}</TagSet></Tagging>`;
}
