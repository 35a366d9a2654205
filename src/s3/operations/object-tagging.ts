// GetObjectTagging, PutObjectTagging and DeleteObjectTagging.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
import type { VersionRef } from '../../../backends/backend.ts';
import type { Answer } from '../answer.ts';
import { versionIdParameter } from '../parameters.ts';
import { parseTagging, taggingDocument } from '../tagging.ts';
import type { OperationContext } from './operation-context.ts';

export async function getObjectTagging(context: OperationContext): Promise<Answer> {
  const { tags, versionId } = await context.objects.getTags(refOf(context), context.signal);
  return { status: 200, headers: { 'x-amz-version-id': versionId }, body: { xml: taggingDocument(tags) } };
}

export async function putObjectTagging(context: OperationContext): Promise<Answer> {
  const tags = parseTagging(await context.body.readXml('Tagging'), 'object');
  await context.access.checkTags(tags);
  const { versionId } = await context.objects.setTags(refOf(context), tags, context.signal);
  return { status: 200, headers: { 'x-amz-version-id': versionId } };
}

export async function deleteObjectTagging(context: OperationContext): Promise<Answer> {
  const { versionId } = await context.objects.deleteTags(refOf(context), context.signal);
  return { status: 204, headers: { 'x-amz-version-id': versionId } };
}

function refOf({ bucket, key, query }: OperationContext): VersionRef {
  return { bucket, key, versionId: versionIdParameter(query) };
}
