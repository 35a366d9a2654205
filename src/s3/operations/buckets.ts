// CreateBucket, HeadBucket and DeleteBucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
import { BackendError } from '../../../backends/backend.ts';
import { checkAclKept, parseCannedAcl } from '../acl.ts';
import type { Answer } from '../answer.ts';
import { setBucketAcl } from '../bucket-acls.ts';
import { S3Error } from '../errors.ts';
import type { OperationContext } from './operation-context.ts';

export async function createBucket(context: OperationContext): Promise<Answer> {
  const { account, bucket, headers, objects } = context;
  if (account === undefined) throw new S3Error('AccessDenied', 'Anonymous users cannot create buckets.');
  const ownership = headers['x-amz-object-ownership'];
  if (ownership !== undefined && ownership !== 'BucketOwnerEnforced') {
    throw new S3Error('NotImplemented', undefined, { details: { Header: 'x-amz-object-ownership' } });
  }
  const acl = checkAclKept(parseCannedAcl(headers['x-amz-acl']), objects.capabilities(bucket));
  // Any location constraint is as good as another: the gateway has one place.
  await context.body.readOptionalXml('CreateBucketConfiguration');
  try {
    await objects.createBucket(bucket, { owner: account }, context.signal);
    if (acl !== undefined) await setBucketAcl(context.settings, bucket, acl, context.signal);
  } catch (error) {
    // As in us-east-1, where the gateway says it is: making one's own bucket again succeeds and changes nothing.
    if (!(error instanceof BackendError) || error.code !== 'BucketAlreadyOwnedByYou') throw error;
  } finally {
    context.access.forget(bucket);
  }
  return { status: 200, headers: { Location: `/${bucket}` } };
}

/** That the bucket exists was found out on the way here. */
export async function headBucket(): Promise<Answer> {
  return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1', 'Content-Type': 'application/xml' } };
}

export async function deleteBucket(context: OperationContext): Promise<Answer> {
  try {
    await context.objects.deleteBucket(context.bucket, context.signal);
  } finally {
    context.access.forget(context.bucket);
  }
  return { status: 204 };
}
