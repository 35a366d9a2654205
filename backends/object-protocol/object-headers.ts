// An object's record as headers, both ways.
import type { IncomingHttpHeaders } from 'node:http';
import {
  BackendError,
  type ObjectAttributes,
  type ObjectHeaders,
  type ObjectInfo,
  type ReadConditions,
  type ToldInfo,
} from '../backend.ts';
import type { Dialect } from './dialect.ts';
import { oneHeader } from './one-header.ts';

/** S3's default, set always: the SDKs would guess one from the key otherwise. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

const KEPT: Readonly<Record<keyof ObjectHeaders, string>> = {
  contentType: 'content-type',
  cacheControl: 'cache-control',
  contentDisposition: 'content-disposition',
  contentEncoding: 'content-encoding',
  contentLanguage: 'content-language',
  expires: 'expires',
};

export function attributeHeaders(dialect: Dialect, attributes: ObjectAttributes): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': contentType(attributes.headers.contentType) };
  for (const [field, name] of Object.entries(KEPT)) {
    const value = attributes.headers[field as keyof ObjectHeaders];
    if (value !== undefined && field !== 'contentType') headers[name] = Buffer.from(value, 'utf8').toString('latin1');
  }
  for (const [name, value] of Object.entries(attributes.metadata)) {
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
      throw new BackendError('InvalidArgument', `User metadata cannot be named '${name}'.`);
    }
    headers[`${dialect.headerPrefix}meta-${name}`] = encodeText(value);
  }
  return {
    ...headers,
    ...storageClassHeader(dialect, attributes.storageClass),
    ...tagHeader(dialect, attributes.tags),
  };
}

export function storageClassHeader(dialect: Dialect, storageClass: string | undefined): Record<string, string> {
  if (storageClass === undefined) return {};
  const native = dialect.storageClasses[storageClass];
  if (native === undefined) {
    throw new BackendError('InvalidArgument', `${dialect.service} has no storage class like '${storageClass}'.`);
  }
  return { [`${dialect.headerPrefix}storage-class`]: native };
}

export function tagHeader(
  dialect: Dialect,
  tags: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  if (tags === undefined || Object.keys(tags).length === 0) return {};
  const encoded = Object.entries(tags).map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  return { [`${dialect.headerPrefix}tagging`]: encoded.join('&') };
}

/** Only what one origin request can express exactly; checkReadConditions decides the rest on the answer. */
export function conditionHeaders(dialect: Dialect, conditions: ReadConditions | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  if (conditions === undefined) return headers;
  const match = onlyEtag(conditions.ifMatch);
  const noneMatch = onlyEtag(conditions.ifNoneMatch);
  if (match !== undefined) headers['If-Match'] = `"${dialect.etag.native(match)}"`;
  if (noneMatch !== undefined) headers['If-None-Match'] = `"${dialect.etag.native(noneMatch)}"`;
  if (conditions.ifMatch === undefined && conditions.ifUnmodifiedSince !== undefined) {
    headers['If-Unmodified-Since'] = conditions.ifUnmodifiedSince.toUTCString();
  }
  if (conditions.ifNoneMatch === undefined && conditions.ifModifiedSince !== undefined) {
    headers['If-Modified-Since'] = conditions.ifModifiedSince.toUTCString();
  }
  return headers;
}

function onlyEtag(etags: readonly string[] | undefined): string | undefined {
  return etags?.length === 1 && etags[0] !== '*' ? etags[0] : undefined;
}

export function objectInfo(dialect: Dialect, key: string, headers: IncomingHttpHeaders, sizeBytes: number): ObjectInfo {
  const etag = readEtag(dialect, oneHeader(headers, 'etag') ?? '');
  const tagCount = oneHeader(headers, `${dialect.headerPrefix}tagging-count`);
  return {
    key,
    sizeBytes,
    etag,
    lastModified: lastModified(headers),
    storageClass: readStorageClass(dialect, oneHeader(headers, `${dialect.headerPrefix}storage-class`)),
    headers: keptHeaders(headers),
    metadata: userMetadata(dialect, headers),
    versionId: oneHeader(headers, `${dialect.headerPrefix}version-id`),
    ...(tagCount === undefined ? {} : { tagCount: Number(tagCount) }),
    identity: etag === '' || etag.startsWith('W/') ? 'none' : 'strong',
  };
}

export function readEtag(dialect: Dialect, header: string): string {
  return dialect.etag.outward(header.replace(/^"(.*)"$/s, '$1'));
}

export function readStorageClass(dialect: Dialect, native: string | undefined): string | undefined {
  if (native === undefined) return undefined;
  return Object.entries(dialect.storageClasses).find(([, name]) => name === native)?.[0] ?? native;
}

/** Of an answer that says 'not modified'. */
export function unchangedInfo(dialect: Dialect, headers: IncomingHttpHeaders): ToldInfo | undefined {
  const etag = oneHeader(headers, 'etag');
  if (etag === undefined) return undefined;
  const modified = toldModified(headers);
  return {
    etag: readEtag(dialect, etag),
    ...(modified !== undefined && { lastModified: modified }),
    headers: keptHeaders(headers),
    versionId: oneHeader(headers, `${dialect.headerPrefix}version-id`),
  };
}

function lastModified(headers: IncomingHttpHeaders): Date {
  const date = toldModified(headers);
  if (date === undefined) throw new BackendError('Internal', 'The origin does not tell Last-Modified.');
  return date;
}

function toldModified(headers: IncomingHttpHeaders): Date | undefined {
  const date = new Date(oneHeader(headers, 'last-modified') ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function keptHeaders(headers: IncomingHttpHeaders): ObjectHeaders {
  const kept: Partial<Record<keyof ObjectHeaders, string>> = {};
  for (const [field, name] of Object.entries(KEPT)) {
    const value = oneHeader(headers, name);
    if (value !== undefined) kept[field as keyof ObjectHeaders] = Buffer.from(value, 'latin1').toString('utf8');
  }
  return kept;
}

function userMetadata(dialect: Dialect, headers: IncomingHttpHeaders): Record<string, string> {
  const prefix = `${dialect.headerPrefix}meta-`;
  const metadata: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    if (name.startsWith(prefix)) metadata[name.slice(prefix.length)] = decodeText(oneHeader(headers, name) ?? '');
  }
  return metadata;
}

function contentType(value: string | undefined): string {
  if (value === undefined || value === '') return DEFAULT_CONTENT_TYPE;
  if (/^[\x20-\x7e]+$/.test(value)) return value;
  throw new BackendError('InvalidArgument', 'A Content-Type has printable ASCII characters only.');
}

/** Signed headers carry ASCII; other text goes as an RFC 2047 word, which is also how S3 tells it to clients. */
function encodeText(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value) && value.trim() === value && !value.includes('=?')) return value;
  return `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

function decodeText(value: string): string {
  const word = /^=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=$/i.exec(value);
  const bytes = word === null ? Buffer.from(value, 'latin1') : Buffer.from(word[1] ?? '', 'base64');
  return bytes.toString('utf8');
}
