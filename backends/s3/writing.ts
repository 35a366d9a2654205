// Put, delete, batch delete and copy.
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import {
  BackendError,
  type Copied,
  type CopyOptions,
  type CustomerKey,
  type Deleted,
  type DeleteOutcome,
  type DeleteTarget,
  type ObjectRef,
  type PutOptions,
  type ReadConditions,
  type UploadBody,
  type VersionRef,
  type WriteConditions,
  type Written,
} from '../backend.ts';
import { checkWriteConditions } from '../conditions.ts';
import { call, callWithBody, named } from './calls.ts';
import { toEncryptionFields, toEncryptionInfo, toSourceKeyFields } from './encryption.ts';
import { fromCode } from './errors.ts';
import { headObject } from './reading.ts';
import {
  quoted,
  toAttributeFields,
  toChecksum,
  toChecksumFields,
  toConditionFields,
  toEtag,
  toTagging,
  writtenVersion,
} from './translate.ts';
import { withExpires } from './verbatim-headers.ts';

export async function putObject(
  client: S3Client,
  ref: ObjectRef,
  body: UploadBody,
  options: PutOptions,
  signal: AbortSignal,
): Promise<Written> {
  const { md5, checksum } = body.declared;
  const command = new PutObjectCommand({
    ...named(ref),
    ...toAttributeFields(options),
    ...toEncryptionFields(options),
    ...toConditionFields(options.conditions),
    ...toChecksumFields(checksum),
    ChecksumAlgorithm: checksum?.algorithm,
    ContentMD5: md5?.toString('base64'),
    ContentLength: body.sizeBytes,
    Body: body.stream,
  });
  withExpires(command, options.headers);
  const send = (abortSignal: AbortSignal) => client.send(command, { abortSignal });
  const answer = await callWithBody(client, body, send, signal).catch((error) =>
    rethrowRefusal(client, { ...ref, customerKey: options.customerKey }, options.conditions, error, signal),
  );
  return {
    etag: toEtag(answer.ETag),
    sizeBytes: body.sizeBytes,
    versionId: answer.VersionId,
    checksum: toChecksum(answer),
    encryption: toEncryptionInfo(answer),
  };
}

/**
 * S3 tells an absent object (404) from another one (412) under If-Match; some servers do not. radosgw calls a race that
 * a conditional write lost an unknown error.
 */
export async function rethrowRefusal(
  client: S3Client,
  ref: ObjectRef & { readonly customerKey?: CustomerKey | undefined },
  conditions: WriteConditions | undefined,
  error: unknown,
  signal: AbortSignal,
): Promise<never> {
  const conditional = conditions?.ifMatch !== undefined || conditions?.ifNoneMatch !== undefined;
  if (conditional && error instanceof BackendError && error.nativeCode === 'UnknownError') {
    throw new BackendError('ConditionalRequestConflict', 'Another write of this key was under way; try again.', {
      cause: error,
      nativeCode: error.nativeCode,
    });
  }
  const refused = error instanceof BackendError && error.code === 'PreconditionFailed';
  const { customerKey } = ref;
  if (refused && conditions?.ifMatch !== undefined) await headObject(client, ref, { customerKey }, signal);
  throw error;
}

/** For the operations whose conditions servers older than S3's own do not know: decided here first, then sent along. */
export async function checkTarget(
  client: S3Client,
  ref: ObjectRef & { readonly customerKey?: CustomerKey | undefined },
  conditions: WriteConditions | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (conditions?.ifMatch === undefined && conditions?.ifNoneMatch === undefined) return;
  const { customerKey } = ref;
  const current = await headObject(client, ref, { customerKey }, signal).catch((error: unknown) => {
    if (error instanceof BackendError && error.code === 'NoSuchKey') return undefined;
    throw error;
  });
  checkWriteConditions(conditions, current?.info);
}

