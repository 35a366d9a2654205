// The x-amz-tagging header: tags as a query string, within S3's limits.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
import { S3Error } from './errors.ts';

const MAX_TAGS = 10;
const MAX_KEY_CHARACTERS = 128;
const MAX_VALUE_CHARACTERS = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export function parseTags(header: string | undefined): Readonly<Record<string, string>> | undefined {
  if (header === undefined) return undefined;
  const tags = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(header)) {
    if (tags.has(key)) throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key');
    checkTag(key, value);
    tags.set(key, value);
  }
  if (tags.size > MAX_TAGS) throw new S3Error('BadRequest', `Object tags cannot be greater than ${MAX_TAGS}`);
  return Object.fromEntries(tags);
}

function checkTag(key: string, value: string): void {
  if (key === '' || [...key].length > MAX_KEY_CHARACTERS || !ALLOWED.test(key)) {
    throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid');
  }
  if ([...value].length > MAX_VALUE_CHARACTERS || !ALLOWED.test(value)) {
    throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid');
  }
}
