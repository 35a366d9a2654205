// How objects are encrypted: by the origin's keys, or by keys that clients keep.

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

/** Given only where the capabilities say that they are kept; at most one of the two. */
export interface EncryptionOptions {
  readonly encryption?: Encryption | undefined;
  readonly customerKey?: CustomerKey | undefined;
}