export async function deleteObject(
  client: S3Client,
  ref: ObjectRef,
  options: { versionId?: string | undefined },
  signal: AbortSignal,
): Promise<Deleted> {
  const command = new DeleteObjectCommand({ ...named(ref), VersionId: options.versionId });
  try {
    const answer = await call(client, () => client.send(command, { abortSignal: signal }), signal);
    return { versionId: answer.VersionId, deleteMarker: answer.DeleteMarker };
  } catch (error) {
    // Deleting what is not there succeeds, whatever the server thinks of it.
    if (options.versionId === undefined || !isMissing(error)) throw error;
    return { versionId: options.versionId };
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof BackendError && (error.code === 'NoSuchVersion' || error.code === 'NoSuchKey');
}

/** XML 1.0 has no words for most control characters; keys that hold any are deleted one by one. */
const NOT_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

export async function deleteObjects(
  client: S3Client,
  bucket: string,
  targets: readonly DeleteTarget[],
  signal: AbortSignal,
): Promise<readonly DeleteOutcome[]> {
  const inBatch = targets.filter(({ key }) => !NOT_XML.test(key));
  const told = inBatch.length === 0 ? new Map<string, Told>() : await sendBatch(client, bucket, inBatch, signal);
  const outcomes: DeleteOutcome[] = [];
  for (const target of targets) {
    if (NOT_XML.test(target.key)) outcomes.push(await deleteAlone(client, bucket, target, signal));
    else outcomes.push({ ...target, ...(told.get(identify(target)) ?? { deleted: {} }) });
  }
  return outcomes;
}

type Told = { readonly deleted: Deleted } | { readonly error: BackendError };

async function sendBatch(
  client: S3Client,
  bucket: string,
  targets: readonly DeleteTarget[],
  signal: AbortSignal,
): Promise<Map<string, Told>> {
  const objects = targets.map(({ key, versionId }) => ({ Key: named({ bucket, key }).Key, VersionId: versionId }));
  const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects } });
  const answer = await call(client, () => client.send(command, { abortSignal: signal }), signal);
  const told = new Map<string, Told>();
  for (const {
    Key: key = '',
    VersionId: versionId,
    DeleteMarker: marker,
    DeleteMarkerVersionId: madeId,
  } of answer.Deleted ?? []) {
    told.set(identify({ key, versionId }), { deleted: { versionId: madeId ?? versionId, deleteMarker: marker } });
  }
  for (const {
    Key: key = '',
    VersionId: versionId,
    Code: code = 'InternalError',
    Message: message = '',
  } of answer.Errors ?? []) {
    // Deleting what is not there succeeds, whatever the server thinks of it.
    const isGone = code === 'NoSuchKey' || code === 'NoSuchVersion';
    if (!isGone) told.set(identify({ key, versionId }), { error: fromCode(code, message) });
  }
  return told;
}

async function deleteAlone(
  client: S3Client,
  bucket: string,
  target: DeleteTarget,
  signal: AbortSignal,
): Promise<DeleteOutcome> {
  try {
    const deleted = await deleteObject(client, { bucket, key: target.key }, target, signal);
    return { ...target, deleted };
  } catch (error) {
    if (error instanceof BackendError) return { ...target, error };
    throw error;
  }
}

/** Some servers tell an empty version id for none. */
function identify({ key, versionId }: DeleteTarget): string {
  return `${versionId ?? ''}/${key}`;
}

export async function copyObject(
  client: S3Client,
  source: VersionRef,
  target: ObjectRef,
  options: CopyOptions,
  signal: AbortSignal,
): Promise<Copied> {
  const { replace, replaceTags, customerKey, sourceCustomerKey } = options;
  await checkTarget(client, { ...target, customerKey }, options.conditions, signal);
  const storageClass = options.storageClass ?? replace?.storageClass;
  const command = new CopyObjectCommand({
    ...named(target),
    CopySource: copySource(source),
    ...(await sourceConditionFields(client, source, options.sourceConditions, sourceCustomerKey, signal)),
    ...toEncryptionFields(options),
    ...toSourceKeyFields(sourceCustomerKey),
    ...toConditionFields(options.conditions),
    ...(replace !== undefined && {
      ...toAttributeFields({ ...replace, tags: undefined }),
      MetadataDirective: 'REPLACE',
    }),
    ...(replaceTags !== undefined && { Tagging: toTagging(replaceTags), TaggingDirective: 'REPLACE' }),
    ...(storageClass !== undefined && { StorageClass: storageClass as 'STANDARD' }),
    ...(options.checksumAlgorithm !== undefined && { ChecksumAlgorithm: options.checksumAlgorithm }),
  });
  if (replace !== undefined) withExpires(command, replace.headers);
  const answer = await call(client, () => client.send(command, { abortSignal: signal }), signal);
  const written = { ...writtenVersion(answer.VersionId), customerKey };
  const { info } = await headObject(client, target, written, signal);
  return {
    etag: toEtag(answer.CopyObjectResult?.ETag) || info.etag,
    lastModified: answer.CopyObjectResult?.LastModified ?? info.lastModified,
    sizeBytes: info.sizeBytes,
    versionId: answer.VersionId,
    sourceVersionId: answer.CopySourceVersionId ?? source.versionId,
    checksum: answer.CopyObjectResult === undefined ? info.checksum : toChecksum(answer.CopyObjectResult),
    encryption: toEncryptionInfo(answer),
  };
}

export function copySource({ bucket, key, versionId }: VersionRef): string {
  const path = named({ bucket, key }).Key.split('/').map(encodeURIComponent).join('/');
  return `${bucket}/${path}${versionId === undefined ? '' : `?versionId=${encodeURIComponent(versionId)}`}`;
}

/**
 * Decided against the source's head, because some servers ignore such conditions; the copy is then held to that very
 * object where the server can.
 */
export async function sourceConditionFields(
  client: S3Client,
  source: VersionRef,
  conditions: ReadConditions | undefined,
  customerKey: CustomerKey | undefined,
  signal: AbortSignal,
): Promise<{ CopySourceIfMatch?: string }> {
  if (conditions === undefined) return {};
  const options = { versionId: source.versionId, conditions, customerKey };
  const { info } = await headObject(client, source, options, signal).catch((error: unknown) => {
    // S3 answers a copy whose source has not changed with 412, not 304.
    if (!(error instanceof BackendError) || error.code !== 'NotModified') throw error;
    throw new BackendError('PreconditionFailed', error.message, { cause: error });
  });
  return { CopySourceIfMatch: quoted(info.etag) };
}
