// s3://bucket/key, as every S3 client writes it.
import { UsageError } from './usage-error.ts';

export interface ObjectUrl {
  readonly bucket: string;
  /** May be empty. Taken as it is: nothing in it is decoded. */
  readonly key: string;
}

export function parseObjectUrl(text: string): ObjectUrl {
  const [, bucket, key = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ?? [];
  if (bucket !== undefined) return { bucket, key };
  throw new UsageError(`'${text}' names no object; write it like s3://bucket/key.`);
}
