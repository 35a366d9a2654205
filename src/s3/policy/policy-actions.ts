// What a bucket policy calls each operation: S3's names for permissions are not those of its operations.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
import type { OperationName } from '../operation.ts';

/** The permission; of objects a second one where the request names a version. */
type Permission = string | readonly [plain: string, ofVersion: string];

const PERMISSIONS: Readonly<Record<OperationName, Permission>> = {
  ListBuckets: 'ListAllMyBuckets',
  HeadBucket: 'ListBucket',
  CreateBucket: 'CreateBucket',
  DeleteBucket: 'DeleteBucket',
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  ListObjectVersions: 'ListBucketVersions',
  ListMultipartUploads: 'ListBucketMultipartUploads',
  ListParts: 'ListMultipartUploadParts',

  GetObject: ['GetObject', 'GetObjectVersion'],
  HeadObject: ['GetObject', 'GetObjectVersion'],
  GetObjectAcl: ['GetObjectAcl', 'GetObjectVersionAcl'],
  GetObjectAttributes: ['GetObjectAttributes', 'GetObjectVersionAttributes'],
  GetObjectTagging: ['GetObjectTagging', 'GetObjectVersionTagging'],
  PutObjectTagging: ['PutObjectTagging', 'PutObjectVersionTagging'],
  DeleteObjectTagging: ['DeleteObjectTagging', 'DeleteObjectVersionTagging'],
  PutObjectAcl: ['PutObjectAcl', 'PutObjectVersionAcl'],
  DeleteObject: ['DeleteObject', 'DeleteObjectVersion'],
  DeleteObjects: 'DeleteObject',
  PutObject: 'PutObject',
  PostObject: 'PutObject',
  CopyObject: 'PutObject',
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  UploadPartCopy: 'PutObject',
  CompleteMultipartUpload: 'PutObject',
  AbortMultipartUpload: 'AbortMultipartUpload',

  GetBucketAbac: 'GetBucketAbac',
  GetBucketAccelerateConfiguration: 'GetAccelerateConfiguration',
  GetBucketAcl: 'GetBucketAcl',
  GetBucketAnalyticsConfiguration: 'GetAnalyticsConfiguration',
  GetBucketCors: 'GetBucketCORS',
  GetBucketEncryption: 'GetEncryptionConfiguration',
  GetBucketIntelligentTieringConfiguration: 'GetIntelligentTieringConfiguration',
  GetBucketInventoryConfiguration: 'GetInventoryConfiguration',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
  GetBucketLocation: 'GetBucketLocation',
  GetBucketLogging: 'GetBucketLogging',
  GetBucketMetadataConfiguration: 'GetBucketMetadataTableConfiguration',
  GetBucketMetadataTableConfiguration: 'GetBucketMetadataTableConfiguration',
  GetBucketMetricsConfiguration: 'GetMetricsConfiguration',
  GetBucketNotificationConfiguration: 'GetBucketNotification',
  GetBucketOwnershipControls: 'GetBucketOwnershipControls',
  GetBucketPolicy: 'GetBucketPolicy',
  GetBucketPolicyStatus: 'GetBucketPolicyStatus',
  GetBucketReplication: 'GetReplicationConfiguration',
  GetBucketRequestPayment: 'GetBucketRequestPayment',
  GetBucketTagging: 'GetBucketTagging',
  GetBucketVersioning: 'GetBucketVersioning',
  GetBucketWebsite: 'GetBucketWebsite',
  GetObjectLegalHold: 'GetObjectLegalHold',
  GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
  GetObjectRetention: 'GetObjectRetention',
  GetObjectTorrent: ['GetObjectTorrent', 'GetObjectVersionTorrent'],
  GetPublicAccessBlock: 'GetBucketPublicAccessBlock',

  PutBucketAbac: 'PutBucketAbac',
  PutBucketAccelerateConfiguration: 'PutAccelerateConfiguration',
  PutBucketAcl: 'PutBucketAcl',
  PutBucketAnalyticsConfiguration: 'PutAnalyticsConfiguration',
  PutBucketCors: 'PutBucketCORS',
  PutBucketEncryption: 'PutEncryptionConfiguration',
  PutBucketIntelligentTieringConfiguration: 'PutIntelligentTieringConfiguration',
  PutBucketInventoryConfiguration: 'PutInventoryConfiguration',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  PutBucketLogging: 'PutBucketLogging',
  PutBucketMetricsConfiguration: 'PutMetricsConfiguration',
  PutBucketNotificationConfiguration: 'PutBucketNotification',
  PutBucketOwnershipControls: 'PutBucketOwnershipControls',
  PutBucketPolicy: 'PutBucketPolicy',
  PutBucketReplication: 'PutReplicationConfiguration',
  PutBucketRequestPayment: 'PutBucketRequestPayment',
  PutBucketTagging: 'PutBucketTagging',
  PutBucketVersioning: 'PutBucketVersioning',
  PutBucketWebsite: 'PutBucketWebsite',
  PutObjectLegalHold: 'PutObjectLegalHold',
  PutObjectLockConfiguration: 'PutBucketObjectLockConfiguration',
  PutObjectRetention: 'PutObjectRetention',
  PutPublicAccessBlock: 'PutBucketPublicAccessBlock',

  DeleteBucketAnalyticsConfiguration: 'PutAnalyticsConfiguration',
  DeleteBucketCors: 'PutBucketCORS',
  DeleteBucketEncryption: 'PutEncryptionConfiguration',
  DeleteBucketIntelligentTieringConfiguration: 'PutIntelligentTieringConfiguration',
  DeleteBucketInventoryConfiguration: 'PutInventoryConfiguration',
  DeleteBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  DeleteBucketMetadataConfiguration: 'DeleteBucketMetadataTableConfiguration',
  DeleteBucketMetadataTableConfiguration: 'DeleteBucketMetadataTableConfiguration',
  DeleteBucketMetricsConfiguration: 'PutMetricsConfiguration',
  DeleteBucketOwnershipControls: 'PutBucketOwnershipControls',
  DeleteBucketPolicy: 'DeleteBucketPolicy',
  DeleteBucketReplication: 'PutReplicationConfiguration',
  DeleteBucketTagging: 'PutBucketTagging',
  DeleteBucketWebsite: 'DeleteBucketWebsite',
  DeletePublicAccessBlock: 'PutBucketPublicAccessBlock',

  CreateBucketMetadataConfiguration: 'CreateBucketMetadataTableConfiguration',
  CreateBucketMetadataTableConfiguration: 'CreateBucketMetadataTableConfiguration',
  CreateSession: 'CreateSession',
  RenameObject: 'RenameObject',
  RestoreObject: 'RestoreObject',
  SelectObjectContent: 'GetObject',
  UpdateBucketMetadataInventoryTableConfiguration: 'UpdateBucketMetadataInventoryTableConfiguration',
  UpdateBucketMetadataJournalTableConfiguration: 'UpdateBucketMetadataJournalTableConfiguration',
  UpdateObjectEncryption: 'UpdateObjectEncryption',
};

