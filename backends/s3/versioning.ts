// Versions at an S3 origin.
import {
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type {
  DeleteMarkerSummary,
  ListVersionsOptions,
  ObjectVersionSummary,
  Versioning,
  VersioningStatus,
  VersionListPage,
} from '../backend.ts';
import { call } from './calls.ts';
import { decoder, toSummary } from './listing.ts';

export class S3Versioning implements Versioning {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  async get(bucket: string, signal: AbortSignal): Promise<VersioningStatus | undefined> {
    const command = new GetBucketVersioningCommand({ Bucket: bucket });
    const { Status: status } = await this.#call(() => this.#client.send(command, { abortSignal: signal }), signal);
    return status === 'Enabled' || status === 'Suspended' ? status : undefined;
  }

  async set(bucket: string, status: VersioningStatus, signal: AbortSignal): Promise<void> {
    const command = new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: status } });
    await this.#call(() => this.#client.send(command, { abortSignal: signal }), signal);
  }

  /** A page may come back empty although more follows, because of what is left out of it. */
  async list(bucket: string, options: ListVersionsOptions, signal: AbortSignal): Promise<VersionListPage> {
    let from: Pick<ListVersionsOptions, 'keyMarker' | 'versionIdMarker'> = options;
    for (;;) {
      const page = await this.#page(bucket, { ...options, ...from }, signal);
      const isEmpty = page.versions.length + page.prefixes.length === 0;
      if (!isEmpty || page.next === undefined) return page;
      from = page.next;
    }
  }

  async #page(bucket: string, options: ListVersionsOptions, signal: AbortSignal): Promise<VersionListPage> {
    const { prefix, delimiter, keyMarker, versionIdMarker, maxEntries } = options;
    const command = new ListObjectVersionsCommand({
      Bucket: bucket,
      EncodingType: 'url',
      MaxKeys: maxEntries,
      ...(prefix && { Prefix: prefix }),
      ...(delimiter && { Delimiter: delimiter }),
      ...(keyMarker && { KeyMarker: keyMarker }),
      ...(versionIdMarker && { VersionIdMarker: versionIdMarker }),
    });
    const answer = await this.#call(() => this.#client.send(command, { abortSignal: signal }), signal);
    const decode = decoder(answer.EncodingType);
    const { NextKeyMarker: nextKey, NextVersionIdMarker: nextVersion } = answer;
    const more = answer.IsTruncated === true && nextKey !== undefined;
    return {
      versions: inOrder(answer, decode),
      prefixes: (answer.CommonPrefixes ?? []).map(({ Prefix: common = '' }) => decode(common)),
      next: more ? { keyMarker: decode(nextKey), versionIdMarker: nextVersion || undefined } : undefined,
    };
  }

  #call<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return call(this.#client, send, signal);
  }
}

type Version = ObjectVersionSummary | DeleteMarkerSummary;

/** S3 tells versions and delete markers apart, each in order; together they are by key, newest first. */
function inOrder(answer: ListObjectVersionsCommandOutput, decode: (text: string) => string): Version[] {
  const versions = (answer.Versions ?? []).map((entry) => ({
    ...toSummary(entry, decode),
    versionId: entry.VersionId ?? 'null',
    isLatest: entry.IsLatest === true,
  }));
  const markers = (answer.DeleteMarkers ?? []).map((entry) => ({
    key: decode(entry.Key ?? ''),
    deleteMarker: true as const,
    versionId: entry.VersionId ?? 'null',
    isLatest: entry.IsLatest === true,
    lastModified: entry.LastModified ?? new Date(0),
  }));
  return [...versions, ...markers].sort(
    (one, other) =>
      Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)) ||
      Number(other.isLatest) - Number(one.isLatest) ||
      other.lastModified.getTime() - one.lastModified.getTime(),
  );
}
