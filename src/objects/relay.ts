// Copies between two origins: the bytes pass through the gateway, under the same guard as a client's upload.

import {
  type Backend,
  BackendError,
  type BodyDigests,
  type Checksum,
  type ChecksumAlgorithm,
  type Copied,
  type CopyOptions,
  type Multipart,
  type ObjectRead,
  type ObjectRef,
  type PartCopyOptions,
  type UploadBody,
  type UploadRef,
  type VersionRef,
} from '../../backends/backend.ts';
import type { Hasher } from '../../backends/checksums.ts';
import { createHasher } from '../../backends/checksums.ts';
import { guardBody } from './guarded-body.ts';

interface RelayOptions {
  /** The target computes its etag from the MD5 of the bytes. */
  readonly wantsMd5: boolean;
  /** The checksum the target shall have; default: the one the source has. */
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
}

/** What was read at one origin as a body for another, verified against the checksum the first origin keeps of it. */
function relayBody(read: ObjectRead, options: RelayOptions): UploadBody {
  const promised =
    read.range === undefined && read.info.checksum?.type === 'FULL_OBJECT' ? read.info.checksum : undefined;
  const algorithm = options.checksumAlgorithm ?? promised?.algorithm;
  const md5 = options.wantsMd5 ? createHasher('MD5') : undefined;
  const checksum = algorithm && createHasher(algorithm);
  const digests = once(
    (): BodyDigests => ({ md5: md5?.digest(), checksum: algorithm && wholeChecksum(algorithm, checksum) }),
  );
  const sizeBytes = read.range === undefined ? read.info.sizeBytes : read.range.end - read.range.start;
  const stream = guardBody(read.body, {
    sizeBytes,
    hashers: [md5, checksum].filter((hasher) => hasher !== undefined),
    verify: () => {
      if (promised?.algorithm !== algorithm || promised?.value === digests().checksum?.value) return;
      throw new BackendError('Internal', `The bytes of '${read.info.key}' do not match the checksum its origin keeps.`);
    },
  });
  return { sizeBytes, stream, declared: {}, digests };
}

function wholeChecksum(algorithm: ChecksumAlgorithm, hasher: Hasher | undefined): Checksum | undefined {
  return hasher && { algorithm, value: hasher.digest().toString('base64'), type: 'FULL_OBJECT' };
}

/** A hasher gives its digest once; the guard and the backend both ask. */
function once<T>(compute: () => T): () => T {
  let value: { readonly of: T } | undefined;
  return () => {
    value ??= { of: compute() };
    return value.of;
  };
}

interface RelaySource {
  readonly read: Backend['read'];
  readonly ref: VersionRef;
}

/** CopyObject between origins. Tags stay behind unless the client gives new ones: origins tell only their number. */
export async function relayCopy(
  source: RelaySource,
  target: { put: NonNullable<Backend['put']>; ref: ObjectRef; wantsMd5: boolean },
  options: CopyOptions,
  signal: AbortSignal,
): Promise<Copied> {
  const read = await source.read(
    source.ref,
    {
      versionId: source.ref.versionId,
      conditions: options.sourceConditions,
      customerKey: options.sourceCustomerKey,
    },
    signal,
  );
  const body = relayBody(read, { wantsMd5: target.wantsMd5, checksumAlgorithm: options.checksumAlgorithm });
  const attributes = options.replace ?? { headers: read.info.headers, metadata: read.info.metadata };
  try {
    const written = await target.put(
      target.ref,
      body,
      {
        ...attributes,
        storageClass: options.storageClass,
        tags: options.replaceTags,
        acl: options.acl,
        conditions: options.conditions,
        encryption: options.encryption,
        customerKey: options.customerKey,
      },
      signal,
    );
    return { ...written, lastModified: written.lastModified ?? new Date(), sourceVersionId: read.info.versionId };
  } finally {
    read.body.destroy();
  }
}

export async function relayPartCopy(
  source: RelaySource,
  target: { multipart: Multipart; upload: UploadRef; partNumber: number; wantsMd5: boolean },
  options: PartCopyOptions,
  signal: AbortSignal,
): ReturnType<NonNullable<Multipart['uploadPartCopy']>> {
  const read = await source.read(
    source.ref,
    {
      versionId: source.ref.versionId,
      conditions: options.conditions,
      range: options.range,
      customerKey: options.sourceCustomerKey,
    },
    signal,
  );
  try {
    const body = relayBody(read, { wantsMd5: target.wantsMd5 });
    const part = await target.multipart.uploadPart(target.upload, target.partNumber, body, signal);
    return { ...part, lastModified: new Date(), sourceVersionId: read.info.versionId };
  } finally {
    read.body.destroy();
  }
}
