// The contract between the gateway and an origin, and the words both use. Types and BackendError only: what follows
// from them (conditions, ranges, checksums) stands in the files beside this one, and every implementation passes
// test/contracts/backend.ts.
//
// Rules that hold for every method:
// - It rejects with a BackendError, with the signal's reason, or (put, uploadPart) with the very error its body's
//   stream was destroyed with. Nothing else.
// - A put, uploadPart, copy or completeUpload that rejected or was aborted has committed nothing that a reader or
//   lister can see, except where the error is 'Timeout' or 'Unavailable' after the last byte was sent: then the
//   origin may have committed all of it, never a part.
// - Keys and names are Unicode strings; order is that of their UTF-8 bytes.
// - Nothing here is an S3 status code. The dialect (src/s3) translates codes.
import type { Readable } from 'node:stream';

export interface ObjectRef {
  readonly bucket: string;
  readonly key: string;
}

export interface VersionRef extends ObjectRef {
  /** Absent: the current version. 'null': the version written while versioning was off. */
  readonly versionId?: string | undefined;
}

export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64 of the big-endian digest; a composite one ends in '-' and its number of parts. */
  readonly value: string;
  readonly type: ChecksumType;
}

/** The headers an object keeps for its readers, verbatim. */
export interface ObjectHeaders {
  readonly contentType?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly expires?: string | undefined;
}

/** What a listing knows of an object. */
export interface ObjectSummary {
  readonly key: string;
  readonly sizeBytes: number;
  /** Unquoted; lower-case where it is hexadecimal. */
  readonly etag: string;
  readonly lastModified: Date;
  readonly storageClass?: string | undefined;
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
  readonly checksumType?: ChecksumType | undefined;
}

export interface ObjectInfo extends Omit<ObjectSummary, 'checksumAlgorithm' | 'checksumType'> {
  readonly headers: ObjectHeaders;
  /** User metadata: lower-case names without prefix, values as Unicode text. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly versionId?: string | undefined;
  readonly checksum?: Checksum | undefined;
  /** Set on objects made by a multipart upload, where the origin tells. */
  readonly partCount?: number | undefined;
  readonly tagCount?: number | undefined;
  /** Absent: its bucket's owner alone. */
  readonly acl?: CannedAcl | undefined;
  readonly encryption?: EncryptionInfo | undefined;
  /** 'none': the etag does not name these bytes (a weak or missing validator); such an object is never cached. */
  readonly identity: 'strong' | 'none';
}

/** What an answer without the object tells of it: a 304 has neither its size nor its metadata. */
export type ToldInfo = Pick<ObjectInfo, 'etag'> & Partial<ObjectInfo>;

/** How an origin is asked to encrypt what is written; the keys are the origin's. */
export interface Encryption {
  readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  readonly kmsKeyId?: string | undefined;
  /** Base64 of a JSON object. */
  readonly kmsContext?: string | undefined;
  readonly bucketKey?: boolean | undefined;
}

/** A key that the client keeps: given with every request about the object, kept and logged nowhere. */
export interface CustomerKey {
  readonly algorithm: 'AES256';
  /** Base64 of 32 bytes. */
  readonly key: string;
}

/** How an object is encrypted, as its origin tells it. */
export interface EncryptionInfo {
  readonly algorithm?: string | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly bucketKey?: boolean | undefined;
  readonly customerAlgorithm?: string | undefined;
  readonly customerKeyMd5?: string | undefined;
}

/** RFC 9110 §13 in S3's reading. Etags are unquoted; '*' stands for any. Times have second precision. */
export interface ReadConditions {
  readonly ifMatch?: readonly string[] | undefined;
  readonly ifNoneMatch?: readonly string[] | undefined;
  readonly ifModifiedSince?: Date | undefined;
  readonly ifUnmodifiedSince?: Date | undefined;
}

/** ifNoneMatch '*': only when no such object exists. ifMatch: only when the current object has this etag ('*': any). */
export interface WriteConditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** What a client asked for; `end` is exclusive. Resolved against a size by resolveRange (range.ts). */
export type RangeRequest =
  | { readonly start: number; readonly end?: number | undefined }
  | { readonly suffixBytes: number };

/** Half-open, within the object. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface HeadOptions {
  readonly versionId?: string | undefined;
  readonly customerKey?: CustomerKey | undefined;
  readonly conditions?: ReadConditions | undefined;
  /** 1 to 10,000: the answer is about this part of a multipart object. */
  readonly partNumber?: number | undefined;
}

