// What an object is: its name, and what is known of it.
import type { EncryptionInfo } from './encryption.ts';

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
