// ListObjects, the first version, which many tools still speak.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
import { lastName } from '../../objects/last-name.ts';
import type { Answer } from '../answer.ts';
import { listPage, objectElement, parseListing, prefixElements } from '../listing.ts';
import { textParameter } from '../parameters.ts';
import type { OperationContext } from './operation-context.ts';

export async function listObjects(context: OperationContext): Promise<Answer> {
  const { bucket, objects, owner, query } = context;
  const listing = parseListing(query);
  const { encode, type } = listing.encoding;
  const marker = textParameter(query, 'marker');
  const page = await listPage(objects, bucket, listing, { startAfter: marker }, context.signal);
  const truncated = page.nextToken !== undefined;
  // Without a delimiter clients go on after the last key; S3 sends no NextMarker then.
  const next = truncated && listing.delimiter !== undefined ? lastName(page)?.name : undefined;
  return {
    status: 200,
    body: {
      xml: {
        root: 'ListBucketResult',
        content: {
          Name: bucket,
          Prefix: encode(listing.prefix),
          Marker: encode(marker ?? ''),
          NextMarker: next && encode(next),
          MaxKeys: listing.maxKeys,
          Delimiter: listing.delimiter && encode(listing.delimiter),
          EncodingType: type,
          IsTruncated: truncated,
          Contents: page.objects.map((object) => objectElement(object, listing.encoding, owner)),
          CommonPrefixes: prefixElements(page.prefixes, listing.encoding),
        },
      },
    },
  };
}
