// Between the contract's vocabulary and S3's request and answer fields.
import type { GetObjectCommandOutput, HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import {
  BackendError,
  type ByteRange,
  type Checksum,
  type ChecksumAlgorithm,
  type ChecksumType,
  type ObjectAttributes,
  type ObjectHeaders,
  type ObjectInfo,
  type RangeRequest,
  type WriteConditions,
} from '../backend.ts';
import { toEncryptionInfo } from './encryption.ts';
import { decodeMetadata, encodeMetadata } from './metadata.ts';

interface ChecksumFields {
  ChecksumCRC32?: string | undefined;
  ChecksumCRC32C?: string | undefined;
  ChecksumCRC64NVME?: string | undefined;
  ChecksumSHA1?: string | undefined;
  ChecksumSHA256?: string | undefined;
}

const CHECKSUM_FIELDS = {
  CRC32: 'ChecksumCRC32',
  CRC32C: 'ChecksumCRC32C',
  CRC64NVME: 'ChecksumCRC64NVME',
  SHA1: 'ChecksumSHA1',
  SHA256: 'ChecksumSHA256',
} as const satisfies Record<ChecksumAlgorithm, keyof ChecksumFields>;

export const CHECKSUM_ALGORITHMS = Object.keys(CHECKSUM_FIELDS) as ChecksumAlgorithm[];

export function toChecksumFields(checksum: Checksum | undefined): ChecksumFields {
  return checksum === undefined ? {} : { [CHECKSUM_FIELDS[checksum.algorithm]]: checksum.value };
}

/** Older servers tell no type; a composite value then shows by its count of parts. */
export function toChecksum(fields: ChecksumFields & { ChecksumType?: string | undefined }): Checksum | undefined {
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = fields[CHECKSUM_FIELDS[algorithm]];
    if (value === undefined) continue;
    const type = toChecksumType(fields.ChecksumType) ?? (value.includes('-') ? 'COMPOSITE' : 'FULL_OBJECT');
    return { algorithm, value, type };
  }
  return undefined;
}

export function toAlgorithm(name: string | undefined): ChecksumAlgorithm | undefined {
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name);
}

export function toChecksumType(name: string | undefined): ChecksumType | undefined {
  return name === 'FULL_OBJECT' || name === 'COMPOSITE' ? name : undefined;
}

/** Unquoted; lower-case where it is hexadecimal. */
export function toEtag(quoted: string | undefined): string {
  const etag = (quoted ?? '').replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
  return /^[0-9a-f]{32}(-\d+)?$/i.test(etag) ? etag.toLowerCase() : etag;
}

export function quoted(etag: string): string {
  return `"${etag}"`;
}

/** Without quotes, as in S3's own examples: some servers compare what they are given to the letter. */
export function toConditionFields(conditions: WriteConditions | undefined): { IfMatch?: string; IfNoneMatch?: string } {
  return {
    ...(conditions?.ifMatch !== undefined && { IfMatch: conditions.ifMatch }),
    ...(conditions?.ifNoneMatch !== undefined && { IfNoneMatch: conditions.ifNoneMatch }),
  };
}

export function toAttributeFields({ headers, metadata, storageClass, tags }: ObjectAttributes) {
  return {
    ...toHeaderFields(headers),
    Metadata: encodeMetadata(metadata),
    ...(storageClass !== undefined && { StorageClass: storageClass as 'STANDARD' }),
    ...(tags !== undefined && Object.keys(tags).length > 0 && { Tagging: toTagging(tags) }),
  };
}

/** Some servers take a '+' for itself. */
export function toTagging(tags: Readonly<Record<string, string>>): string {
  return new URLSearchParams(tags).toString().replaceAll('+', '%20');
}

/** Header values are bytes, a character each; the request handler writes text as UTF-8. `expires` goes as it is. */
function toHeaderFields(headers: ObjectHeaders) {
  return {
    ...(headers.contentType !== undefined && { ContentType: toText(headers.contentType) }),
    ...(headers.cacheControl !== undefined && { CacheControl: toText(headers.cacheControl) }),
    ...(headers.contentDisposition !== undefined && { ContentDisposition: toText(headers.contentDisposition) }),
    ...(headers.contentEncoding !== undefined && { ContentEncoding: toText(headers.contentEncoding) }),
    ...(headers.contentLanguage !== undefined && { ContentLanguage: toText(headers.contentLanguage) }),
  };
}

function toText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  throw new BackendError('InvalidArgument', 'A header value is neither ASCII nor UTF-8; an S3 origin cannot keep it.');
}

type HeadFields = Pick<
  HeadObjectCommandOutput & GetObjectCommandOutput,
  keyof HeadObjectCommandOutput & keyof GetObjectCommandOutput
>;

/** `sizeBytes` is the whole object's, whatever part of it the answer is about. */
export function toInfo(key: string, fields: HeadFields, sizeBytes: number): ObjectInfo {
  const etag = toEtag(fields.ETag);
  const weak = etag === '' || fields.ETag?.startsWith('W/') === true;
  return {
    key,
    sizeBytes,
    etag,
    lastModified: fields.LastModified ?? new Date(0),
    headers: {
      contentType: fields.ContentType,
      cacheControl: fields.CacheControl,
      contentDisposition: fields.ContentDisposition,
      contentEncoding: fields.ContentEncoding,
      contentLanguage: fields.ContentLanguage,
      expires: fields.ExpiresString,
    },
    metadata: decodeMetadata(fields.Metadata),
    storageClass: fields.StorageClass,
    versionId: fields.VersionId,
    checksum: toChecksum(fields),
    partCount: fields.PartsCount,
    tagCount: fields.TagCount,
    encryption: toEncryptionInfo(fields),
    identity: weak ? 'none' : 'strong',
  };
}

/** Which version to look at after a write. 'null' is told by servers without versioning that then do not know it. */
export function writtenVersion(versionId: string | undefined): { versionId?: string } {
  return versionId === undefined || versionId === 'null' ? {} : { versionId };
}

/** RFC 9110 §14.1.1, inclusive. */
export function toRangeHeader(range: RangeRequest): string {
  if ('suffixBytes' in range) {
    if (range.suffixBytes <= 0) throw noBytes();
    return `bytes=-${range.suffixBytes}`;
  }
  if (range.end !== undefined && range.end <= range.start) throw noBytes();
  return range.end === undefined ? `bytes=${range.start}-` : `bytes=${range.start}-${range.end - 1}`;
}

/** RFC 9110 §14.4. Undefined: the answer is the whole object. */
export function fromContentRange(header: string | undefined): (ByteRange & { sizeBytes: number }) | undefined {
  if (header === undefined) return undefined;
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header) ?? [];
  if (first === undefined || last === undefined || size === undefined) {
    throw new BackendError('Unavailable', `The origin answered with a Content-Range that says nothing: '${header}'.`);
  }
  return { start: Number(first), end: Number(last) + 1, sizeBytes: Number(size) };
}

function noBytes(): BackendError {
  return new BackendError('InvalidRange', 'The range names no byte.');
}
