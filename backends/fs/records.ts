// What the index holds, row by row, and under which names. The first character of a name is its key space; a NUL ends
// a bucket, a key and an upload's id, and can be in none of them, so rows are in the order of the keys' UTF-8 bytes.
import type {
  BucketInfo,
  CannedAcl,
  Checksum,
  ChecksumAlgorithm,
  ChecksumType,
  ObjectAttributes,
  ObjectHeaders,
  ObjectInfo,
  ObjectRef,
  ObjectSummary,
  UploadRef,
  VersioningStatus,
  Written,
} from '../backend.ts';
import type { FileStamp } from './durable-file.ts';
import type { RowChange } from './object-index.ts';

export const rowName = {
  bucket: (bucket: string) => `b${bucket}`,
  document: (bucket: string, name: string) => `d${bucket}\0${name}`,
  object: ({ bucket, key }: ObjectRef) => `o${bucket}\0${key}`,
  /** The parts of a multipart object: apart, because a listing has no use for them. */
  objectParts: ({ bucket, key }: ObjectRef) => `s${bucket}\0${key}`,
  /** Versions that are not the current object, the newest of a key first. */
  version: ({ bucket, key }: ObjectRef, order: string) => `v${bucket}\0${key}\0${order}`,
  /** What the names of versions begin with: of this key, or of the bucket where the key is ''. */
  versions: ({ bucket, key }: ObjectRef) => (key === '' ? `v${bucket}\0` : `v${bucket}\0${key}\0`),
  versionParts: ({ bucket, key }: ObjectRef, order: string) => `s${bucket}\0${key}\0${order}`,
  /** Where among those the null version is. */
  nullVersion: ({ bucket, key }: ObjectRef) => `n${bucket}\0${key}`,
  upload: ({ bucket, key, uploadId }: UploadRef) => `u${bucket}\0${key}\0${uploadId}`,
  part: (uploadId: string, partNumber: number) => `p${uploadId}\0${`${partNumber}`.padStart(5, '0')}`,
  intent: (id: string) => `i${id}`,
};

/** The lock under which an object is committed (alone) or opened (shared). */
export function objectLock({ bucket, key }: ObjectRef): string {
  return `object ${bucket}\0${key}`;
}

export interface BucketRow {
  readonly created: number;
  readonly owner: string;
  /** Absent: never switched on. */
  readonly versioning?: VersioningStatus | undefined;
}

export interface ObjectRow {
  /** Below the bucket's directory; one of the two that key-path.ts gives. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModified: number;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly acl?: CannedAcl | undefined;
  readonly checksum?: Checksum | undefined;
  readonly partCount?: number | undefined;
  /** The upload that made it and a digest of the parts it named: a repeated complete is answered by it. */
  readonly madeBy?: { readonly uploadId: string; readonly parts: string } | undefined;
  /** Absent: the null version. */
  readonly versionId?: string | undefined;
  /** Absent: written before its bucket had versions. */
  readonly order?: string | undefined;
}

/** A version that is not the current object; its path is below the versions' directory. */
export interface StoredVersionRow extends ObjectRow {
  readonly order: string;
}

export interface MarkerRow {
  readonly marker: true;
  readonly versionId?: string | undefined;
  readonly order: string;
  readonly lastModified: number;
}

export type VersionRow = StoredVersionRow | MarkerRow;

export const NULL_VERSION = 'null';

export function isMarker(row: VersionRow): row is MarkerRow {
  return 'marker' in row;
}

export interface UploadRow extends ObjectAttributes {
  readonly initiated: number;
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
  readonly checksumType?: ChecksumType | undefined;
}

export interface PartRow {
  readonly partNumber: number;
  /** In the upload's directory. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModified: number;
  readonly checksum?: Checksum | undefined;
}

/** A part of a complete object, in the order of the parts. */
export interface ObjectPartRow {
  readonly sizeBytes: number;
  readonly checksum?: Checksum | undefined;
}

/** A file to be put in its place together with its record. */
export interface Placement {
  readonly kind: 'place';
  readonly ref: ObjectRef;
  readonly temp: string;
  readonly stamp: FileStamp;
  readonly row: Omit<ObjectRow, 'path'>;
  readonly parts?: readonly ObjectPartRow[] | undefined;
  /** The upload this ends. */
  readonly uploadId?: string | undefined;
  /** The object that was here goes to this place below the versions' directory first. */
  readonly keep?: KeptFile | undefined;
  /** A file below the versions' directory that goes with it. */
  readonly drop?: string | undefined;
  /** What else changes in the index. */
  readonly changes?: readonly RowChange[] | undefined;
}

export interface KeptFile {
  readonly path: string;
  readonly stamp: FileStamp;
}

/** Versions change places; no bytes come from outside. */
export interface Rearrangement {
  readonly kind: 'rearrange';
  readonly ref: ObjectRef;
  /** The current object's file goes below the versions' directory, or one from there becomes the current object's. */
  readonly move?: (KeptFile & { readonly to: 'versions' | 'bucket' }) | undefined;
  readonly drop?: string | undefined;
  readonly changes: readonly RowChange[];
}

/** A file whose record is gone already. */
export interface Removal {
  readonly kind: 'remove';
  readonly ref: ObjectRef;
  readonly path: string;
}

/** `path`: of the current object, below its bucket's directory. */
export type Intent = (Placement & { readonly path: string }) | (Rearrangement & { readonly path: string }) | Removal;

export function bucketInfo(name: string, row: BucketRow): BucketInfo {
  return { name, created: new Date(row.created), owner: row.owner };
}

export function objectSummary(key: string, row: ObjectRow): ObjectSummary {
  return {
    key,
    sizeBytes: row.sizeBytes,
    etag: row.etag,
    lastModified: new Date(row.lastModified),
    storageClass: row.storageClass,
    checksumAlgorithm: row.checksum?.algorithm,
    checksumType: row.checksum?.type,
  };
}

export function objectInfo(key: string, row: ObjectRow, versionId?: string): ObjectInfo {
  const tagCount = Object.keys(row.tags ?? {}).length;
  return {
    key,
    sizeBytes: row.sizeBytes,
    etag: row.etag,
    lastModified: new Date(row.lastModified),
    storageClass: row.storageClass,
    headers: row.headers,
    metadata: row.metadata,
    versionId,
    checksum: row.checksum,
    partCount: row.partCount,
    tagCount: tagCount === 0 ? undefined : tagCount,
    acl: row.acl,
    identity: 'strong',
  };
}

export function written(row: Omit<ObjectRow, 'path'>): Written & { lastModified: Date } {
  const { etag, sizeBytes, checksum, versionId } = row;
  return { etag, sizeBytes, lastModified: new Date(row.lastModified), versionId, checksum };
}
