// GetPublicAccessBlock, PutPublicAccessBlock and DeletePublicAccessBlock.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
import type { Answer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { PUBLIC_ACCESS_BLOCK_DOCUMENT } from '../policy/bucket-policies.ts';
import {
  type PublicAccessBlock,
  parsePublicAccessBlock,
  publicAccessBlockDocument,
} from '../policy/public-access-block.ts';
import type { OperationContext } from './operation-context.ts';

export async function getPublicAccessBlock({ bucket, settings, signal }: OperationContext): Promise<Answer> {
  const document = await settings.get(bucket, PUBLIC_ACCESS_BLOCK_DOCUMENT, signal);
  if (document === undefined) throw new S3Error('NoSuchPublicAccessBlockConfiguration');
  return { status: 200, body: { xml: publicAccessBlockDocument(JSON.parse(document) as PublicAccessBlock) } };
}

export async function putPublicAccessBlock({ bucket, body, settings, signal }: OperationContext): Promise<Answer> {
  const block = parsePublicAccessBlock(await body.readXml('PublicAccessBlockConfiguration'));
  await settings.set(bucket, PUBLIC_ACCESS_BLOCK_DOCUMENT, JSON.stringify(block), signal);
  return { status: 200 };
}

export async function deletePublicAccessBlock({ bucket, settings, signal }: OperationContext): Promise<Answer> {
  await settings.delete(bucket, PUBLIC_ACCESS_BLOCK_DOCUMENT, signal);
  return { status: 204 };
}
