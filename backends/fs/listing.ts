// Listings straight off the index: a page of N entries reads about N rows and steps over each common prefix with one
// seek, however many keys the bucket has and however many lie beneath a prefix. Nothing is sorted or held.
import { BackendError, type ListOptions, type ListPage, type ObjectSummary } from '../backend.ts';
import { LAST_BYTE, type Rows } from './object-index.ts';
import { type ObjectRow, objectSummary, rowName } from './records.ts';

/** Rows read at once where a delimiter may make most of them useless. */
const ROWS_WITH_DELIMITER = 32;
const ROWS_AT_ONCE = 1_001;

export interface NamesOptions {
  /** All names begin with it; given names are what follows it. */
  readonly space: string;
  readonly prefix: string;
  readonly delimiter: string | undefined;
  /** The first name to be looked at, or past which to look. */
  readonly from: NameBound | undefined;
  readonly maxEntries: number;
  /** The part of a name that is the key. */
  readonly keyOf: (name: string) => string;
}

/** at: from this name on. past: after every name that begins with it. */
export type NameBound = { readonly at: string } | { readonly past: string };

export type NameEntry =
  | { readonly prefix: string }
  | { readonly name: string; readonly key: string; readonly row: string };

/** Up to `maxEntries` entries in order, and whether there are more. */
export async function listNames(
  rows: Pick<Rows, 'scan'>,
  options: NamesOptions,
): Promise<{ entries: NameEntry[]; more: boolean }> {
  const { space, prefix, delimiter, from, maxEntries } = options;
  const least = Buffer.from(space + prefix);
  const bound = from === undefined ? least : boundName(space, from);
  const scan = rows.scan(space + prefix, Buffer.compare(bound, least) > 0 ? bound : least);
  const entries: NameEntry[] = [];
  const count = delimiter === undefined ? ROWS_AT_ONCE : ROWS_WITH_DELIMITER;
  try {
    for (let batch = await scan.next(count); batch.length > 0; batch = await scan.next(count)) {
      for (const [bytes, row] of batch) {
        if (entries.length === maxEntries) return { entries, more: true };
        const name = bytes.toString().slice(space.length);
        const key = options.keyOf(name);
        const common = commonPrefix(key, prefix, delimiter);
        if (common === undefined) {
          entries.push({ name, key, row });
          continue;
        }
        entries.push({ prefix: common });
        scan.seek(boundName(space, { past: common }));
        break;
      }
    }
    return { entries, more: false };
  } finally {
    await scan.close();
  }
}

export async function listObjects(rows: Pick<Rows, 'scan'>, bucket: string, options: ListOptions): Promise<ListPage> {
  const { prefix = '', maxEntries } = options;
  const delimiter = options.delimiter === '' ? undefined : options.delimiter;
  const from = options.token === undefined ? startBound(options) : readToken(options.token);
  const space = rowName.object({ bucket, key: '' });
  const names = { space, prefix, delimiter, from, maxEntries, keyOf: (name: string) => name };
  const { entries, more } = await listNames(rows, names);
  const objects: ObjectSummary[] = [];
  const prefixes: string[] = [];
  for (const entry of entries) {
    if ('prefix' in entry) prefixes.push(entry.prefix);
    else objects.push(objectSummary(entry.key, JSON.parse(entry.row) as ObjectRow));
  }
  const last = entries.at(-1);
  return more && last !== undefined ? { objects, prefixes, nextToken: writeToken(last) } : { objects, prefixes };
}

/** The prefix that a key is rolled up in, if any. */
export function commonPrefix(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (delimiter === undefined || !key.startsWith(prefix)) return undefined;
  const cut = key.indexOf(delimiter, prefix.length);
  return cut === -1 ? undefined : key.slice(0, cut + delimiter.length);
}

function startBound(options: ListOptions): NameBound | undefined {
  const { startAfter, prefix = '', delimiter } = options;
  if (startAfter === undefined || startAfter === '') return undefined;
  const common = commonPrefix(startAfter, prefix, delimiter === '' ? undefined : delimiter);
  return common === startAfter ? { past: common } : { at: `${startAfter}\0` };
}

function boundName(space: string, bound: NameBound): Buffer {
  return 'at' in bound ? Buffer.from(space + bound.at) : Buffer.concat([Buffer.from(space + bound.past), LAST_BYTE]);
}

function writeToken(last: NameEntry): string {
  return Buffer.from('prefix' in last ? `p${last.prefix}` : `k${last.key}`).toString('base64url');
}

function readToken(token: string): NameBound {
  const text = Buffer.from(token, 'base64url').toString();
  if (Buffer.from(text).toString('base64url') === token && /^[kp]/.test(text)) {
    return text.startsWith('p') ? { past: text.slice(1) } : { at: `${text.slice(1)}\0` };
  }
  throw new BackendError('InvalidArgument', 'The continuation token is not one this backend gave.');
}
