// Bucket and object ACLs, as far as canned lists say them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
import type { CannedAcl, VersionRef } from '../../../backends/backend.ts';
import { aclDocument, checkAclKept, parseAclDocument, parseCannedAcl } from '../acl.ts';
import type { Answer } from '../answer.ts';
import { bucketAcl, expectObjectAcl, setBucketAcl } from '../bucket-acls.ts';
import { S3Error } from '../errors.ts';
import { versionIdParameter } from '../parameters.ts';
import { BucketPolicies } from '../policy/bucket-policies.ts';
import type { OperationContext } from './operation-context.ts';

export async function getBucketAcl({ bucket, owner, settings, signal }: OperationContext): Promise<Answer> {
  return { status: 200, body: { xml: aclDocument(owner, await bucketAcl(settings, bucket, signal)) } };
}

export async function getObjectAcl(context: OperationContext): Promise<Answer> {
  const { versionId, ...ref } = refOf(context);
  const { info } = await context.objects.head(ref, { versionId }, context.signal);
  return {
    status: 200,
    headers: { 'x-amz-version-id': info.versionId },
    body: { xml: aclDocument(context.owner, info.acl) },
  };
}

export async function putBucketAcl(context: OperationContext): Promise<Answer> {
  const { bucket, settings, signal } = context;
  await setBucketAcl(settings, bucket, await wantedAcl(context), signal);
  return { status: 200 };
}

export async function putObjectAcl(context: OperationContext): Promise<Answer> {
  const { bucket, objects, settings, signal } = context;
  const acl = await wantedAcl(context);
  const { versionId, ...ref } = refOf(context);
  const { info } = await objects.head(ref, { versionId }, signal);
  await expectObjectAcl(settings, bucket, acl, signal);
  if (info.acl !== acl) await objects.setAcl({ ...ref, versionId }, acl, signal);
  return { status: 200, headers: { 'x-amz-version-id': info.versionId } };
}

/** In the body, or by name in the headers. */
async function wantedAcl(context: OperationContext): Promise<CannedAcl | undefined> {
  const { body, bucket, headers, objects, owner, settings, signal } = context;
  const policy = await body.readOptionalXml('AccessControlPolicy');
  const acl = policy === undefined ? parseCannedAcl(headers['x-amz-acl']) : parseAclDocument(policy, owner);
  if (acl !== undefined && (await new BucketPolicies({ settings }).blockOf(bucket, signal)).BlockPublicAcls) {
    throw new S3Error('AccessDenied');
  }
  return checkAclKept(acl, objects.capabilities(bucket));
}

function refOf({ bucket, key, query }: OperationContext): VersionRef {
  return { bucket, key, versionId: versionIdParameter(query) };
}
