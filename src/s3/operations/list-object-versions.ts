// ListObjectVersions as an unversioned bucket answers it: each object is its own only version, 'null'.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
import type { ObjectSummary } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { type KeyEncoding, lastName, listPage, objectElement, parseListing, prefixElements } from '../listing.ts';
import { invalidArgument, textParameter } from '../parameters.ts';
import type { XmlObject } from '../xml.ts';
import type { OperationContext } from './operation-context.ts';

const NULL_VERSION = 'null';

export async function listObjectVersions(context: OperationContext): Promise<Answer> {
  const { bucket, objects, owner, query } = context;
  const listing = parseListing(query);
  const { encode, type } = listing.encoding;
  const keyMarker = textParameter(query, 'key-marker');
  const versionMarker = textParameter(query, 'version-id-marker');
  if (versionMarker !== undefined && keyMarker === undefined) {
    throw invalidArgument(
      'version-id-marker',
      versionMarker,
      'A version-id marker cannot be specified without a key marker.',
    );
  }
  const page = await listPage(objects, bucket, listing, { startAfter: keyMarker }, context.signal);
  const next = page.nextToken === undefined ? undefined : lastName(page);
  return {
    status: 200,
    body: {
      xml: {
        root: 'ListVersionsResult',
        content: {
          Name: bucket,
          Prefix: encode(listing.prefix),
          KeyMarker: encode(keyMarker ?? ''),
          VersionIdMarker: versionMarker ?? '',
          NextKeyMarker: next && encode(next.name),
          NextVersionIdMarker: next === undefined || next.isPrefix ? undefined : NULL_VERSION,
          MaxKeys: listing.maxKeys,
          Delimiter: listing.delimiter && encode(listing.delimiter),
          EncodingType: type,
          IsTruncated: next !== undefined,
          Version: page.objects.map((object) => versionElement(object, listing.encoding, owner)),
          CommonPrefixes: prefixElements(page.prefixes, listing.encoding),
        },
      },
    },
  };
}

function versionElement(object: ObjectSummary, encoding: KeyEncoding, owner: string): XmlObject {
  return { ...objectElement(object, encoding, owner), VersionId: NULL_VERSION, IsLatest: true };
}
