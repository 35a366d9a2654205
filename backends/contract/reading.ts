// Heads and reads, of ranges and parts, under conditions.
import type { Readable } from 'node:stream';
import type { CustomerKey } from './encryption.ts';
import type { Checksum, ObjectInfo } from './object.ts';

/** RFC 9110 §13 in S3's reading. Etags are unquoted; '*' stands for any. Times have second precision. */
export interface ReadConditions {
  readonly ifMatch?: readonly string[] | undefined;
  readonly ifNoneMatch?: readonly string[] | undefined;
  readonly ifModifiedSince?: Date | undefined;
  readonly ifUnmodifiedSince?: Date | undefined;
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
