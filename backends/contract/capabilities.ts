// What an origin can do.
import type { ChecksumAlgorithm } from './object.ts';

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
