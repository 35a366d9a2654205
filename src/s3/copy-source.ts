// x-amz-copy-source: /bucket/key?versionId=…, percent-encoded, with or without the leading slash.
import type { VersionRef } from '../../backends/backend.ts';
import { checkBucketName } from './bucket-name.ts';
import { decodeHeader } from './header-text.ts';
import { invalidArgument } from './parameters.ts';
import { checkKey, decode } from './target.ts';

const VERSION = '?versionId=';

export function parseCopySource(header: string | undefined): VersionRef {
  const text = decodeHeader(header ?? '');
  // The version is told apart before decoding: a key may contain the same characters, encoded.
  const mark = text.lastIndexOf(VERSION);
  const path = decode(mark === -1 ? text : text.slice(0, mark)).replace(/^\//, '');
  const versionId = mark === -1 ? undefined : decode(text.slice(mark + VERSION.length));
  const slash = path.indexOf('/');
  const [bucket, key] = [path.slice(0, slash), path.slice(slash + 1)];
  if (slash < 1 || key === '' || versionId === '') {
    throw invalidArgument(
      'x-amz-copy-source',
      text,
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  checkBucketName(bucket);
  checkKey(key);
  return { bucket, key, versionId };
}
