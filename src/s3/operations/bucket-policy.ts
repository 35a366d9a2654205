// GetBucketPolicy, PutBucketPolicy, DeleteBucketPolicy and GetBucketPolicyStatus. A policy is kept as it was put; what it
// means is in policy/.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
import type { Answer } from '../answer.ts';
import { bucketAcl } from '../bucket-acls.ts';
import { S3Error } from '../errors.ts';
import { BucketPolicies, POLICY_DOCUMENT } from '../policy/bucket-policies.ts';
import { parseBucketPolicy } from '../policy/bucket-policy.ts';
import { isPublic } from '../policy/evaluate.ts';
import type { OperationContext } from './operation-context.ts';

export async function getBucketPolicy({ bucket, settings, signal }: OperationContext): Promise<Answer> {
  const json = await settings.get(bucket, POLICY_DOCUMENT, signal);
  if (json === undefined) throw new S3Error('NoSuchBucketPolicy');
  return { status: 200, body: { json } };
}

export async function putBucketPolicy({ bucket, body, settings, signal }: OperationContext): Promise<Answer> {
  const text = await body.readText();
  const policy = parseBucketPolicy(text, bucket);
  const { BlockPublicPolicy: isBlocked } = await new BucketPolicies({ settings }).blockOf(bucket, signal);
  if (isBlocked && isPublic(policy)) {
    throw new S3Error('AccessDenied', "The policy is public, which the bucket's public access block forbids.");
  }
  await settings.set(bucket, POLICY_DOCUMENT, text, signal);
  return { status: 204 };
}

export async function deleteBucketPolicy({ bucket, settings, signal }: OperationContext): Promise<Answer> {
  await settings.delete(bucket, POLICY_DOCUMENT, signal);
  return { status: 204 };
}

export async function getBucketPolicyStatus({ bucket, settings, signal }: OperationContext): Promise<Answer> {
  const policies = new BucketPolicies({ settings });
  const policy = await policies.policyOf(bucket, signal);
  const acl = await bucketAcl(settings, bucket, signal);
  const { RestrictPublicBuckets: isRestricted, IgnorePublicAcls: isIgnored } = await policies.blockOf(bucket, signal);
  const byPolicy = policy !== undefined && !isRestricted && isPublic(policy);
  const IsPublic = byPolicy || (acl !== undefined && !isIgnored);
  return { status: 200, body: { xml: { root: 'PolicyStatus', content: { IsPublic } } } };
}
