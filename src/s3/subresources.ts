// Every sub-resource S3 knows by name, and which operation a method on it means. A sub-resource that is not offered
// has a row too, so that a request for it is refused and never taken for the plain operation on the bucket or object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html

/** Operations by method; a method without one is not allowed on the sub-resource. */
type Methods = Readonly<Partial<Record<string, string>>>;

/** Get, Put and Delete under the name S3 gives the thing. */
function crud<Name extends string>(name: Name) {
  return { GET: `Get${name}`, PUT: `Put${name}`, DELETE: `Delete${name}` } as const;
}

function getPut<Name extends string>(name: Name) {
  return { GET: `Get${name}`, PUT: `Put${name}` } as const;
}

export const BUCKET_SUBRESOURCES = {
  abac: getPut('BucketAbac'),
  accelerate: getPut('BucketAccelerateConfiguration'),
  acl: getPut('BucketAcl'),
  analytics: crud('BucketAnalyticsConfiguration'),
  cors: crud('BucketCors'),
  delete: { POST: 'DeleteObjects' },
  encryption: crud('BucketEncryption'),
  'intelligent-tiering': crud('BucketIntelligentTieringConfiguration'),
  inventory: crud('BucketInventoryConfiguration'),
  lifecycle: crud('BucketLifecycleConfiguration'),
  location: { GET: 'GetBucketLocation' },
  logging: getPut('BucketLogging'),
  metadataConfiguration: {
    GET: 'GetBucketMetadataConfiguration',
    POST: 'CreateBucketMetadataConfiguration',
    DELETE: 'DeleteBucketMetadataConfiguration',
  },
  metadataInventoryTable: { PUT: 'UpdateBucketMetadataInventoryTableConfiguration' },
  metadataJournalTable: { PUT: 'UpdateBucketMetadataJournalTableConfiguration' },
  metadataTable: {
    GET: 'GetBucketMetadataTableConfiguration',
    POST: 'CreateBucketMetadataTableConfiguration',
    DELETE: 'DeleteBucketMetadataTableConfiguration',
  },
  metrics: crud('BucketMetricsConfiguration'),
  notification: getPut('BucketNotificationConfiguration'),
  'object-lock': getPut('ObjectLockConfiguration'),
  ownershipControls: crud('BucketOwnershipControls'),
  policy: crud('BucketPolicy'),
  policyStatus: { GET: 'GetBucketPolicyStatus' },
  publicAccessBlock: crud('PublicAccessBlock'),
  replication: crud('BucketReplication'),
  requestPayment: getPut('BucketRequestPayment'),
  session: { GET: 'CreateSession' },
  tagging: crud('BucketTagging'),
  uploads: { GET: 'ListMultipartUploads' },
  versioning: getPut('BucketVersioning'),
  versions: { GET: 'ListObjectVersions' },
  website: crud('BucketWebsite'),
} as const satisfies Record<string, Methods>;

export const OBJECT_SUBRESOURCES = {
  acl: getPut('ObjectAcl'),
  attributes: { GET: 'GetObjectAttributes' },
  encryption: { PUT: 'UpdateObjectEncryption' },
  'legal-hold': getPut('ObjectLegalHold'),
  renameObject: { PUT: 'RenameObject' },
  restore: { POST: 'RestoreObject' },
  retention: getPut('ObjectRetention'),
  select: { POST: 'SelectObjectContent' },
  tagging: crud('ObjectTagging'),
  torrent: { GET: 'GetObjectTorrent' },
  uploadId: {
    GET: 'ListParts',
    PUT: 'UploadPart',
    POST: 'CompleteMultipartUpload',
    DELETE: 'AbortMultipartUpload',
  },
  uploads: { POST: 'CreateMultipartUpload' },
} as const satisfies Record<string, Methods>;

type OperationsOf<Table> = {
  [Name in keyof Table]: Table[Name][keyof Table[Name]];
}[keyof Table];

export type SubresourceOperation = Extract<
  OperationsOf<typeof BUCKET_SUBRESOURCES> | OperationsOf<typeof OBJECT_SUBRESOURCES>,
  string
>;
