// Buckets, and what is kept with them.

export interface BucketInfo {
  readonly name: string;
  readonly created: Date;
  /** The account that made it, where the origin keeps it for us. */
  readonly owner?: string | undefined;
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
