// Multipart uploads at an S3 origin.
import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { LRUCache } from 'lru-cache';
import {
  BackendError,
  type Checksum,
  type ChecksumAlgorithm,
  type CompletedPart,
  type CompleteOptions,
  type CreateUploadOptions,
  type ListUploadsOptions,
  type Multipart,
  type ObjectRef,
  type PartCopyOptions,
  type PartListOptions,
  type PartListPage,
  type UploadBody,
  type UploadListPage,
  type UploadRef,
  type VersionRef,
  type Written,
} from '../backend.ts';
import { call, callWithBody, named } from './calls.ts';
import { toCustomerKeyFields, toEncryptionFields, toSourceKeyFields } from './encryption.ts';
import { decoder } from './listing.ts';
import { headObject } from './reading.ts';
import {
  toAlgorithm,
  toAttributeFields,
  toChecksum,
  toChecksumFields,
  toChecksumType,
  toConditionFields,
  toEtag,
  toRangeHeader,
  writtenVersion,
} from './translate.ts';
import { withExpires } from './verbatim-headers.ts';
import { checkTarget, copySource, rethrowRefusal, sourceConditionFields } from './writing.ts';

/** Uploads whose algorithm is remembered; of others the origin is asked again. */
const REMEMBERED_UPLOADS = 10_000;

export class S3Multipart implements Multipart {
  readonly #client: S3Client;
  readonly #algorithms = new LRUCache<string, ChecksumAlgorithm | 'none'>({ max: REMEMBERED_UPLOADS });

  constructor(client: S3Client) {
    this.#client = client;
  }

