// Writes and copies, and what they made.
import type { Readable } from 'node:stream';
import type { CustomerKey, EncryptionInfo, EncryptionOptions } from './encryption.ts';
import type { CannedAcl, Checksum, ChecksumAlgorithm, ObjectAttributes } from './object.ts';
import type { ReadConditions } from './reading.ts';

/** ifNoneMatch '*': only when no such object exists. ifMatch: only when the current object has this etag ('*': any). */
export interface WriteConditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/**
 * A body on its way in. The stream carries exactly `sizeBytes` bytes and ends only after everything the client
 * promised about them (length, digests, signatures) has proved true; otherwise it is destroyed with the reason
 * before its last byte was given out, and the backend commits nothing.
 */
export interface UploadBody {
  readonly sizeBytes: number;
  readonly stream: Readable;
  /** What the client declared up front; the stream enforces it, a backend may pass it on to its origin. */
  readonly declared: { readonly md5?: Buffer | undefined; readonly checksum?: Checksum | undefined };
  /** Call only after the stream has ended. md5 is there when the backend's capabilities ask for it. */
  digests(): BodyDigests;
}

export interface BodyDigests {
  readonly md5?: Buffer | undefined;
  readonly checksum?: Checksum | undefined;
}

export interface PutOptions extends ObjectAttributes, EncryptionOptions {
  readonly conditions?: WriteConditions | undefined;
}

/** What a write made. */
export interface Written {
  readonly etag: string;
  readonly sizeBytes: number;
  /** Where the origin does not say, the caller heads the object when it needs it. */
  readonly lastModified?: Date | undefined;
  readonly versionId?: string | undefined;
  readonly checksum?: Checksum | undefined;
  readonly encryption?: EncryptionInfo | undefined;
}

/** Of the target. */
export interface CopyOptions extends EncryptionOptions {
  readonly sourceCustomerKey?: CustomerKey | undefined;
  /** Conditions on the source. */
  readonly sourceConditions?: ReadConditions | undefined;
  /** Conditions on the target. */
  readonly conditions?: WriteConditions | undefined;
  /** Absent: the source's attributes are kept. */
  readonly replace?: ObjectAttributes | undefined;
  /** Absent: the source's tags are kept. */
  readonly replaceTags?: Readonly<Record<string, string>> | undefined;
  readonly storageClass?: string | undefined;
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
  /** Of the copy; the source's is never kept. */
  readonly acl?: CannedAcl | undefined;
}

export interface Copied extends Written {
  readonly lastModified: Date;
  readonly sourceVersionId?: string | undefined;
}
