// ListMultipartUploads. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
import type { PendingUpload, UploadListPage } from '../../../backends/backend.ts';
import { ownerElement } from '../acl.ts';
import type { Answer } from '../answer.ts';
import { type ListingQuery, parseListing, prefixElements } from '../listing.ts';
import { textParameter } from '../parameters.ts';
import type { XmlObject } from '../xml.ts';
import type { OperationContext } from './operation-context.ts';

export async function listMultipartUploads(context: OperationContext): Promise<Answer> {
  const { bucket, owner, query } = context;
  const listing = parseListing(query, 'max-uploads');
  const { encode, type } = listing.encoding;
  const keyMarker = textParameter(query, 'key-marker');
  // Without a key marker an upload marker means nothing, and S3 ignores it.
  const uploadIdMarker = keyMarker === undefined ? undefined : textParameter(query, 'upload-id-marker');
  const page = await pageOf(context, listing, { keyMarker, uploadIdMarker });
  return {
    status: 200,
    body: {
      xml: {
        root: 'ListMultipartUploadsResult',
        content: {
          Bucket: bucket,
          KeyMarker: encode(keyMarker ?? ''),
          UploadIdMarker: uploadIdMarker ?? '',
          NextKeyMarker: page.next && encode(page.next.keyMarker),
          NextUploadIdMarker: page.next?.uploadIdMarker,
          Prefix: encode(listing.prefix),
          Delimiter: listing.delimiter && encode(listing.delimiter),
          MaxUploads: listing.maxKeys,
          EncodingType: type,
          IsTruncated: page.next !== undefined,
          Upload: page.uploads.map((upload) => uploadElement(upload, encode, owner)),
          CommonPrefixes: prefixElements(page.prefixes, listing.encoding),
        },
      },
    },
  };
}

async function pageOf(
  context: OperationContext,
  listing: ListingQuery,
  markers: { keyMarker: string | undefined; uploadIdMarker: string | undefined },
): Promise<UploadListPage> {
  if (listing.maxKeys === 0) return { uploads: [], prefixes: [] };
  const options = {
    prefix: listing.prefix || undefined,
    delimiter: listing.delimiter,
    ...markers,
    maxEntries: listing.maxKeys,
  };
  return context.objects.listUploads(context.bucket, options, context.signal);
}

function uploadElement(upload: PendingUpload, encode: (key: string) => string, owner: string): XmlObject {
  return {
    Key: encode(upload.key),
    UploadId: upload.uploadId,
    Initiator: ownerElement(owner),
    Owner: ownerElement(owner),
    StorageClass: upload.storageClass ?? 'STANDARD',
    Initiated: upload.initiated.toISOString(),
    ChecksumAlgorithm: upload.checksumAlgorithm,
    ChecksumType: upload.checksumType,
  };
}
