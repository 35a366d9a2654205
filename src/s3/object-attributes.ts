// What a write says about its object: the headers to keep, metadata, tags, storage class; and which headers ask for
// something that is not offered and so must not be dropped in silence.
import type { Capabilities, ObjectAttributes, ObjectHeaders } from '../../backends/backend.ts';
import { checkAclKept, parseCannedAcl } from './acl.ts';
import { stripAwsChunked } from './body/upload-body.ts';
import { refuseEncryptionNotMeant } from './encryption.ts';
import { S3Error } from './errors.ts';
import { decodeHeader } from './header-text.ts';
import type { OperationName } from './operation.ts';
import { parseTags } from './tagging.ts';

type Headers = Readonly<Record<string, string | undefined>>;

const METADATA_PREFIX = 'x-amz-meta-';
const METADATA_MAX_BYTES = 2048;

export function parseObjectAttributes(headers: Headers, capabilities: Capabilities): ObjectAttributes {
  return {
    headers: parseObjectHeaders(headers),
    metadata: parseMetadata(headers, capabilities.userMetadataMaxBytes),
    storageClass: parseStorageClass(headers['x-amz-storage-class']),
    tags: parseTags(headers['x-amz-tagging']),
    acl: checkAclKept(parseCannedAcl(headers['x-amz-acl']), capabilities),
  };
}

function parseObjectHeaders(headers: Headers): ObjectHeaders {
  const text = (name: string): string | undefined => {
    const value = headers[name];
    return value === undefined || value === '' ? undefined : decodeHeader(value);
  };
  return {
    contentType: text('content-type'),
    cacheControl: text('cache-control'),
    contentDisposition: text('content-disposition'),
    contentEncoding: stripAwsChunked(text('content-encoding')),
    contentLanguage: text('content-language'),
    expires: text('expires'),
  };
}

function parseMetadata(headers: Headers, originMaxBytes: number): Record<string, string> {
  const metadata: [name: string, value: string][] = [];
  let bytes = 0;
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(METADATA_PREFIX) || value === undefined) continue;
    const name = header.slice(METADATA_PREFIX.length);
    const text = decodeHeader(value);
    bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
    metadata.push([name, text]);
  }
  if (metadata.length > 0 && originMaxBytes === 0) {
    throw new S3Error('NotImplemented', "This bucket's backend keeps no user metadata (x-amz-meta-*).");
  }
  const maxBytes = Math.min(METADATA_MAX_BYTES, originMaxBytes);
  if (bytes > maxBytes) {
    throw new S3Error('MetadataTooLarge', undefined, {
      details: { Size: String(bytes), MaxSizeAllowed: String(maxBytes) },
    });
  }
  return Object.fromEntries(metadata);
}

const STORAGE_CLASSES = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'GLACIER_IR',
  'DEEP_ARCHIVE',
  'EXPRESS_ONEZONE',
  'OUTPOSTS',
  'SNOW',
]);

/** The default class is what saying nothing means; whether the origin has another, it says itself. */
function parseStorageClass(text: string | undefined): string | undefined {
  if (text === undefined || text === 'STANDARD') return undefined;
  if (!STORAGE_CLASSES.has(text)) {
    throw new S3Error('InvalidStorageClass', undefined, { details: { StorageClassRequested: text } });
  }
  return text;
}

/** Beginnings of header names that ask for what the gateway does not do. */
const NOT_OFFERED = [
  'x-amz-object-lock-',
  'x-amz-grant-',
  'x-amz-website-redirect-location',
  'x-amz-write-offset-bytes',
];

export function refuseHeadersNotOffered(operation: OperationName, headers: Headers): void {
  for (const name in headers) {
    if (headers[name] === undefined || !name.startsWith('x-amz-')) continue;
    refuseEncryptionNotMeant(operation, name);
    if (NOT_OFFERED.some((beginning) => name.startsWith(beginning))) {
      throw new S3Error('NotImplemented', undefined, { details: { Header: name } });
    }
  }
  if (headers['x-amz-bucket-object-lock-enabled']?.toLowerCase() === 'true') {
    throw new S3Error('NotImplemented', undefined, { details: { Header: 'x-amz-bucket-object-lock-enabled' } });
  }
  // Whatever becomes of it, a word that is no list is never passed over.
  parseCannedAcl(headers['x-amz-acl']);
}
