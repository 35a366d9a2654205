// What a canned access list lets others than the owner do: on a bucket list it, or write into it; on an object read it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
import type { CannedAcl } from '../../backends/backend.ts';
import type { OperationName } from './operation.ts';

const LISTS: ReadonlySet<OperationName> = new Set([
  'HeadBucket',
  'ListObjects',
  'ListObjectsV2',
  'ListObjectVersions',
  'ListMultipartUploads',
]);

const WRITES: ReadonlySet<OperationName> = new Set([
  'PutObject',
  'PostObject',
  'CopyObject',
  'DeleteObject',
  'DeleteObjects',
  'CreateMultipartUpload',
  'UploadPart',
  'UploadPartCopy',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'ListParts',
]);

const READS: ReadonlySet<OperationName> = new Set(['GetObject', 'HeadObject']);

/** `account`: of whoever asks; undefined: nobody, an unsigned request. */
export function bucketAclGrants(acl: CannedAcl | undefined, name: OperationName, account: string | undefined): boolean {
  if (LISTS.has(name)) return isRead(acl, account);
  return acl === 'public-read-write' && WRITES.has(name);
}

export function objectAclGrants(acl: CannedAcl | undefined, name: OperationName, account: string | undefined): boolean {
  return READS.has(name) && isRead(acl, account);
}

/** Whether the object's own list can matter. */
export function readsObject(name: OperationName): boolean {
  return READS.has(name);
}

function isRead(acl: CannedAcl | undefined, account: string | undefined): boolean {
  return acl === 'authenticated-read' ? account !== undefined : acl !== undefined;
}
