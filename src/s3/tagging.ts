// Tags within S3's limits: as a query string in the x-amz-tagging header, and as a Tagging document.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
import type { Tags } from '../../backends/backend.ts';
import { S3Error } from './errors.ts';
import type { XmlDocument, XmlElement } from './xml.ts';

const MAX_OBJECT_TAGS = 10;
const MAX_BUCKET_TAGS = 50;
const MAX_KEY_CHARACTERS = 128;
const MAX_VALUE_CHARACTERS = 256;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export function parseTags(header: string | undefined): Tags | undefined {
  if (header === undefined) return undefined;
  const tags = tagsOf(new URLSearchParams(header));
  if (tags.size <= MAX_OBJECT_TAGS) return Object.fromEntries(tags);
  throw new S3Error('BadRequest', `Object tags cannot be greater than ${MAX_OBJECT_TAGS}`);
}

export function parseTagging(document: XmlElement, of: 'object' | 'bucket'): Tags {
  const set = document.first('TagSet');
  if (set === undefined) throw new S3Error('MalformedXML');
  const pairs = set.all('Tag').map((tag): [key: string, value: string] => {
    const [key, value] = [tag.first('Key'), tag.first('Value')];
    if (key === undefined || value === undefined) throw new S3Error('MalformedXML');
    return [key.text, value.text];
  });
  const tags = tagsOf(pairs);
  const most = of === 'object' ? MAX_OBJECT_TAGS : MAX_BUCKET_TAGS;
  if (tags.size <= most) return Object.fromEntries(tags);
  const whose = of === 'object' ? 'Object' : 'Bucket';
  throw new S3Error('InvalidTag', `${whose} tags cannot be greater than ${most}`);
}

/** In the order of their keys' UTF-8 bytes. */
export function taggingDocument(tags: Tags): XmlDocument {
  const byKey = Object.entries(tags).sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  const elements = byKey.map(([Key, Value]) => ({ Key, Value }));
  return { root: 'Tagging', content: { TagSet: elements.length === 0 ? '' : { Tag: elements } } };
}

function tagsOf(pairs: Iterable<readonly [key: string, value: string]>): Map<string, string> {
  const tags = new Map<string, string>();
  for (const [key, value] of pairs) {
    if (tags.has(key)) throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key');
    checkTag(key, value);
    tags.set(key, value);
  }
  return tags;
}

function checkTag(key: string, value: string): void {
  if (key === '' || [...key].length > MAX_KEY_CHARACTERS || !ALLOWED.test(key)) {
    throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid');
  }
  if (key.toLowerCase().startsWith('aws:')) {
    throw new S3Error('InvalidTag', 'System tags cannot be added/updated by requester');
  }
  if ([...value].length > MAX_VALUE_CHARACTERS || !ALLOWED.test(value)) {
    throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid');
  }
}
