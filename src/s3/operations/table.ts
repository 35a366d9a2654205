// Every operation by name: what a caller must be allowed to do, and what does it. A name without a row is a type error.
import type { OperationName } from '../operation.ts';
import { abortMultipartUpload } from './abort-multipart-upload.ts';
import { getBucketAcl, getObjectAcl, putBucketAcl, putObjectAcl } from './acls.ts';
import { deleteBucketCors, getBucketCors, putBucketCors } from './bucket-cors.ts';
import { deleteBucketPolicy, getBucketPolicy, getBucketPolicyStatus, putBucketPolicy } from './bucket-policy.ts';
import {
  getBucketAccelerateConfiguration,
  getBucketLocation,
  getBucketLogging,
  getBucketNotificationConfiguration,
  getBucketRequestPayment,
} from './bucket-settings.ts';
import { deleteBucketTagging, getBucketTagging, putBucketTagging } from './bucket-tagging.ts';
import { getBucketVersioning, putBucketVersioning } from './bucket-versioning.ts';
import { createBucket, deleteBucket, headBucket } from './buckets.ts';
import { completeMultipartUpload } from './complete-multipart-upload.ts';
import { copyObject } from './copy-object.ts';
import { createMultipartUpload } from './create-multipart-upload.ts';
import { deleteObject } from './delete-object.ts';
import { deleteObjects } from './delete-objects.ts';
import { getObject, headObject } from './get-object.ts';
import { getObjectAttributes } from './get-object-attributes.ts';
import { listBuckets } from './list-buckets.ts';
import { listMultipartUploads } from './list-multipart-uploads.ts';
import { listObjectVersions } from './list-object-versions.ts';
import { listObjects } from './list-objects.ts';
import { listObjectsV2 } from './list-objects-v2.ts';
import { listParts } from './list-parts.ts';
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './object-tagging.ts';
import type { Operation } from './operation-context.ts';
import { postObject } from './post-object.ts';
import { deletePublicAccessBlock, getPublicAccessBlock, putPublicAccessBlock } from './public-access-block.ts';
import { putObject } from './put-object.ts';
import { NOT_IMPLEMENTED, NOTHING_TO_DELETE, nothingConfigured } from './refused.ts';
import { uploadPart, uploadPartCopy } from './upload-part.ts';

