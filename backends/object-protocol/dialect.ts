// What differs between the origins that speak this protocol, as data.
import type { BackendErrorCode, Capabilities } from '../backend.ts';

export interface Dialect {
  readonly kind: 'oss' | 'obs';
  /** What operators call the service, in messages. */
  readonly service: string;
  /** 'x-oss-': begins every header of the service's own. */
  readonly headerPrefix: string;
  readonly capabilities: Capabilities;
  /** Sent with a put, copy or complete that must not replace anything; absent: the origin has no such promise. */
  readonly putIfAbsentHeaders: Readonly<Record<string, string>> | undefined;
  /** Sent with a ranged read. */
  readonly rangeHeaders: Readonly<Record<string, string>>;
  /** The origin tells the CRC-64 of what it stored. */
  readonly tellsCrc64: boolean;
  readonly listStyle: 'v1' | 'v2';
  /** Versioning may be switched on through the gateway: whatever is promised of a bucket holds with it, too. */
  readonly switchesVersioning: boolean;
  /** Names in a listing of uploads are asked for URL-encoded. */
  readonly encodesUploads: boolean;
  /** How the bucket's creation date is learned: from its own document, or from the list of all buckets. */
  readonly bucketDocument: boolean;
  /** From an unquoted ETag as the origin writes it to the gateway's, and back. */
  readonly etag: { outward(native: string): string; native(outward: string): string };
  /** From S3's names to the origin's. */
  readonly storageClasses: Readonly<Record<string, string>>;
  /** Codes beyond those all origins share (origin-error.ts). */
  readonly errors: Readonly<Record<string, BackendErrorCode>>;
  /** The largest object one copy request takes; larger ones are copied in parts. */
  readonly copyMaxBytes: number;
  /** The body of a bucket's creation, where one is needed. */
  readonly createBucketDocument?: string | undefined;
  readonly bucketName: RegExp;
  /** Keys the origin refuses although they are short enough. */
  readonly refusedKey: RegExp | undefined;
}
