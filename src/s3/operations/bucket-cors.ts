// GetBucketCors, PutBucketCors and DeleteBucketCors.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
import type { Answer } from '../answer.ts';
import { CORS_DOCUMENT } from '../cors/cors.ts';
import { type CorsRule, corsDocument, parseCorsRules } from '../cors/cors-rules.ts';
import { S3Error } from '../errors.ts';
import type { OperationContext } from './operation-context.ts';

/** As S3 has it. */
const MAX_BYTES = 64 * 1024;

export async function getBucketCors({ bucket, settings, signal }: OperationContext): Promise<Answer> {
  const document = await settings.get(bucket, CORS_DOCUMENT, signal);
  if (document === undefined) throw new S3Error('NoSuchCORSConfiguration');
  return { status: 200, body: { xml: corsDocument(JSON.parse(document) as readonly CorsRule[]) } };
}

export async function putBucketCors({ bucket, body, settings, signal }: OperationContext): Promise<Answer> {
  const rules = parseCorsRules(await body.readXml('CORSConfiguration'));
  const document = JSON.stringify(rules);
  if (Buffer.byteLength(document) > MAX_BYTES) {
    throw new S3Error('MaxMessageLengthExceeded', undefined, { details: { MaxMessageLengthBytes: String(MAX_BYTES) } });
  }
  await settings.set(bucket, CORS_DOCUMENT, document, signal);
  return { status: 200 };
}

export async function deleteBucketCors({ bucket, settings, signal }: OperationContext): Promise<Answer> {
  await settings.delete(bucket, CORS_DOCUMENT, signal);
  return { status: 204 };
}