  async createUpload(ref: ObjectRef, options: CreateUploadOptions, signal: AbortSignal): Promise<string> {
    const command = new CreateMultipartUploadCommand({
      ...named(ref),
      ...toAttributeFields(options),
      ...toEncryptionFields(options),
      ChecksumAlgorithm: options.checksumAlgorithm,
      ChecksumType: options.checksumType,
    });
    withExpires(command, options.headers);
    const answer = await call(this.#client, () => this.#client.send(command, { abortSignal: signal }), signal);
    const uploadId = answer.UploadId;
    if (uploadId === undefined)
      throw new BackendError('Unavailable', 'The origin began an upload and did not name it.');
    // An origin that does not know checksums does not repeat the algorithm.
    this.#algorithms.set(uploadId, toAlgorithm(answer.ChecksumAlgorithm) ?? 'none');
    return uploadId;
  }

  async uploadPart(
    upload: UploadRef,
    partNumber: number,
    body: UploadBody,
    signal: AbortSignal,
  ): Promise<{ etag: string; checksum?: Checksum | undefined }> {
    const { md5, checksum } = body.declared;
    // Of an upload that keeps checksums every part needs one. What the client sends behind the body cannot go before
    // it: the SDK computes its own and sends it behind the body, too.
    const algorithm = checksum === undefined ? await this.#algorithmOf(upload, signal) : 'none';
    const command = new UploadPartCommand({
      ...named(upload),
      ...toCustomerKeyFields(upload.customerKey),
      ...toChecksumFields(checksum),
      UploadId: upload.uploadId,
      PartNumber: partNumber,
      ContentMD5: md5?.toString('base64'),
      ContentLength: body.sizeBytes,
      Body: body.stream,
      ChecksumAlgorithm: algorithm === 'none' ? checksum?.algorithm : algorithm,
    });
    const send = (abortSignal: AbortSignal) => this.#client.send(command, { abortSignal });
    const answer = await callWithBody(this.#client, body, send, signal).catch(rethrowOfUpload);
    return { etag: toEtag(answer.ETag), checksum: toChecksum(answer) };
  }

  async #algorithmOf(upload: UploadRef, signal: AbortSignal): Promise<ChecksumAlgorithm | 'none'> {
    const known = this.#algorithms.get(upload.uploadId);
    if (known !== undefined) return known;
    const { checksumAlgorithm = 'none' } = await this.listParts(upload, { maxEntries: 1 }, signal);
    this.#algorithms.set(upload.uploadId, checksumAlgorithm);
    return checksumAlgorithm;
  }

  async uploadPartCopy(
    upload: UploadRef,
    partNumber: number,
    source: VersionRef,
    options: PartCopyOptions,
    signal: AbortSignal,
  ) {
    const command = new UploadPartCopyCommand({
      ...named(upload),
      UploadId: upload.uploadId,
      PartNumber: partNumber,
      CopySource: copySource(source),
      ...(options.range !== undefined && { CopySourceRange: toRangeHeader(options.range) }),
      ...(await sourceConditionFields(this.#client, source, options.conditions, options.sourceCustomerKey, signal)),
      ...toCustomerKeyFields(upload.customerKey),
      ...toSourceKeyFields(options.sourceCustomerKey),
    });
    const answer = await call(this.#client, () => this.#client.send(command, { abortSignal: signal }), signal);
    const result = answer.CopyPartResult ?? {};
    return {
      etag: toEtag(result.ETag),
      lastModified: result.LastModified ?? new Date(),
      sourceVersionId: answer.CopySourceVersionId ?? source.versionId,
      checksum: toChecksum(result),
    };
  }

  async listParts(upload: UploadRef, options: PartListOptions, signal: AbortSignal): Promise<PartListPage> {
    const command = new ListPartsCommand({
      ...named(upload),
      ...toCustomerKeyFields(upload.customerKey),
      UploadId: upload.uploadId,
      MaxParts: options.maxEntries,
      ...(options.after !== undefined && { PartNumberMarker: String(options.after) }),
    });
    const send = () => this.#client.send(command, { abortSignal: signal });
    const answer = await call(this.#client, send, signal).catch(rethrowOfUpload);
    const parts = (answer.Parts ?? []).map((part) => ({
      partNumber: part.PartNumber ?? 0,
      sizeBytes: part.Size ?? 0,
      etag: toEtag(part.ETag),
      lastModified: part.LastModified ?? new Date(0),
      checksum: toChecksum(part),
    }));
    return {
      parts,
      checksumAlgorithm: toAlgorithm(answer.ChecksumAlgorithm),
      checksumType: toChecksumType(answer.ChecksumType),
      storageClass: answer.StorageClass,
      ...(answer.IsTruncated === true && { nextAfter: parts.at(-1)?.partNumber }),
    };
  }

  async listUploads(bucket: string, options: ListUploadsOptions, signal: AbortSignal): Promise<UploadListPage> {
    // Keys come as they are: radosgw encodes them when asked to and does not say so.
    const command = new ListMultipartUploadsCommand({
      Bucket: bucket,
      MaxUploads: options.maxEntries,
      Prefix: options.prefix,
      Delimiter: options.delimiter,
      KeyMarker: options.keyMarker,
      UploadIdMarker: options.uploadIdMarker,
    });
    const answer = await call(this.#client, () => this.#client.send(command, { abortSignal: signal }), signal);
    const decode = decoder(answer.EncodingType);
    const uploads = (answer.Uploads ?? []).map((upload) => ({
      key: decode(upload.Key ?? ''),
      uploadId: upload.UploadId ?? '',
      initiated: upload.Initiated ?? new Date(0),
      storageClass: upload.StorageClass,
      checksumAlgorithm: toAlgorithm(upload.ChecksumAlgorithm),
      checksumType: toChecksumType(upload.ChecksumType),
    }));
    const prefixes = (answer.CommonPrefixes ?? []).map(({ Prefix: common = '' }) => decode(common));
    if (answer.IsTruncated !== true) return { uploads, prefixes };
    const next = { keyMarker: decode(answer.NextKeyMarker ?? ''), uploadIdMarker: answer.NextUploadIdMarker };
    return { uploads, prefixes, next };
  }

  async completeUpload(
    upload: UploadRef,
    parts: readonly CompletedPart[],
    options: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Written> {
    checkOrder(parts);
    await checkTarget(this.#client, upload, options.conditions, signal);
    const command = new CompleteMultipartUploadCommand({
      ...named(upload),
      ...toCustomerKeyFields(upload.customerKey),
      ...toConditionFields(options.conditions),
      ...toChecksumFields(options.checksum),
      ChecksumType: options.checksum?.type,
      MpuObjectSize: options.sizeBytes,
      UploadId: upload.uploadId,
      MultipartUpload: {
        Parts: parts.map((part) => ({
          PartNumber: part.partNumber,
          ETag: `"${part.etag}"`,
          ...toChecksumFields(part.checksum),
        })),
      },
    });
    const send = () => this.#client.send(command, { abortSignal: signal });
    const answer = await call(this.#client, send, signal)
      .catch(rethrowOfUpload)
      .catch((error) => rethrowRefusal(this.#client, upload, options.conditions, error, signal))
      .catch((error) => this.#forgiveRepetition(upload, parts, error, signal));
    this.#algorithms.delete(upload.uploadId);
    const { customerKey } = upload;
    const written = { ...writtenVersion(answer.VersionId), customerKey };
    const { info } = await headObject(this.#client, upload, written, signal);
    return {
      etag: toEtag(answer.ETag) || info.etag,
      sizeBytes: info.sizeBytes,
      lastModified: info.lastModified,
      versionId: answer.VersionId,
      checksum: toChecksum(answer) ?? info.checksum,
      encryption: info.encryption,
    };
  }

  /** A complete whose answer got lost is sent again; servers that have forgotten the upload show by the object. */
  async #forgiveRepetition(
    upload: UploadRef,
    parts: readonly CompletedPart[],
    error: unknown,
    signal: AbortSignal,
  ): Promise<Partial<CompleteMultipartUploadCommandOutput>> {
    if (!(error instanceof BackendError) || error.code !== 'NoSuchUpload') throw error;
    const { customerKey } = upload;
    const head = await headObject(this.#client, upload, { customerKey }, signal).catch(() => {
      throw error;
    });
    if (head.info.etag !== multipartEtag(parts)) throw error;
    return { ETag: head.info.etag, VersionId: head.info.versionId };
  }

  async abortUpload(upload: UploadRef, signal: AbortSignal): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...named(upload), UploadId: upload.uploadId });
    const send = () => this.#client.send(command, { abortSignal: signal });
    await call(this.#client, send, signal).catch(rethrowOfUpload);
    this.#algorithms.delete(upload.uploadId);
  }
}

/** Some servers keep uploads as objects, and say of a missing one what they say of those. */
function rethrowOfUpload(error: unknown): never {
  if (!(error instanceof BackendError) || error.code !== 'NoSuchKey') throw error;
  throw new BackendError('NoSuchUpload', 'The origin has no such upload.', {
    cause: error,
    nativeCode: error.nativeCode,
  });
}

function checkOrder(parts: readonly CompletedPart[]): void {
  const outOfOrder = parts.some((part, index) => part.partNumber <= (parts[index - 1]?.partNumber ?? 0));
  if (outOfOrder) throw new BackendError('InvalidPartOrder', 'Parts are named once each, in ascending order.');
}

/** What S3 gives an object of these parts: the MD5 of their MD5s, and how many they are. */
function multipartEtag(parts: readonly CompletedPart[]): string {
  const digests = parts.map((part) => Buffer.from(part.etag, 'hex'));
  return `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${parts.length}`;
}