export const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  ListBuckets: { action: 'list', handler: listBuckets },

  HeadBucket: { action: 'read', handler: headBucket },
  CreateBucket: { action: 'admin', handler: createBucket },
  DeleteBucket: { action: 'admin', handler: deleteBucket },
  GetBucketLocation: { action: 'read', handler: getBucketLocation },
  GetBucketVersioning: { action: 'read', handler: getBucketVersioning },
  PutBucketVersioning: { action: 'admin', handler: putBucketVersioning },
  GetBucketRequestPayment: { action: 'read', handler: getBucketRequestPayment },
  GetBucketAccelerateConfiguration: { action: 'read', handler: getBucketAccelerateConfiguration },
  GetBucketLogging: { action: 'read', handler: getBucketLogging },
  GetBucketNotificationConfiguration: { action: 'read', handler: getBucketNotificationConfiguration },
  GetBucketAcl: { action: 'read', handler: getBucketAcl },
  GetBucketCors: { action: 'read', handler: getBucketCors },
  PutBucketCors: { action: 'admin', handler: putBucketCors },
  DeleteBucketCors: { action: 'admin', handler: deleteBucketCors },
  GetBucketTagging: { action: 'read', handler: getBucketTagging },
  PutBucketTagging: { action: 'admin', handler: putBucketTagging },
  DeleteBucketTagging: { action: 'admin', handler: deleteBucketTagging },
  PutBucketAcl: { action: 'admin', handler: putBucketAcl },
  GetBucketPolicy: { action: 'admin', handler: getBucketPolicy },
  PutBucketPolicy: { action: 'admin', handler: putBucketPolicy },
  DeleteBucketPolicy: { action: 'admin', handler: deleteBucketPolicy },
  GetBucketPolicyStatus: { action: 'read', handler: getBucketPolicyStatus },
  GetPublicAccessBlock: { action: 'read', handler: getPublicAccessBlock },
  PutPublicAccessBlock: { action: 'admin', handler: putPublicAccessBlock },
  DeletePublicAccessBlock: { action: 'admin', handler: deletePublicAccessBlock },

  ListObjects: { action: 'list', handler: listObjects },
  ListObjectsV2: { action: 'list', handler: listObjectsV2 },
  ListObjectVersions: { action: 'list', handler: listObjectVersions },
  ListMultipartUploads: { action: 'list', handler: listMultipartUploads },
  // Each key is authorised by itself.
  DeleteObjects: { action: 'delete', handler: deleteObjects, perKey: true },

  GetObject: { action: 'read', handler: getObject },
  HeadObject: { action: 'read', handler: headObject },
  GetObjectAcl: { action: 'read', handler: getObjectAcl },
  GetObjectAttributes: { action: 'read', handler: getObjectAttributes },
  GetObjectTagging: { action: 'read', handler: getObjectTagging },
  PutObjectTagging: { action: 'write', handler: putObjectTagging, tagsInBody: true },
  DeleteObjectTagging: { action: 'write', handler: deleteObjectTagging },
  PutObject: { action: 'write', handler: putObject },
  PostObject: { action: 'write', handler: postObject },
  PutObjectAcl: { action: 'write', handler: putObjectAcl },
  CopyObject: { action: 'write', handler: copyObject, slow: true },
  DeleteObject: { action: 'delete', handler: deleteObject },

  CreateMultipartUpload: { action: 'write', handler: createMultipartUpload },
  UploadPart: { action: 'write', handler: uploadPart },
  UploadPartCopy: { action: 'write', handler: uploadPartCopy, slow: true },
  CompleteMultipartUpload: { action: 'write', handler: completeMultipartUpload, slow: true },
  AbortMultipartUpload: { action: 'write', handler: abortMultipartUpload },
  ListParts: { action: 'write', handler: listParts },

  GetBucketAnalyticsConfiguration: nothingConfigured('NoSuchConfiguration'),
  GetBucketEncryption: nothingConfigured('ServerSideEncryptionConfigurationNotFoundError'),
  GetBucketIntelligentTieringConfiguration: nothingConfigured('NoSuchConfiguration'),
  GetBucketInventoryConfiguration: nothingConfigured('NoSuchConfiguration'),
  GetBucketLifecycleConfiguration: nothingConfigured('NoSuchLifecycleConfiguration'),
  GetBucketMetricsConfiguration: nothingConfigured('NoSuchConfiguration'),
  GetBucketOwnershipControls: nothingConfigured('OwnershipControlsNotFoundError'),
  GetBucketReplication: nothingConfigured('ReplicationConfigurationNotFoundError'),
  GetBucketWebsite: nothingConfigured('NoSuchWebsiteConfiguration'),
  GetObjectLegalHold: nothingConfigured('NoSuchObjectLockConfiguration'),
  GetObjectLockConfiguration: nothingConfigured('ObjectLockConfigurationNotFoundError'),
  GetObjectRetention: nothingConfigured('NoSuchObjectLockConfiguration'),

  DeleteBucketEncryption: NOTHING_TO_DELETE,
  DeleteBucketLifecycleConfiguration: NOTHING_TO_DELETE,
  DeleteBucketOwnershipControls: NOTHING_TO_DELETE,
  DeleteBucketReplication: NOTHING_TO_DELETE,
  DeleteBucketWebsite: NOTHING_TO_DELETE,
  DeleteBucketAnalyticsConfiguration: { ...nothingConfigured('NoSuchConfiguration'), action: 'admin' },
  DeleteBucketIntelligentTieringConfiguration: { ...nothingConfigured('NoSuchConfiguration'), action: 'admin' },
  DeleteBucketInventoryConfiguration: { ...nothingConfigured('NoSuchConfiguration'), action: 'admin' },
  DeleteBucketMetricsConfiguration: { ...nothingConfigured('NoSuchConfiguration'), action: 'admin' },

  CreateBucketMetadataConfiguration: NOT_IMPLEMENTED,
  CreateBucketMetadataTableConfiguration: NOT_IMPLEMENTED,
  CreateSession: NOT_IMPLEMENTED,
  DeleteBucketMetadataConfiguration: NOT_IMPLEMENTED,
  DeleteBucketMetadataTableConfiguration: NOT_IMPLEMENTED,
  GetBucketAbac: NOT_IMPLEMENTED,
  GetBucketMetadataConfiguration: NOT_IMPLEMENTED,
  GetBucketMetadataTableConfiguration: NOT_IMPLEMENTED,
  GetObjectTorrent: NOT_IMPLEMENTED,
  PutBucketAbac: NOT_IMPLEMENTED,
  PutBucketAccelerateConfiguration: NOT_IMPLEMENTED,
  PutBucketAnalyticsConfiguration: NOT_IMPLEMENTED,
  PutBucketEncryption: NOT_IMPLEMENTED,
  PutBucketIntelligentTieringConfiguration: NOT_IMPLEMENTED,
  PutBucketInventoryConfiguration: NOT_IMPLEMENTED,
  PutBucketLifecycleConfiguration: NOT_IMPLEMENTED,
  PutBucketLogging: NOT_IMPLEMENTED,
  PutBucketMetricsConfiguration: NOT_IMPLEMENTED,
  PutBucketNotificationConfiguration: NOT_IMPLEMENTED,
  PutBucketOwnershipControls: NOT_IMPLEMENTED,
  PutBucketReplication: NOT_IMPLEMENTED,
  PutBucketRequestPayment: NOT_IMPLEMENTED,
  PutBucketWebsite: NOT_IMPLEMENTED,
  PutObjectLegalHold: NOT_IMPLEMENTED,
  PutObjectLockConfiguration: NOT_IMPLEMENTED,
  PutObjectRetention: NOT_IMPLEMENTED,
  RenameObject: NOT_IMPLEMENTED,
  RestoreObject: NOT_IMPLEMENTED,
  SelectObjectContent: NOT_IMPLEMENTED,
  UpdateBucketMetadataInventoryTableConfiguration: NOT_IMPLEMENTED,
  UpdateBucketMetadataJournalTableConfiguration: NOT_IMPLEMENTED,
  UpdateObjectEncryption: NOT_IMPLEMENTED,
};
