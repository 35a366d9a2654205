// What is OSS's own in the protocol.
import type { Dialect } from '../object-protocol/dialect.ts';

const GIB = 1024 ** 3;

export const OSS_DIALECT: Dialect = {
  kind: 'oss',
  service: 'OSS',
  headerPrefix: 'x-oss-',
  capabilities: {
    writable: true,
    list: 'full',
    // Void on a bucket with versioning, where OSS ignores the header.
    putIfAbsent: 'atomic',
    putIfMatch: 'racy',
    userMetadataMaxBytes: 8 * 1024,
    partMinBytes: 100 * 1024,
    putMaxBytes: 5 * GIB,
    keyMaxBytes: 1_023,
    batchDeleteMax: 1_000,
    checksums: [],
    etag: 'md5',
    wantsMd5: false,
  },
  putIfAbsentHeaders: { 'x-oss-forbid-overwrite': 'true' },
  // Without it OSS answers the whole object to a range behind its end.
  rangeHeaders: { 'x-oss-range-behavior': 'standard' },
  tellsCrc64: true,
  listStyle: 'v2',
  // With versions OSS ignores what keeps a put from replacing an object.
  switchesVersioning: false,
  encodesUploads: true,
  bucketDocument: true,
  // OSS writes hexadecimal etags in upper case and compares them as they are.
  etag: {
    outward: (native) => (/^[0-9A-F]{32}(-\d+)?$/.test(native) ? native.toLowerCase() : native),
    native: (outward) => (/^[0-9a-f]{32}(-\d+)?$/.test(outward) ? outward.toUpperCase() : outward),
  },
  storageClasses: {
    STANDARD: 'Standard',
    STANDARD_IA: 'IA',
    GLACIER: 'Archive',
    DEEP_ARCHIVE: 'DeepColdArchive',
  },
  errors: {
    FileAlreadyExists: 'PreconditionFailed',
    ObjectAlreadyExists: 'PreconditionFailed',
    InvalidAccessKeyId: 'Misconfigured',
    SecurityTokenExpired: 'Misconfigured',
    SecurityTokenNotSupported: 'Misconfigured',
    InvalidSecurityToken: 'Misconfigured',
    FilePartNotExist: 'InvalidPart',
    FilePartStale: 'InvalidPart',
    QpsLimitExceeded: 'SlowDown',
    TotalQpsLimitExceeded: 'SlowDown',
    DownloadTrafficRateLimitExceeded: 'SlowDown',
    UploadTrafficRateLimitExceeded: 'SlowDown',
    TooManyBuckets: 'AccessDenied',
    InvalidTargetType: 'NotSupported',
  },
  copyMaxBytes: 1 * GIB,
  bucketName: /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  refusedKey: /^[/\\]/,
};
