// GetBucketTagging, PutBucketTagging and DeleteBucketTagging.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
import type { Tags } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { parseTagging, taggingDocument } from '../tagging.ts';
import type { OperationContext } from './operation-context.ts';

/** The name that a bucket's tags are kept under. */
const TAGS_DOCUMENT = 'tags';

export async function getBucketTagging({ bucket, settings, signal }: OperationContext): Promise<Answer> {
  const document = await settings.get(bucket, TAGS_DOCUMENT, signal);
  if (document === undefined) throw new S3Error('NoSuchTagSet');
  return { status: 200, body: { xml: taggingDocument(JSON.parse(document) as Tags) } };
}

export async function putBucketTagging({ bucket, body, settings, signal }: OperationContext): Promise<Answer> {
  const tags = parseTagging(await body.readXml('Tagging'), 'bucket');
  await settings.set(bucket, TAGS_DOCUMENT, JSON.stringify(tags), signal);
  return { status: 204 };
}

export async function deleteBucketTagging({ bucket, settings, signal }: OperationContext): Promise<Answer> {
  await settings.delete(bucket, TAGS_DOCUMENT, signal);
  return { status: 204 };
}
