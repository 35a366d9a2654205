// The contract between the gateway and an origin. The words both use are in contract/, a file for each ability, and
// everybody takes them from here. Types and BackendError only: what follows from them (conditions, ranges, checksums)
// stands in the files beside this one, and every implementation passes test/contracts/backend.ts.
//
// Rules that hold for every method:
// - It rejects with a BackendError, with the signal's reason, or (put, uploadPart) with the very error its body's
//   stream was destroyed with. Nothing else.
// - A put, uploadPart, copy or completeUpload that rejected or was aborted has committed nothing that a reader or
//   lister can see, except where the error is 'Timeout' or 'Unavailable' after the last byte was sent: then the
//   origin may have committed all of it, never a part.
// - Keys and names are Unicode strings; order is that of their UTF-8 bytes.
// - Nothing here is an S3 status code. The dialect (src/s3) translates codes.
import type { BucketDocuments, BucketInfo, Buckets } from './contract/buckets.ts';
import type { Capabilities } from './contract/capabilities.ts';
import type { Deleted, DeleteOptions, DeleteOutcome, DeleteTarget } from './contract/deleting.ts';
import type { ListOptions, ListPage } from './contract/listing.ts';
import type { Multipart, ObjectPartsPage, PartListOptions } from './contract/multipart.ts';
import type { ObjectRef, VersionRef } from './contract/object.ts';
import type { ObjectAcls, Tagging } from './contract/object-settings.ts';
import type { HeadOptions, ObjectHead, ObjectRead, ReadOptions } from './contract/reading.ts';
import type { Versioning } from './contract/versioning.ts';
import type { Copied, CopyOptions, PutOptions, UploadBody, Written } from './contract/writing.ts';

export { BackendError, type BackendErrorCode } from './contract/backend-error.ts';
export type * from './contract/buckets.ts';
export type * from './contract/capabilities.ts';
export type * from './contract/deleting.ts';
export type * from './contract/encryption.ts';
export type * from './contract/listing.ts';
export type * from './contract/multipart.ts';
export type * from './contract/object.ts';
export type * from './contract/object-settings.ts';
export type * from './contract/reading.ts';
export type * from './contract/versioning.ts';
export type * from './contract/writing.ts';

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
  objectParts?(ref: VersionRef, options: PartListOptions, signal: AbortSignal): Promise<ObjectPartsPage | undefined>;
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
