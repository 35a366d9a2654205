// The versions of a bucket's objects at its origin. Where an origin keeps one version of an object, that is its null
// version, and a listing of versions is one of objects.
import {
  BackendError,
  type ListVersionsOptions,
  type VersioningStatus,
  type VersionListPage,
} from '../../backends/backend.ts';
import { notSupported } from './abilities.ts';
import { type Route, withoutPrefix } from './bucket-map.ts';
import { lastName } from './last-name.ts';

const NULL_VERSION = 'null';

export async function versioningAt(route: Route, signal: AbortSignal): Promise<VersioningStatus | undefined> {
  return route.backend.versioning?.get(route.bucket, signal);
}

export async function setVersioningAt(route: Route, status: VersioningStatus, signal: AbortSignal): Promise<void> {
  const { versioning } = route.backend;
  if (versioning?.set === undefined) throw notSupported(route, 'switching versions of objects');
  if (route.prefix !== '') {
    const message = "The bucket is a prefix of its origin's bucket, whose other prefixes would get versions too.";
    throw new BackendError('NotSupported', message);
  }
  await versioning.set(route.bucket, status, signal);
}

export async function listVersionsAt(
  route: Route,
  options: ListVersionsOptions,
  signal: AbortSignal,
): Promise<VersionListPage> {
  const { versioning } = route.backend;
  const page =
    versioning === undefined
      ? await listNullVersions(route, options, signal)
      : await versioning.list(route.bucket, atOrigin(route, options), signal);
  return {
    versions: page.versions.map((version) => ({ ...version, key: withoutPrefix(route, version.key) })),
    prefixes: page.prefixes.map((prefix) => withoutPrefix(route, prefix)),
    next: page.next && { ...page.next, keyMarker: withoutPrefix(route, page.next.keyMarker) },
  };
}

function atOrigin(route: Route, options: ListVersionsOptions): ListVersionsOptions {
  const { prefix = '', keyMarker } = options;
  const atMarker = keyMarker === undefined ? undefined : route.prefix + keyMarker;
  return { ...options, prefix: route.prefix + prefix, keyMarker: atMarker };
}

async function listNullVersions(
  route: Route,
  options: ListVersionsOptions,
  signal: AbortSignal,
): Promise<VersionListPage> {
  const { keyMarker: startAfter, versionIdMarker: _, ...listing } = atOrigin(route, options);
  let page = await route.backend.list(route.bucket, { ...listing, startAfter }, signal);
  while (page.objects.length + page.prefixes.length === 0 && page.nextToken !== undefined) {
    page = await route.backend.list(route.bucket, { ...listing, token: page.nextToken }, signal);
  }
  const last = page.nextToken === undefined ? undefined : lastName(page);
  return {
    versions: page.objects.map((object) => ({ ...object, versionId: NULL_VERSION, isLatest: true })),
    prefixes: page.prefixes,
    next: last && { keyMarker: last.name, versionIdMarker: last.isPrefix ? undefined : NULL_VERSION },
  };
}
