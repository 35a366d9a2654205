// What is OBS's own in the protocol. With signature 'v2' the same is spoken with Amazon's header names, for servers
// that know only those.
import type { Dialect } from '../object-protocol/dialect.ts';
import { escapeXml } from '../object-protocol/xml.ts';

const GIB = 1024 ** 3;

export function obsDialect(signature: 'obs' | 'v2', region: string | undefined): Dialect {
  return {
    kind: 'obs',
    service: 'OBS',
    headerPrefix: signature === 'obs' ? 'x-obs-' : 'x-amz-',
    capabilities: {
      writable: true,
      list: 'full',
      // OBS documents no write condition: HEAD and PUT under a lock of this gateway.
      putIfAbsent: 'racy',
      putIfMatch: 'racy',
      userMetadataMaxBytes: 8 * 1024,
      partMinBytes: signature === 'obs' ? 100 * 1024 : 5 * 1024 * 1024,
      putMaxBytes: 5 * GIB,
      keyMaxBytes: 1_024,
      batchDeleteMax: 1_000,
      checksums: [],
      etag: 'md5',
      wantsMd5: false,
    },
    putIfAbsentHeaders: undefined,
    rangeHeaders: {},
    tellsCrc64: false,
    listStyle: 'v1',
    switchesVersioning: true,
    // radosgw encodes names in a listing of uploads when asked to, and does not say so.
    encodesUploads: signature === 'obs',
    bucketDocument: false,
    etag: { outward: (native) => native, native: (outward) => outward },
    storageClasses: signature === 'obs' ? OBS_CLASSES : AMAZON_CLASSES,
    errors: {
      VirtualHostDomainRequired: 'Misconfigured',
      InvalidAuthenticationInfo: 'Misconfigured',
      TooManyBuckets: 'AccessDenied',
      InvalidStorageClass: 'InvalidArgument',
    },
    copyMaxBytes: 5 * GIB,
    ...(signature === 'obs' && region !== undefined ? { createBucketDocument: creation(region) } : {}),
    bucketName: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    refusedKey: undefined,
  };
}

const OBS_CLASSES = { STANDARD: 'STANDARD', STANDARD_IA: 'WARM', GLACIER: 'COLD', DEEP_ARCHIVE: 'DEEP_ARCHIVE' };
const AMAZON_CLASSES = {
  STANDARD: 'STANDARD',
  STANDARD_IA: 'STANDARD_IA',
  GLACIER: 'GLACIER',
  DEEP_ARCHIVE: 'DEEP_ARCHIVE',
};

function creation(region: string): string {
  return `<CreateBucketConfiguration><Location>${escapeXml(region)}</Location></CreateBucketConfiguration>`;
}
