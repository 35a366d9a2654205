// ListParts. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
import type { Part, PartListPage, UploadRef } from '../../../backends/backend.ts';
import { ownerElement } from '../acl.ts';
import type { Answer } from '../answer.ts';
import { checksumElements } from '../checksum-elements.ts';
import { quoteEtag } from '../conditions.ts';
import { PAGE_MAX_ENTRIES } from '../listing.ts';
import { numberParameter } from '../parameters.ts';
import type { XmlObject } from '../xml.ts';
import type { OperationContext } from './operation-context.ts';
import { uploadOf } from './upload-part.ts';

export async function listParts(context: OperationContext): Promise<Answer> {
  const { bucket, key, owner, query } = context;
  const upload = uploadOf(context);
  const marker = numberParameter(query, 'part-number-marker', { fallback: 0 });
  const maxParts = Math.min(numberParameter(query, 'max-parts', { fallback: PAGE_MAX_ENTRIES }), PAGE_MAX_ENTRIES);
  const page = await pageAfter(context, upload, marker, maxParts);
  return {
    status: 200,
    body: {
      xml: {
        root: 'ListPartsResult',
        content: {
          Bucket: bucket,
          Key: key,
          UploadId: upload.uploadId,
          PartNumberMarker: marker,
          NextPartNumberMarker: page.parts.at(-1)?.partNumber ?? marker,
          MaxParts: maxParts,
          IsTruncated: maxParts > 0 && page.nextAfter !== undefined,
          Initiator: ownerElement(owner),
          Owner: ownerElement(owner),
          StorageClass: page.storageClass ?? 'STANDARD',
          ChecksumAlgorithm: page.checksumAlgorithm,
          ChecksumType: page.checksumType,
          Part: page.parts.map(partElement),
        },
      },
    },
  };
}

/** A page of none still tells whether the upload exists. */
async function pageAfter(
  context: OperationContext,
  upload: UploadRef,
  marker: number,
  maxParts: number,
): Promise<PartListPage> {
  const options = { after: marker === 0 ? undefined : marker, maxEntries: Math.max(1, maxParts) };
  const page = await context.objects.listParts(upload, options, context.signal);
  return maxParts === 0 ? { ...page, parts: [] } : page;
}

function partElement(part: Part): XmlObject {
  return {
    PartNumber: part.partNumber,
    LastModified: part.lastModified.toISOString(),
    ETag: quoteEtag(part.etag),
    Size: part.sizeBytes,
    ...checksumElements(part.checksum),
  };
}