export interface ReadOptions extends HeadOptions {
  /** At most one of range and partNumber. */
  readonly range?: RangeRequest | undefined;
  /**
   * Where the origin's limits are reached 'prefetch' yields to 'demand', and 'preheat' to both. It may rise while the
   * read waits or its body comes. Default 'demand'.
   */
  readonly priority?: 'demand' | 'prefetch' | 'preheat' | undefined;
}

export interface ObjectHead {
  readonly info: ObjectInfo;
  /** Set when a range or part was asked for and applied: the bytes meant. */
  readonly range?: ByteRange | undefined;
  /** Of the part that was asked for, where the origin keeps it. */
  readonly partChecksum?: Checksum | undefined;
}

export interface ObjectRead extends ObjectHead {
  /** Exactly the bytes of `range` (or of the object), or an error: never a short clean end. The caller destroys it. */
  readonly body: Readable;
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

/** Given only where the capabilities say that they are kept; at most one of the two. */
export interface EncryptionOptions {
  readonly encryption?: Encryption | undefined;
  readonly customerKey?: CustomerKey | undefined;
}

/** Whom an object or a bucket is open to beside its owner, by the names of S3's canned access lists. */
export type CannedAcl = 'public-read' | 'public-read-write' | 'authenticated-read';

export interface ObjectAttributes {
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Given only where the backend keeps access lists. Absent: the owner alone. */
  readonly acl?: CannedAcl | undefined;
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

export interface Deleted {
  /** The version that was removed, or the delete marker that was made. */
  readonly versionId?: string | undefined;
  /** A delete marker was made or removed. */
  readonly deleteMarker?: boolean | undefined;
}

/** Only while the object is as named; one that is not there is deleted already. Times have second precision. */
export interface DeleteConditions {
  /** Unquoted; '*' stands for any. */
  readonly ifMatch?: string | undefined;
  readonly lastModified?: Date | undefined;
  readonly sizeBytes?: number | undefined;
}

export interface DeleteMarkerInfo {
  readonly versionId: string;
}

export interface DeleteOptions {
  readonly versionId?: string | undefined;
  /** Given only where the capabilities say that they are kept. */
  readonly conditions?: DeleteConditions | undefined;
}

export interface DeleteTarget extends DeleteOptions {
  readonly key: string;
}

export type DeleteOutcome = DeleteTarget & { readonly deleted?: Deleted; readonly error?: BackendError };

export interface ListOptions {
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
  /**
   * Exclusive, in UTF-8 byte order. When it is itself a common prefix of this listing, the keys beneath it count as
   * reported already. Ignored when a token is given.
   */
  readonly startAfter?: string | undefined;
  /** From the page before; opaque. */
  readonly token?: string | undefined;
  /** 1 to 1,000: objects and prefixes together. */
  readonly maxEntries: number;
}

export interface ListPage {
  readonly objects: readonly ObjectSummary[];
  readonly prefixes: readonly string[];
  /** Set when there is more. */
  readonly nextToken?: string | undefined;
}

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

export type VersioningStatus = 'Enabled' | 'Suspended';

/** A version that holds an object. */
export interface ObjectVersionSummary extends ObjectSummary {
  /** 'null': written while versioning was off or suspended. */
  readonly versionId: string;
  readonly isLatest: boolean;
}

/** A version that says that there is no object. */
export interface DeleteMarkerSummary {
  readonly key: string;
  readonly deleteMarker: true;
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly lastModified: Date;
}

export interface ListVersionsOptions {
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
  /** Exclusive, unless a version marker says where within this key to go on. */
  readonly keyMarker?: string | undefined;
  /** The version of keyMarker after which to go on. */
  readonly versionIdMarker?: string | undefined;
  /** 1 to 1,000: versions and prefixes together. */
  readonly maxEntries: number;
}

/**
 * Ordered by key, then the newest version first; of one second, markers and versions may be in either order where the
 * origin tells them apart.
 */
export interface VersionListPage {
  readonly versions: readonly (ObjectVersionSummary | DeleteMarkerSummary)[];
  readonly prefixes: readonly string[];
  readonly next?: { readonly keyMarker: string; readonly versionIdMarker?: string | undefined } | undefined;
}

/**
 * Several versions of a key. Enabled: a write leaves the version before it, a delete without a version puts a delete
 * marker on top. Suspended: both replace the null version and leave all others. A delete that names a version removes
 * it for good, and what is then the newest is what the key is; one that is not there is deleted already.
 */
export interface Versioning {
  /** Undefined: it was never switched on. */
  get(bucket: string, signal: AbortSignal): Promise<VersioningStatus | undefined>;
  /** Absent: switched by the origin's operator. */
  set?(bucket: string, status: VersioningStatus, signal: AbortSignal): Promise<void>;
  list(bucket: string, options: ListVersionsOptions, signal: AbortSignal): Promise<VersionListPage>;
}

export interface BucketInfo {
  readonly name: string;
  readonly created: Date;
  /** The account that made it, where the origin keeps it for us. */
  readonly owner?: string | undefined;
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
  listParts(
    upload: UploadRef,
    options: { after?: number | undefined; maxEntries: number },
    signal: AbortSignal,
  ): Promise<PartListPage>;
  listUploads(bucket: string, options: ListUploadsOptions, signal: AbortSignal): Promise<UploadListPage>;
  completeUpload(
    upload: UploadRef,
    parts: readonly CompletedPart[],
    options: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Written>;
  abortUpload(upload: UploadRef, signal: AbortSignal): Promise<void>;
}

export type Tags = Readonly<Record<string, string>>;

/** The tags of objects that are there already; their bytes, etag and Last-Modified stay what they are. */
export interface Tagging {
  get(ref: VersionRef, signal: AbortSignal): Promise<{ tags: Tags; versionId?: string | undefined }>;
  /** Replaces all of them. Within S3's limits, which the caller has checked. */
  set(ref: VersionRef, tags: Tags, signal: AbortSignal): Promise<{ versionId?: string | undefined }>;
  delete(ref: VersionRef, signal: AbortSignal): Promise<{ versionId?: string | undefined }>;
}

/** Kept only: who may what is decided elsewhere. */
export interface ObjectAcls {
  /** Undefined: the owner alone. The bytes, etag and Last-Modified stay what they are. */
  set(ref: VersionRef, acl: CannedAcl | undefined, signal: AbortSignal): Promise<{ versionId?: string | undefined }>;
}

export interface Buckets {
  create(bucket: string, options: { owner: string }, signal: AbortSignal): Promise<void>;
  /** Rejects with BucketNotEmpty while it holds an object or a version; pending uploads go with it. */
  delete(bucket: string, signal: AbortSignal): Promise<void>;
  list(signal: AbortSignal): Promise<readonly BucketInfo[]>;
}

/**
 * Small documents kept with a bucket and gone with it: its CORS rules, its tags. What they say is the gateway's affair.
 * All reject with NoSuchBucket. Deleting what is not there succeeds.
 */
export interface BucketDocuments {
  /** Undefined: there is none of this name. */
  get(bucket: string, name: string, signal: AbortSignal): Promise<string | undefined>;
  /** `name` has no NUL; the document is at most 64 KiB as UTF-8. */
  set(bucket: string, name: string, document: string, signal: AbortSignal): Promise<void>;
  delete(bucket: string, name: string, signal: AbortSignal): Promise<void>;
}

/** How a write condition is kept: atomically by the origin, or under a lock of this gateway only. */
type ConditionSupport = 'atomic' | 'racy' | 'none';

/** What an origin can do, as data: the dialect answers 501 by it, the contract suite skips by it. */
export interface Capabilities {
  readonly writable: boolean;
  /** Its bytes are on this machine already: caching them would keep them twice. */
  readonly local?: boolean | undefined;
  /** 'slash-only': only delimiter '/' or none. */
  readonly list: 'full' | 'slash-only' | 'none';
  readonly putIfAbsent: ConditionSupport;
  readonly putIfMatch: ConditionSupport;
  /** Conditions on a delete; absent: none. */
  readonly deleteIf?: ConditionSupport | undefined;
  /** 0: user metadata is not kept. */
  readonly userMetadataMaxBytes: number;
  /** Smallest part but the last that the origin takes. S3's own 5 MiB is enforced where this is smaller. */
  readonly partMinBytes: number;
  readonly putMaxBytes: number;
  readonly keyMaxBytes: number;
  /** How many keys one batch delete takes; 0: none. */
  readonly batchDeleteMax: number;
  /** Which checksums are kept with the object and told on head. */
  readonly checksums: readonly ChecksumAlgorithm[];
  /** 'md5': the etag of an object put in one piece is the MD5 of its bytes. */
  readonly etag: 'md5' | 'opaque';
  /** The gateway computes the MD5 of every body (UploadBody.digests().md5). */
  readonly wantsMd5: boolean;
  /** 'server': by the origin's keys. 'customer': by keys that clients keep. Absent: none. */
  readonly encryption?: readonly ('server' | 'customer')[] | undefined;
  /** Access lists of objects are kept, also those given with a write, and settings of buckets. Absent: false. */
  readonly acls?: boolean | undefined;
}

export interface Backend {
  readonly kind: string;
  readonly capabilities: Capabilities;
  /** One cheap request that proves the origin answers. */
  check(signal: AbortSignal): Promise<void>;
  /** Undefined: there is no such bucket. */
  headBucket(bucket: string, signal: AbortSignal): Promise<BucketInfo | undefined>;
  head(ref: ObjectRef, options: HeadOptions, signal: AbortSignal): Promise<ObjectHead>;
  read(ref: ObjectRef, options: ReadOptions, signal: AbortSignal): Promise<ObjectRead>;
  list(bucket: string, options: ListOptions, signal: AbortSignal): Promise<ListPage>;
  put?(ref: ObjectRef, body: UploadBody, options: PutOptions, signal: AbortSignal): Promise<Written>;
  /** Deleting what is not there succeeds; a bucket that is not there is NoSuchBucket. */
  delete?(ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<Deleted>;
  deleteMany?(bucket: string, targets: readonly DeleteTarget[], signal: AbortSignal): Promise<readonly DeleteOutcome[]>;
  /** Within this backend. Absent: the gateway reads and puts. */
  copy?(source: VersionRef, target: ObjectRef, options: CopyOptions, signal: AbortSignal): Promise<Copied>;
  readonly multipart?: Multipart | undefined;
  /** Undefined: the object was not made of parts. Absent: the origin does not tell. */
  objectParts?(
    ref: VersionRef,
    options: { after?: number | undefined; maxEntries: number },
    signal: AbortSignal,
  ): Promise<ObjectPartsPage | undefined>;
  /** Absent: tags can be given with a write only. */
  readonly tagging?: Tagging | undefined;
  /** Absent: each object is its own only version, 'null'. */
  readonly versioning?: Versioning | undefined;
  /** There where the capabilities say so. */
  readonly acls?: ObjectAcls | undefined;
  /** Absent: buckets are made by the configuration, not by clients. */
  readonly buckets?: Buckets | undefined;
  /** Absent: nothing can be set on a bucket through the gateway. */
  readonly bucketDocuments?: BucketDocuments | undefined;
  close(): Promise<void>;
}

export type BackendErrorCode =
  | 'NoSuchBucket'
  | 'NoSuchKey'
  | 'NoSuchVersion'
  /** The version that was named says that there is no object. */
  | 'DeleteMarker'
  | 'NoSuchUpload'
  | 'NotModified'
  | 'PreconditionFailed'
  | 'ConditionalRequestConflict'
  | 'InvalidRange'
  | 'InvalidPart'
  | 'InvalidPartOrder'
  | 'InvalidPartNumber'
  | 'EntityTooSmall'
  | 'EntityTooLarge'
  | 'BadDigest'
  | 'KeyTooLong'
  | 'InvalidArgument'
  | 'InvalidBucketName'
  | 'BucketNotEmpty'
  | 'BucketAlreadyExists'
  | 'BucketAlreadyOwnedByYou'
  | 'InvalidObjectState'
  /** The origin refuses this object or bucket to the gateway's credentials. */
  | 'AccessDenied'
  /** The origin rejects the gateway's credentials or configuration altogether: the operator's trouble. */
  | 'Misconfigured'
  /** The origin cannot do what was asked. */
  | 'NotSupported'
  | 'SlowDown'
  | 'Timeout'
  | 'Unavailable'
  | 'OutOfSpace'
  | 'Internal';

export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly code: BackendErrorCode;
  /** NotModified and PreconditionFailed on reads: what the object is now, as far as it is known. */
  readonly info: ToldInfo | undefined;
  /** NoSuchKey and DeleteMarker: the delete marker that is there instead, where known. */
  readonly marker: DeleteMarkerInfo | undefined;
  /** The origin's own word for it, for the log. */
  readonly nativeCode: string | undefined;
  /** The operator's name for the origin it came from, for the log; told by whoever knows the name, once. */
  backend: string | undefined;

  constructor(
    code: BackendErrorCode,
    message: string,
    options: {
      cause?: unknown;
      info?: ToldInfo | undefined;
      marker?: DeleteMarkerInfo | undefined;
      nativeCode?: string | undefined;
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.info = options.info;
    this.marker = options.marker;
    this.nativeCode = options.nativeCode;
  }
}
