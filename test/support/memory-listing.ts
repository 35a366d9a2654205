// A page of sorted names, as the contract lists them: by prefix, grouped by delimiter, after a start or a token.
import { BackendError, type ListOptions, type ObjectSummary } from '../../backends/backend.ts';
import type { StoredObject } from './memory-backend.ts';

interface NamePage {
  readonly names: string[];
  readonly prefixes: string[];
  readonly nextToken: string | undefined;
}

const TOKEN = 'after.';

export function listNames(all: readonly string[], options: ListOptions): NamePage {
  const { prefix = '', delimiter, maxEntries } = options;
  const after = options.token === undefined ? options.startAfter : parseToken(options.token);
  const page: NamePage = { names: [], prefixes: [], nextToken: undefined };
  let last: string | undefined;
  for (const name of all.toSorted(byBytes)) {
    if (!name.startsWith(prefix)) continue;
    const cut = delimiter === undefined ? -1 : name.indexOf(delimiter, prefix.length);
    const entry = delimiter === undefined || cut === -1 ? name : name.slice(0, cut + delimiter.length);
    if (entry === last) continue;
    if (after !== undefined && (byBytes(name, after) <= 0 || (cut !== -1 && entry === after))) continue;
    if (page.names.length + page.prefixes.length === maxEntries) {
      return { ...page, nextToken: TOKEN + Buffer.from(last ?? '').toString('base64url') };
    }
    (cut === -1 ? page.names : page.prefixes).push(entry);
    last = entry;
  }
  return page;
}

export function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

export function objectSummary(stored: StoredObject | undefined): ObjectSummary {
  if (stored === undefined) throw new Error('A listed object is gone.');
  const { key, sizeBytes, etag, lastModified, storageClass, checksum } = stored.info;
  return {
    key,
    sizeBytes,
    etag,
    lastModified,
    storageClass,
    checksumAlgorithm: checksum?.algorithm,
    checksumType: checksum?.type,
  };
}

function parseToken(token: string): string {
  if (!/^after\.[A-Za-z0-9_-]*$/.test(token)) throw new BackendError('InvalidArgument', 'The token is not ours.');
  return Buffer.from(token.slice(TOKEN.length), 'base64url').toString();
}
