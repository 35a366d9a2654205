// Listings of objects: V2 where the origin has it, else V1, whose marker is then our token.
import { BackendError, type ListOptions, type ListPage, type ObjectSummary } from '../backend.ts';
import { readEtag, readStorageClass } from './object-headers.ts';
import type { OriginClient } from './origin-client.ts';
import { urlDecoded, type XmlElement } from './xml.ts';

const TOKEN_MARK = 'p1.';

export async function listObjects(
  client: OriginClient,
  bucket: string,
  options: ListOptions,
  signal: AbortSignal,
): Promise<ListPage> {
  const query: Record<string, string> = {
    'max-keys': String(options.maxEntries),
    'encoding-type': 'url',
    ...(client.dialect.listStyle === 'v2' ? { 'list-type': '2' } : {}),
    ...(options.prefix ? { prefix: options.prefix } : {}),
    ...(options.delimiter ? { delimiter: options.delimiter } : {}),
    ...position(client, options),
  };
  const { root } = await client.document({ method: 'GET', bucket, query }, 'ListBucketResult', signal);
  const text = decoder(root);
  const objects = root.all('Contents').map((entry) => summary(client, entry, text(entry.required('Key'))));
  const after = options.token === undefined ? options.startAfter : undefined;
  const prefixes = root
    .all('CommonPrefixes')
    .map((entry) => text(entry.required('Prefix')))
    // Some origins report the prefix that startAfter names once more.
    .filter((prefix) => prefix !== after);
  if (!root.isTrue('IsTruncated')) return { objects, prefixes };
  return { objects, prefixes, nextToken: sealed(nextPosition(client, root, text, objects, prefixes)) };
}

function position(client: OriginClient, { token, startAfter, delimiter, prefix }: ListOptions): Record<string, string> {
  const tokenName = client.dialect.listStyle === 'v2' ? 'continuation-token' : 'marker';
  if (token !== undefined) return { [tokenName]: unsealed(token) };
  if (!startAfter) return {};
  const after = delimiter ? pastCommonPrefix(startAfter, delimiter, prefix ?? '') : startAfter;
  return { [client.dialect.listStyle === 'v2' ? 'start-after' : 'marker']: after };
}

/** The keys beneath a common prefix count as reported with it: begin behind all of them (but see the filter above). */
function pastCommonPrefix(startAfter: string, delimiter: string, prefix: string): string {
  const isCommonPrefix =
    startAfter.startsWith(prefix) &&
    startAfter.indexOf(delimiter, prefix.length) === startAfter.length - delimiter.length;
  return isCommonPrefix ? `${startAfter}\u{10ffff}` : startAfter;
}

function nextPosition(
  client: OriginClient,
  root: XmlElement,
  text: (value: string) => string,
  objects: readonly ObjectSummary[],
  prefixes: readonly string[],
): string | undefined {
  const given = root.text(client.dialect.listStyle === 'v2' ? 'NextContinuationToken' : 'NextMarker');
  if (given) return text(given);
  const last = [objects.at(-1)?.key, prefixes.at(-1)].filter((name) => name !== undefined);
  return last.reduce<string | undefined>(
    (latest, name) => (latest === undefined || comesAfter(name, latest) ? name : latest),
    undefined,
  );
}

/** A token says where it comes from: origins take any text for a marker, and an unknown token must not restart a listing. */
function sealed(position: string | undefined): string {
  if (position === undefined) throw new BackendError('Internal', 'The origin cut a listing short without a position.');
  return TOKEN_MARK + Buffer.from(position, 'utf8').toString('base64url');
}

function unsealed(token: string): string {
  const position = Buffer.from(token.slice(TOKEN_MARK.length), 'base64url').toString('utf8');
  if (position !== '' && sealed(position) === token) return position;
  throw new BackendError('InvalidArgument', 'The continuation token is not one that this origin gave.');
}

function summary(client: OriginClient, entry: XmlElement, key: string): ObjectSummary {
  return {
    key,
    sizeBytes: entry.integer('Size'),
    etag: readEtag(client.dialect, entry.required('ETag')),
    lastModified: entry.date('LastModified'),
    storageClass: readStorageClass(client.dialect, entry.text('StorageClass')),
  };
}

/** Names come URL-encoded when they were asked for so and the origin says that it did. */
export function decoder(root: XmlElement): (value: string) => string {
  return root.text('EncodingType') === 'url' ? urlDecoded : (value) => value;
}

function comesAfter(one: string, other: string): boolean {
  return Buffer.compare(Buffer.from(one), Buffer.from(other)) > 0;
}
