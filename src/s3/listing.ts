// What the listings share: page size, encoding, and how entries look.
import { setImmediate } from 'node:timers/promises';
import type { ListOptions, ListPage, ObjectSummary } from '../../backends/backend.ts';
import type { Objects } from '../objects/objects.ts';
import { ownerElement } from './acl.ts';
import { quoteEtag } from './conditions.ts';
import { invalidArgument, numberParameter, textParameter } from './parameters.ts';
import { encodeKey } from './target.ts';
import type { XmlObject } from './xml.ts';

export const PAGE_MAX_ENTRIES = 1000;

/** How keys are written in this listing, and what the answer says about it. */
export interface KeyEncoding {
  readonly type: 'url' | undefined;
  encode(key: string): string;
}

export interface ListingQuery {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  /** 0 to 1,000. */
  readonly maxKeys: number;
  readonly encoding: KeyEncoding;
}

type Query = ReadonlyMap<string, string>;

export function parseListing(query: Query, maxName = 'max-keys'): ListingQuery {
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: textParameter(query, 'delimiter'),
    maxKeys: Math.min(numberParameter(query, maxName, { fallback: PAGE_MAX_ENTRIES }), PAGE_MAX_ENTRIES),
    encoding: parseEncoding(query),
  };
}

function parseEncoding(query: Query): KeyEncoding {
  const type = textParameter(query, 'encoding-type');
  if (type === undefined) return { type, encode: (key) => key };
  if (type.toLowerCase() !== 'url') {
    throw invalidArgument('encoding-type', type, 'Invalid Encoding Method specified in Request');
  }
  return { type: 'url', encode: encodeKey };
}

/** A page with at least one entry, unless there is none: clients take the last entry for where to go on. */
export async function listPage(
  objects: Pick<Objects, 'list'>,
  bucket: string,
  listing: ListingQuery,
  from: Pick<ListOptions, 'startAfter' | 'token'>,
  signal: AbortSignal,
): Promise<ListPage> {
  if (listing.maxKeys === 0) return { objects: [], prefixes: [] };
  const options = {
    prefix: listing.prefix || undefined,
    delimiter: listing.delimiter,
    maxEntries: listing.maxKeys,
  };
  let page = await objects.list(bucket, { ...options, ...from }, signal);
  while (page.objects.length + page.prefixes.length === 0 && page.nextToken !== undefined) {
    await setImmediate(undefined, { signal });
    page = await objects.list(bucket, { ...options, token: page.nextToken }, signal);
  }
  return page;
}

/** An object in a listing; `owner` undefined: not asked for. */
export function objectElement(object: ObjectSummary, encoding: KeyEncoding, owner: string | undefined): XmlObject {
  return {
    Key: encoding.encode(object.key),
    LastModified: object.lastModified.toISOString(),
    ETag: quoteEtag(object.etag),
    ChecksumAlgorithm: object.checksumAlgorithm,
    ChecksumType: object.checksumType,
    Size: object.sizeBytes,
    StorageClass: object.storageClass ?? 'STANDARD',
    Owner: owner === undefined ? undefined : ownerElement(owner),
  };
}

export function prefixElements(prefixes: readonly string[], encoding: KeyEncoding): XmlObject[] {
  return prefixes.map((prefix) => ({ Prefix: encoding.encode(prefix) }));
}
