// Listings of objects, by ListObjectsV2. Keys travel percent-encoded: XML cannot hold every character a key may have.
import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import type { ListOptions, ListPage, ObjectSummary } from '../backend.ts';
import { call } from './calls.ts';
import { toAlgorithm, toChecksumType, toEtag } from './translate.ts';

export async function listObjects(
  client: S3Client,
  bucket: string,
  options: ListOptions,
  signal: AbortSignal,
): Promise<ListPage> {
  let token = options.token;
  for (;;) {
    const page = await onePage(client, bucket, { ...options, token }, signal);
    const isEmpty = page.objects.length === 0 && page.prefixes.length === 0;
    if (!isEmpty || page.nextToken === undefined || page.nextToken === token) return page;
    token = page.nextToken;
  }
}

async function onePage(client: S3Client, bucket: string, options: ListOptions, signal: AbortSignal): Promise<ListPage> {
  const { prefix, delimiter, startAfter, token, maxEntries } = options;
  const command = new ListObjectsV2Command({
    Bucket: bucket,
    EncodingType: 'url',
    MaxKeys: maxEntries,
    ...(prefix !== undefined && prefix !== '' && { Prefix: prefix }),
    ...(delimiter !== undefined && delimiter !== '' && { Delimiter: delimiter }),
    ...(token !== undefined ? { ContinuationToken: token } : startAfter && { StartAfter: startAfter }),
  });
  const answer = await call(client, () => client.send(command, { abortSignal: signal }), signal);
  const decode = decoder(answer.EncodingType);
  const prefixes = (answer.CommonPrefixes ?? []).map(({ Prefix: common = '' }) => decode(common));
  return {
    objects: (answer.Contents ?? []).map((entry) => toSummary(entry, decode)),
    // Servers disagree on whether the keys beneath a prefix that was started after are still to be told.
    prefixes: prefixes.filter((common) => common !== startAfter),
    ...(answer.IsTruncated === true && { nextToken: answer.NextContinuationToken }),
  };
}

/** Servers that do not know the encoding do not name it in their answer. */
export function decoder(encodingType: string | undefined): (text: string) => string {
  if (encodingType !== 'url') return (text) => text;
  return (text) => decodeURIComponent(text.replaceAll('+', ' '));
}

type Entry = NonNullable<ListObjectsV2CommandOutput['Contents']>[number];

function toSummary(entry: Entry, decode: (text: string) => string): ObjectSummary {
  return {
    key: decode(entry.Key ?? ''),
    sizeBytes: entry.Size ?? 0,
    etag: toEtag(entry.ETag),
    lastModified: entry.LastModified ?? new Date(0),
    storageClass: entry.StorageClass,
    checksumAlgorithm: toAlgorithm(entry.ChecksumAlgorithm?.[0]),
    checksumType: toChecksumType(entry.ChecksumType),
  };
}
