// Versions of objects: the switch of a bucket and the listing. Reads, deletes and copies name a version by themselves.
import {
  BackendError,
  type DeleteMarkerSummary,
  type ListVersionsOptions,
  type ObjectVersionSummary,
  type Versioning,
  type VersioningStatus,
  type VersionListPage,
} from '../backend.ts';
import { decoder } from './listing.ts';
import { readEtag, readStorageClass } from './object-headers.ts';
import type { OriginClient } from './origin-client.ts';
import { xmlBody } from './writes.ts';
import type { XmlElement } from './xml.ts';

type Version = ObjectVersionSummary | DeleteMarkerSummary;

export function versioningOf(client: OriginClient): Versioning {
  const get: Versioning['get'] = async (bucket, signal) => {
    const request = { method: 'GET', bucket, query: { versioning: '' } } as const;
    const { root } = await client.document(request, 'VersioningConfiguration', signal);
    const status = root.text('Status');
    return status === 'Enabled' || status === 'Suspended' ? status : undefined;
  };
  const list: Versioning['list'] = (bucket, options, signal) => listVersions(client, bucket, options, signal);
  if (!client.dialect.switchesVersioning) return { get, list };
  return { get, list, set: (bucket, status, signal) => setVersioning(client, bucket, status, signal) };
}

async function setVersioning(
  client: OriginClient,
  bucket: string,
  status: VersioningStatus,
  signal: AbortSignal,
): Promise<void> {
  const document = `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`;
  await client.call({ method: 'PUT', bucket, query: { versioning: '' }, ...xmlBody(document) }, signal);
}

/** A page may come back empty although more follows. */
async function listVersions(
  client: OriginClient,
  bucket: string,
  options: ListVersionsOptions,
  signal: AbortSignal,
): Promise<VersionListPage> {
  let from: Pick<ListVersionsOptions, 'keyMarker' | 'versionIdMarker'> = options;
  for (;;) {
    const page = await onePage(client, bucket, { ...options, ...from }, signal);
    const isEmpty = page.versions.length + page.prefixes.length === 0;
    if (!isEmpty || page.next === undefined) return page;
    from = page.next;
  }
}

async function onePage(
  client: OriginClient,
  bucket: string,
  options: ListVersionsOptions,
  signal: AbortSignal,
): Promise<VersionListPage> {
  const { prefix, delimiter, keyMarker, versionIdMarker, maxEntries } = options;
  const query = {
    versions: '',
    'encoding-type': 'url',
    'max-keys': String(maxEntries),
    ...(prefix ? { prefix } : {}),
    ...(delimiter ? { delimiter } : {}),
    ...(keyMarker ? { 'key-marker': keyMarker } : {}),
    ...(keyMarker && versionIdMarker ? { 'version-id-marker': versionIdMarker } : {}),
  };
  const { root } = await client.document({ method: 'GET', bucket, query }, 'ListVersionsResult', signal);
  const text = decoder(root);
  const versions = root.all('Version').map((entry) => versionOf(client, entry, text));
  const markers = root.all('DeleteMarker').map((entry) => markerOf(entry, text));
  const prefixes = root.all('CommonPrefixes').map((entry) => text(entry.required('Prefix')));
  const page = { versions: inOrder([...versions, ...markers]), prefixes };
  if (!root.isTrue('IsTruncated')) return page;
  const versionMarker = root.text('NextVersionIdMarker');
  const next = { keyMarker: text(root.required('NextKeyMarker')), versionIdMarker: versionMarker || undefined };
  return { ...page, next };
}

function versionOf(client: OriginClient, entry: XmlElement, text: (name: string) => string): ObjectVersionSummary {
  return {
    key: text(entry.required('Key')),
    versionId: entry.required('VersionId'),
    isLatest: entry.isTrue('IsLatest'),
    sizeBytes: entry.integer('Size'),
    etag: readEtag(client.dialect, entry.required('ETag')),
    lastModified: entry.date('LastModified'),
    storageClass: readStorageClass(client.dialect, entry.text('StorageClass')),
  };
}

function markerOf(entry: XmlElement, text: (name: string) => string): DeleteMarkerSummary {
  return {
    key: text(entry.required('Key')),
    deleteMarker: true,
    versionId: entry.required('VersionId'),
    isLatest: entry.isTrue('IsLatest'),
    lastModified: entry.date('LastModified'),
  };
}

/** Versions and markers come apart, each in order; together they are by key, newest first. */
function inOrder(versions: Version[]): Version[] {
  return versions.sort(
    (one, other) =>
      Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)) ||
      Number(other.isLatest) - Number(one.isLatest) ||
      other.lastModified.getTime() - one.lastModified.getTime(),
  );
}

/** Servers say of a version that is not there what they say of keys; a delete marker does not allow to be read. */
export function ofVersion(error: unknown, versionId: string | undefined): unknown {
  if (!(error instanceof BackendError) || versionId === undefined) return error;
  const { message, nativeCode } = error;
  if (error.code === 'NotSupported') {
    return new BackendError('DeleteMarker', message, { cause: error, nativeCode, marker: { versionId } });
  }
  return error.code === 'NoSuchKey' ? new BackendError('NoSuchVersion', message, { cause: error, nativeCode }) : error;
}
