// Uploads in parts, and the parts of objects that were made so.
import type { CustomerKey, EncryptionOptions } from './encryption.ts';
import type { Checksum, ChecksumAlgorithm, ChecksumType, ObjectAttributes, ObjectRef, VersionRef } from './object.ts';
import type { ByteRange, ReadConditions } from './reading.ts';
import type { UploadBody, WriteConditions, Written } from './writing.ts';

export interface UploadRef extends ObjectRef {
  readonly uploadId: string;
  /** That the upload was begun with. */
  readonly customerKey?: CustomerKey | undefined;
}

export interface PartCopyOptions {
  readonly range?: ByteRange | undefined;
  readonly conditions?: ReadConditions | undefined;
  readonly sourceCustomerKey?: CustomerKey | undefined;
}

export interface CreateUploadOptions extends ObjectAttributes, EncryptionOptions {
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
  readonly checksumType?: ChecksumType | undefined;
}

export interface Part {
  /** 1 to 10,000. */
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModified: Date;
  readonly checksum?: Checksum | undefined;
}

export interface PartListPage {
  readonly parts: readonly Part[];
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
  readonly checksumType?: ChecksumType | undefined;
  readonly storageClass?: string | undefined;
  /** Set when there is more: the number to go on after. */
  readonly nextAfter?: number | undefined;
}

/** A part of an object that a multipart upload made. */
type ObjectPart = Pick<Part, 'partNumber' | 'sizeBytes' | 'checksum'>;

export interface ObjectPartsPage {
  readonly parts: readonly ObjectPart[];
  readonly partCount: number;
  /** Set when there is more: the number to go on after. */
  readonly nextAfter?: number | undefined;
}

export interface CompletedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly checksum?: Checksum | undefined;
}

export interface CompleteOptions {
  readonly conditions?: WriteConditions | undefined;
  /** What the client says the whole object's checksum is; refused as BadDigest when it is not. */
  readonly checksum?: Checksum | undefined;
  /** What the client says the whole object's size is. */
  readonly sizeBytes?: number | undefined;
}

export interface ListUploadsOptions {
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
  readonly keyMarker?: string | undefined;
  readonly uploadIdMarker?: string | undefined;
  /** 1 to 1,000. */
  readonly maxEntries: number;
}

export interface PendingUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiated: Date;
  readonly storageClass?: string | undefined;
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
  readonly checksumType?: ChecksumType | undefined;
}

/** Ordered by key, then by the time an upload was begun. */
export interface UploadListPage {
  readonly uploads: readonly PendingUpload[];
  readonly prefixes: readonly string[];
  readonly next?: { readonly keyMarker: string; readonly uploadIdMarker?: string | undefined } | undefined;
}

/** Of a listing of parts, by their numbers. */
export interface PartListOptions {
  /** Those behind this one. */
  readonly after?: number | undefined;
  /** 1 to 1,000. */
  readonly maxEntries: number;
}

/** Multipart uploads. createUpload to completeUpload as S3 has them; a second identical complete answers the same. */
export interface Multipart {
  createUpload(ref: ObjectRef, options: CreateUploadOptions, signal: AbortSignal): Promise<string>;
  uploadPart(
    upload: UploadRef,
    partNumber: number,
    body: UploadBody,
    signal: AbortSignal,
  ): Promise<{ etag: string; checksum?: Checksum | undefined }>;
  /** Within this backend. Absent: the gateway reads and uploads. */
  uploadPartCopy?(
    upload: UploadRef,
    partNumber: number,
    source: VersionRef,
    options: PartCopyOptions,
    signal: AbortSignal,
  ): Promise<{
    etag: string;
    lastModified: Date;
    sourceVersionId?: string | undefined;
    checksum?: Checksum | undefined;
  }>;
  /** Rejects with NoSuchUpload when it is unknown, completed or aborted. */
  listParts(upload: UploadRef, options: PartListOptions, signal: AbortSignal): Promise<PartListPage>;
  listUploads(bucket: string, options: ListUploadsOptions, signal: AbortSignal): Promise<UploadListPage>;
  completeUpload(
    upload: UploadRef,
    parts: readonly CompletedPart[],
    options: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Written>;
  abortUpload(upload: UploadRef, signal: AbortSignal): Promise<void>;
}
