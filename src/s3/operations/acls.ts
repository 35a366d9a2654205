// Bucket and object ACLs: read as what is so (the owner has full control), written only as that.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html
import { aclDocument, checkAclDocument } from '../acl.ts';
import type { Answer } from '../answer.ts';
import { versionIdParameter } from '../parameters.ts';
import type { OperationContext } from './operation-context.ts';

export async function getBucketAcl(context: OperationContext): Promise<Answer> {
  return { status: 200, body: { xml: aclDocument(context.owner) } };
}

export async function getObjectAcl(context: OperationContext): Promise<Answer> {
  await requireObject(context);
  return { status: 200, body: { xml: aclDocument(context.owner) } };
}

/** A canned list in the headers was checked before. */
export async function putBucketAcl(context: OperationContext): Promise<Answer> {
  await checkBody(context);
  return { status: 200 };
}

export async function putObjectAcl(context: OperationContext): Promise<Answer> {
  await checkBody(context);
  await requireObject(context);
  return { status: 200 };
}

async function checkBody(context: OperationContext): Promise<void> {
  const policy = await context.body.readOptionalXml('AccessControlPolicy');
  if (policy !== undefined) checkAclDocument(policy, context.owner);
}

async function requireObject(context: OperationContext): Promise<void> {
  const { bucket, key, objects, query } = context;
  await objects.head({ bucket, key }, { versionId: versionIdParameter(query) }, context.signal);
}
