// ListObjectVersions. Where a bucket has no versions, each object is its own only version, 'null'.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
import type { DeleteMarkerSummary, ObjectVersionSummary, VersionListPage } from '../../../backends/backend.ts';
import { ownerElement } from '../acl.ts';
import type { Answer } from '../answer.ts';
import { type KeyEncoding, type ListingQuery, objectElement, parseListing, prefixElements } from '../listing.ts';
import { invalidArgument, textParameter } from '../parameters.ts';
import type { XmlObject } from '../xml.ts';
import type { OperationContext } from './operation-context.ts';

interface Markers {
  readonly keyMarker: string | undefined;
  readonly versionIdMarker: string | undefined;
}

export async function listObjectVersions(context: OperationContext): Promise<Answer> {
  const { bucket, owner, query } = context;
  const listing = parseListing(query);
  const { encode, type } = listing.encoding;
  const markers = parseMarkers(query);
  const { versions, prefixes, next } = await versionPage(context, listing, markers);
  const objects = versions.filter((version): version is ObjectVersionSummary => !('deleteMarker' in version));
  const deleteMarkers = versions.filter((version): version is DeleteMarkerSummary => 'deleteMarker' in version);
  return {
    status: 200,
    body: {
      xml: {
        root: 'ListVersionsResult',
        content: {
          Name: bucket,
          Prefix: encode(listing.prefix),
          KeyMarker: encode(markers.keyMarker ?? ''),
          VersionIdMarker: markers.versionIdMarker ?? '',
          NextKeyMarker: next && encode(next.keyMarker),
          NextVersionIdMarker: next?.versionIdMarker,
          MaxKeys: listing.maxKeys,
          Delimiter: listing.delimiter && encode(listing.delimiter),
          EncodingType: type,
          IsTruncated: next !== undefined,
          Version: objects.map((version) => versionElement(version, listing.encoding, owner)),
          DeleteMarker: deleteMarkers.map((marker) => markerElement(marker, listing.encoding, owner)),
          CommonPrefixes: prefixElements(prefixes, listing.encoding),
        },
      },
    },
  };
}

function parseMarkers(query: OperationContext['query']): Markers {
  const keyMarker = textParameter(query, 'key-marker');
  const versionIdMarker = textParameter(query, 'version-id-marker');
  if (versionIdMarker === undefined || keyMarker !== undefined) return { keyMarker, versionIdMarker };
  const message = 'A version-id marker cannot be specified without a key marker.';
  throw invalidArgument('version-id-marker', versionIdMarker, message);
}

async function versionPage(
  { bucket, objects, signal }: OperationContext,
  { prefix, delimiter, maxKeys }: ListingQuery,
  markers: Markers,
): Promise<VersionListPage> {
  if (maxKeys === 0) return { versions: [], prefixes: [] };
  return objects.listVersions(bucket, { prefix, delimiter, maxEntries: maxKeys, ...markers }, signal);
}

function versionElement(version: ObjectVersionSummary, encoding: KeyEncoding, owner: string): XmlObject {
  const { versionId, isLatest } = version;
  return { ...objectElement(version, encoding, owner), VersionId: versionId, IsLatest: isLatest };
}

function markerElement(marker: DeleteMarkerSummary, encoding: KeyEncoding, owner: string): XmlObject {
  return {
    Key: encoding.encode(marker.key),
    VersionId: marker.versionId,
    IsLatest: marker.isLatest,
    LastModified: marker.lastModified.toISOString(),
    Owner: ownerElement(owner),
  };
}
