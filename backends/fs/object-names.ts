// What may be a key and a bucket's name.
import { BackendError } from '../backend.ts';

export const KEY_MAX_BYTES = 1_024;

/** Rejects what UTF-8 cannot carry, a NUL (it ends names in the index), and what is too long. */
export function checkKey(key: string): void {
  if (key === '' || key.includes('\0') || /\p{Surrogate}/u.test(key)) {
    throw new BackendError('InvalidArgument', 'A key must be Unicode text of at least one character, without NUL.');
  }
  if (Buffer.byteLength(key) > KEY_MAX_BYTES) {
    throw new BackendError('KeyTooLong', `The key is longer than ${KEY_MAX_BYTES} bytes.`);
  }
}

/** S3's own rule, which also keeps a name from being '..', hidden or a path. */
export function checkBucketName(name: string): void {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..')) {
    throw new BackendError('InvalidBucketName', `'${name}' cannot be a bucket: 3 to 63 of a-z, 0-9, '.' and '-'.`);
  }
}
