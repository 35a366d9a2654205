// Versions of objects.
import type { ObjectSummary } from './object.ts';

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