/** Of what S3 has and this gateway never asks about, so that a policy which names them is not taken for a typing error. */
const OTHERS = [
  'BypassGovernanceRetention',
  'GetObjectVersionForReplication',
  'InitiateReplication',
  'ObjectOwnerOverrideToBucketOwner',
  'ReplicateDelete',
  'ReplicateObject',
  'ReplicateTags',
];

export const KNOWN_ACTIONS: readonly string[] = [
  ...new Set([...Object.values(PERMISSIONS).flat(), ...OTHERS].map((name) => `s3:${name}`)),
];

/** Every permission that the request needs. */
export function actionsOf(
  operation: OperationName,
  request: { readonly versioned: boolean; readonly headers: Readonly<Record<string, string | undefined>> },
): readonly string[] {
  const permission = PERMISSIONS[operation];
  const named = typeof permission === 'string' ? permission : permission[request.versioned ? 1 : 0];
  const tags = WRITES.has(operation) && request.headers['x-amz-tagging'] !== undefined;
  return tags ? [`s3:${named}`, 's3:PutObjectTagging'] : [`s3:${named}`];
}

/** Operations that set tags where a header says so. */
const WRITES: ReadonlySet<OperationName> = new Set(['PutObject', 'PostObject', 'CopyObject', 'CreateMultipartUpload']);
