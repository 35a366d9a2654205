// ListObjectsV2. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
import type { Answer } from '../answer.ts';
import { listPage, objectElement, parseListing, prefixElements } from '../listing.ts';
import { textParameter } from '../parameters.ts';
import type { OperationContext } from './operation-context.ts';

export async function listObjectsV2(context: OperationContext): Promise<Answer> {
  const { bucket, objects, query } = context;
  const listing = parseListing(query);
  const { encode, type } = listing.encoding;
  const token = textParameter(query, 'continuation-token');
  const startAfter = textParameter(query, 'start-after');
  const from = token === undefined ? { startAfter } : { token };
  const page = await listPage(objects, bucket, listing, from, context.signal);
  const owner = query.get('fetch-owner') === 'true' ? context.owner : undefined;
  return {
    status: 200,
    body: {
      xml: {
        root: 'ListBucketResult',
        content: {
          Name: bucket,
          Prefix: encode(listing.prefix),
          ContinuationToken: query.get('continuation-token'),
          NextContinuationToken: page.nextToken,
          StartAfter: startAfter && encode(startAfter),
          KeyCount: page.objects.length + page.prefixes.length,
          MaxKeys: listing.maxKeys,
          Delimiter: listing.delimiter && encode(listing.delimiter),
          EncodingType: type,
          IsTruncated: page.nextToken !== undefined,
          Contents: page.objects.map((object) => objectElement(object, listing.encoding, owner)),
          CommonPrefixes: prefixElements(page.prefixes, listing.encoding),
        },
      },
    },
  };
}
