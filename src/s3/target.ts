// What a request is about: the path, the query, the bucket and the key, each decoded exactly once. Never normalised:
// `//`, `..` and a trailing slash are part of a key, and signatures are over the path as it was sent.
import { checkBucketName } from './bucket-name.ts';
import { S3Error } from './errors.ts';

export interface Target {
  readonly rawPath: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly bucket: string | undefined;
  readonly key: string | undefined;
}

const KEY_MAX_BYTES = 1024;

/** `domain`: requests for <bucket>.<domain> name their bucket in the host; all others in the path. */
export function parseTarget(url: string, host: string | undefined, domain: string | undefined): Target {
  const { rawPath, rawQuery } = splitUrl(url);
  const query = parseQuery(rawQuery);
  const hosted = bucketInHost(host, domain);
  if (hosted !== undefined) {
    checkBucketName(hosted);
    return { rawPath, query, bucket: hosted, key: checkedKey(rawPath.slice(1)) };
  }
  if (rawPath === '/') return { rawPath, query, bucket: undefined, key: undefined };
  const slash = rawPath.indexOf('/', 1);
  const bucket = decode(slash === -1 ? rawPath.slice(1) : rawPath.slice(1, slash));
  checkBucketName(bucket);
  return { rawPath, query, bucket, key: slash === -1 ? undefined : checkedKey(rawPath.slice(slash + 1)) };
}

function splitUrl(url: string): { rawPath: string; rawQuery: string } {
  const path = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = path.indexOf('?');
  const rawPath = mark === -1 ? path : path.slice(0, mark);
  if (rawPath !== '' && !rawPath.startsWith('/')) throw new S3Error('InvalidURI');
  return { rawPath: rawPath === '' ? '/' : rawPath, rawQuery: mark === -1 ? '' : path.slice(mark + 1) };
}

function bucketInHost(host: string | undefined, domain: string | undefined): string | undefined {
  if (host === undefined || domain === undefined) return undefined;
  const name = host.replace(/:\d*$/, '').toLowerCase();
  const ending = `.${domain.toLowerCase()}`;
  return name.endsWith(ending) && name.length > ending.length ? name.slice(0, -ending.length) : undefined;
}

const NO_QUERY: Target['query'] = [];

function parseQuery(rawQuery: string): Target['query'] {
  if (rawQuery === '') return NO_QUERY;
  return rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      // In queries S3 reads '+' as a space, as forms do; in paths it is a plus.
      const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
      return [decode(name.replaceAll('+', '%20')), decode(value.replaceAll('+', '%20'))] as const;
    });
}

const NO_VALUES: ReadonlyMap<string, string> = new Map();

/** The first value of each parameter. */
export function firstValues(query: Target['query']): ReadonlyMap<string, string> {
  if (query.length === 0) return NO_VALUES;
  return new Map([...query].reverse());
}

function checkedKey(rawKey: string): string | undefined {
  if (rawKey === '') return undefined;
  const key = decode(rawKey);
  checkKey(key);
  return key;
}

/** Throws where no origin could keep the key. */
export function checkKey(key: string): void {
  if (key.includes('\0')) throw new S3Error('InvalidArgument', 'Object keys may not contain NUL.');
  const bytes = Buffer.byteLength(key);
  if (bytes > KEY_MAX_BYTES) {
    throw new S3Error('KeyTooLongError', undefined, {
      details: { Size: String(bytes), MaxSizeAllowed: String(KEY_MAX_BYTES) },
    });
  }
}

/** Percent-decodes UTF-8, once. */
export function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new S3Error('InvalidURI', undefined, { cause });
  }
}

/** A key as it stands in URLs and url-encoded listings: everything but RFC 3986's unreserved characters and '/'. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/');
}
