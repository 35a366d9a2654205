// UploadPart and UploadPartCopy. https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
import type { UploadRef } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { checksumElements, checksumHeaders } from '../checksum-elements.ts';
import { parseSourceConditions, quoteEtag, refuseConditions } from '../conditions.ts';
import { parseCopySource } from '../copy-source.ts';
import { parseCustomerKey, parseSourceKey } from '../encryption.ts';
import { S3Error } from '../errors.ts';
import { requiredPartNumber } from '../parameters.ts';
import { parseCopyRange } from '../range.ts';
import type { OperationContext } from './operation-context.ts';
import { openBody } from './put-object.ts';

export async function uploadPart(context: OperationContext): Promise<Answer> {
  const partNumber = requiredPartNumber(context.query);
  const upload = uploadOf(context);
  refuseConditions(context.headers);
  const body = openBody(context, context.objects.capabilities(context.bucket));
  const part = await context.objects.uploadPart(upload, partNumber, body, context.signal);
  const { 'x-amz-checksum-type': _, ...checksum } = checksumHeaders(part.checksum ?? body.digests().checksum);
  return { status: 200, headers: { ETag: quoteEtag(part.etag), ...checksum } };
}

export async function uploadPartCopy(context: OperationContext): Promise<Answer> {
  const { headers } = context;
  const partNumber = requiredPartNumber(context.query);
  const source = parseCopySource(headers['x-amz-copy-source']);
  const options = {
    range: parseCopyRange(headers['x-amz-copy-source-range']),
    conditions: parseSourceConditions(headers),
    sourceCustomerKey: parseSourceKey(headers, context.objects.capabilities(source.bucket)),
  };
  await context.access.checkSource(source);
  const part = await context.objects.uploadPartCopy(uploadOf(context), partNumber, source, options, context.signal);
  return {
    status: 200,
    headers: { 'x-amz-copy-source-version-id': part.sourceVersionId },
    body: {
      xml: {
        root: 'CopyPartResult',
        content: {
          LastModified: part.lastModified.toISOString(),
          ETag: quoteEtag(part.etag),
          ...checksumElements(part.checksum),
        },
      },
    },
  };
}

export function uploadOf(context: OperationContext): UploadRef {
  const uploadId = context.query.get('uploadId') ?? '';
  if (uploadId === '') throw new S3Error('NoSuchUpload');
  const { bucket, key, headers, objects } = context;
  return { bucket, key, uploadId, customerKey: parseCustomerKey(headers, objects.capabilities(bucket)) };
}
