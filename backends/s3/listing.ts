// Listings of objects, by ListObjectsV2. Keys travel percent-encoded: XML cannot hold every character a key may have.
import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import type { ListOptions, ListPage, ObjectSummary } from '../backend.ts';
import { call } from './calls.ts';
import { toAlgorithm, toChecksumType, toEtag } from './translate.ts';

export async function listObjects(
  client: S3Client,
  bucket: string,
  options: ListOptions,
  signal: AbortSignal,
): Promise<ListPage> {
  const resumed = options.token === undefined ? undefined : afterToken(options.token);
  if (resumed !== undefined)
    return nonEmptyPage(client, bucket, { ...options, token: undefined, startAfter: resumed }, signal);
  const entered = options.token === undefined ? enteredPrefix(options) : undefined;
  if (entered === undefined) return nonEmptyPage(client, bucket, options, signal);
  return pageFromWithin(client, bucket, options, entered, signal);
}

/** The common prefix beneath which a listing is to start. Undefined: it starts between entries. */
function enteredPrefix({ prefix = '', delimiter, startAfter }: ListOptions): string | undefined {
  if (!delimiter || !startAfter?.startsWith(prefix)) return undefined;
  const at = startAfter.indexOf(delimiter, prefix.length);
  const common = at === -1 ? undefined : startAfter.slice(0, at + delimiter.length);
  return common === startAfter ? undefined : common;
}

/**
 * Servers disagree on whether a prefix is told when the listing starts in its midst. It is when a key beneath it
 * follows the start: asked for by itself, then the listing goes on after the prefix.
 */
async function pageFromWithin(
  client: S3Client,
  bucket: string,
  options: ListOptions,
  entered: string,
  signal: AbortSignal,
): Promise<ListPage> {
  const { maxEntries, startAfter } = options;
  const beneath = await onePage(client, bucket, { prefix: entered, startAfter, maxEntries: 1 }, signal);
  const after = { ...options, startAfter: entered };
  if (beneath.objects.length === 0) return nonEmptyPage(client, bucket, after, signal);
  const rest = await nonEmptyPage(client, bucket, { ...after, maxEntries: Math.max(1, maxEntries - 1) }, signal);
  if (maxEntries > 1) return { ...rest, prefixes: [entered, ...rest.prefixes] };
  const hasMore = rest.objects.length > 0 || rest.prefixes.length > 0;
  return { objects: [], prefixes: [entered], ...(hasMore && { nextToken: tokenAfter(entered) }) };
}

/** Our own kind of token, where the server has given none: where to start after. */
const TOKEN_AFTER = 'dfstore-after:';

function tokenAfter(key: string): string {
  return `${TOKEN_AFTER}${Buffer.from(key, 'utf8').toString('base64url')}`;
}

function afterToken(token: string): string | undefined {
  if (!token.startsWith(TOKEN_AFTER)) return undefined;
  return Buffer.from(token.slice(TOKEN_AFTER.length), 'base64url').toString('utf8');
}

/** A page may come back empty although more follows, because of what is left out of it. */
async function nonEmptyPage(
  client: S3Client,
  bucket: string,
  options: ListOptions,
  signal: AbortSignal,
): Promise<ListPage> {
  let token = options.token;
  for (;;) {
    const page = await onePage(client, bucket, { ...options, token }, signal);
    const isEmpty = page.objects.length === 0 && page.prefixes.length === 0;
    if (!isEmpty || page.nextToken === undefined || page.nextToken === token) return page;
    token = page.nextToken;
  }
}

async function onePage(client: S3Client, bucket: string, options: ListOptions, signal: AbortSignal): Promise<ListPage> {
  const { prefix, delimiter, startAfter, token, maxEntries } = options;
  const command = new ListObjectsV2Command({
    Bucket: bucket,
    EncodingType: 'url',
    MaxKeys: maxEntries,
    ...(prefix !== undefined && prefix !== '' && { Prefix: prefix }),
    ...(delimiter !== undefined && delimiter !== '' && { Delimiter: delimiter }),
    ...(token !== undefined ? { ContinuationToken: token } : startAfter && { StartAfter: startAfter }),
  });
  const answer = await call(client, () => client.send(command, { abortSignal: signal }), signal);
  const decode = decoder(answer.EncodingType);
  const prefixes = (answer.CommonPrefixes ?? []).map(({ Prefix: common = '' }) => decode(common));
  return {
    objects: (answer.Contents ?? []).map((entry) => toSummary(entry, decode)),
    // Servers disagree on whether the keys beneath a prefix that was started after are still to be told.
    prefixes: prefixes.filter((common) => common !== startAfter),
    ...(answer.IsTruncated === true && { nextToken: answer.NextContinuationToken }),
  };
}

/** Servers that do not know the encoding do not name it in their answer. */
export function decoder(encodingType: string | undefined): (text: string) => string {
  if (encodingType !== 'url') return (text) => text;
  return (text) => decodeURIComponent(text.replaceAll('+', ' '));
}

type Entry = Omit<NonNullable<ListObjectsV2CommandOutput['Contents']>[number], 'StorageClass' | '$unknown'> & {
  StorageClass?: string | undefined;
};

export function toSummary(entry: Entry, decode: (text: string) => string): ObjectSummary {
  return {
    key: decode(entry.Key ?? ''),
    sizeBytes: entry.Size ?? 0,
    etag: toEtag(entry.ETag),
    lastModified: entry.LastModified ?? new Date(0),
    storageClass: entry.StorageClass,
    checksumAlgorithm: toAlgorithm(entry.ChecksumAlgorithm?.[0]),
    checksumType: toChecksumType(entry.ChecksumType),
  };
}
