// What can be set on an object that is there already.
import type { CannedAcl, VersionRef } from './object.ts';

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
