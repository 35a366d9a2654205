// An object's record as the headers of a GET or HEAD answer.
import type { ObjectHead, ObjectInfo } from '../../backends/backend.ts';
import type { Headers } from './answer.ts';
import { checksumHeaders } from './checksum-elements.ts';
import { quoteEtag } from './conditions.ts';
import { encryptionHeaders } from './encryption.ts';
import { S3Error } from './errors.ts';
import { encodeHeader, isHeaderName } from './header-text.ts';
import type { OperationContext } from './operations/operation-context.ts';
import { contentRange } from './range.ts';

/** Status and headers for these bytes of the object. */
export function describeObject(
  context: Pick<OperationContext, 'headers' | 'query' | 'account'>,
  head: ObjectHead,
): { status: number; headers: Record<string, string | undefined>; sizeBytes: number } {
  const { info } = head;
  // An empty object has no bytes a Content-Range could name.
  const range = head.range !== undefined && head.range.end > head.range.start ? head.range : undefined;
  const sizeBytes = range === undefined ? info.sizeBytes : range.end - range.start;
  const headers: Record<string, string | undefined> = { ...recordHeaders(info) };
  headers['Content-Length'] = String(sizeBytes);
  if (range !== undefined) headers['Content-Range'] = contentRange(range, info.sizeBytes);
  if (wantsChecksum(context.headers)) Object.assign(headers, checksumOf(head, range === undefined));
  if (context.query.has('partNumber')) headers['x-amz-mp-parts-count'] = info.partCount?.toString();
  if (context.query.size > 0) Object.assign(headers, overrides(context));
  return { status: range === undefined ? 200 : 206, headers, sizeBytes };
}

/** Clients check a checksum against the bytes they got, so one of the whole object must never go with a part of it. */
function checksumOf({ info, partChecksum }: ObjectHead, isWhole: boolean): Headers {
  if (isWhole) return checksumHeaders(info.checksum);
  // A part's own is over its bytes; the type is the object's.
  return checksumHeaders(partChecksum && { ...partChecksum, type: info.checksum?.type ?? partChecksum.type });
}

export function wantsChecksum(headers: Headers): boolean {
  return headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED';
}

/** By record: what is read often is described once. */
const described = new WeakMap<ObjectInfo, Headers>();

function recordHeaders(info: ObjectInfo): Headers {
  const known = described.get(info);
  if (known !== undefined) return known;
  const headers = describeRecord(info);
  described.set(info, headers);
  return headers;
}

/** With a place for what is of one answer, so that copies of it are filled in and do not grow. */
function describeRecord(info: ObjectInfo): Headers {
  const { headers } = info;
  const described: Headers = {
    'Accept-Ranges': 'bytes',
    'Content-Length': undefined,
    'Content-Range': undefined,
    'x-dfstore-source': undefined,
    'x-dfstore-version-age': undefined,
    ETag: quoteEtag(info.etag),
    'Last-Modified': info.lastModified.toUTCString(),
    'Content-Type': encodeHeader(headers.contentType ?? '') || 'binary/octet-stream',
    'Cache-Control': encoded(headers.cacheControl),
    'Content-Disposition': encoded(headers.contentDisposition),
    'Content-Encoding': encoded(headers.contentEncoding),
    'Content-Language': encoded(headers.contentLanguage),
    Expires: encoded(headers.expires),
    'x-amz-version-id': info.versionId,
    'x-amz-storage-class': info.storageClass === 'STANDARD' ? undefined : info.storageClass,
    'x-amz-tagging-count': info.tagCount === undefined || info.tagCount === 0 ? undefined : String(info.tagCount),
  };
  return { ...described, ...encryptionHeaders(info.encryption), ...metadataHeaders(info.metadata) };
}

/** What cannot stand in a header is left out and counted, as S3 does. */
function metadataHeaders(metadata: ObjectInfo['metadata']): Headers {
  const headers: Record<string, string> = {};
  let missing = 0;
  for (const [name, text] of Object.entries(metadata)) {
    const value = encodeHeader(text);
    if (value !== undefined && isHeaderName(name)) headers[`x-amz-meta-${name}`] = value;
    else missing += 1;
  }
  return missing === 0 ? headers : { ...headers, 'x-amz-missing-meta': String(missing) };
}

const OVERRIDES = {
  'response-content-type': 'Content-Type',
  'response-content-language': 'Content-Language',
  'response-expires': 'Expires',
  'response-cache-control': 'Cache-Control',
  'response-content-disposition': 'Content-Disposition',
  'response-content-encoding': 'Content-Encoding',
} as const;

function overrides(context: Pick<OperationContext, 'query' | 'account'>): Headers {
  const headers: Record<string, string> = {};
  for (const [parameter, name] of Object.entries(OVERRIDES)) {
    const text = context.query.get(parameter);
    if (text === undefined) continue;
    if (context.account === undefined) {
      throw new S3Error(
        'InvalidRequest',
        'Request specific response headers cannot be used for anonymous GET requests.',
      );
    }
    const value = encodeHeader(text);
    if (value === undefined) {
      throw new S3Error('InvalidArgument', undefined, { details: { ArgumentName: parameter, ArgumentValue: text } });
    }
    headers[name] = value;
  }
  return headers;
}

function encoded(text: string | undefined): string | undefined {
  return text === undefined ? undefined : encodeHeader(text);
}
