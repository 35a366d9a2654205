// Buckets: whether they are there, and making and removing them.
import { BackendError, type BucketInfo, type Buckets } from '../backend.ts';
import { listObjects } from './listing.ts';
import type { OriginClient } from './origin-client.ts';
import { listUploads } from './upload-listing.ts';
import { xmlBody } from './writes.ts';

/** The service lists at most this many buckets at once. */
const BUCKETS_PER_PAGE = 1_000;

export class BucketOperations implements Buckets {
  readonly #client: OriginClient;

  constructor(deps: { client: OriginClient }) {
    this.#client = deps.client;
  }

  async head(bucket: string, signal: AbortSignal): Promise<BucketInfo | undefined> {
    try {
      if (this.#client.dialect.bucketDocument) return await this.#described(bucket, signal);
      await this.#client.call({ method: 'HEAD', bucket }, signal);
    } catch (error) {
      if (error instanceof BackendError && (error.code === 'NoSuchBucket' || error.code === 'InvalidBucketName')) {
        return undefined;
      }
      throw error;
    }
    return { name: bucket, created: await this.#created(bucket, signal) };
  }

  async create(bucket: string, _options: { owner: string }, signal: AbortSignal): Promise<void> {
    // Origins answer success to an owner's repetition; S3 clients expect to hear of it.
    if ((await this.head(bucket, signal)) !== undefined) {
      throw new BackendError('BucketAlreadyOwnedByYou', `The bucket '${bucket}' exists already.`);
    }
    const document = this.#client.dialect.createBucketDocument;
    await this.#client.call({ method: 'PUT', bucket, ...(document === undefined ? {} : xmlBody(document)) }, signal);
  }

  async delete(bucket: string, signal: AbortSignal): Promise<void> {
    const { objects } = await listObjects(this.#client, bucket, { maxEntries: 1 }, signal);
    if (objects.length > 0) throw new BackendError('BucketNotEmpty', `The bucket '${bucket}' still holds objects.`);
    // Origins refuse a bucket with pending uploads; S3 lets them go with it.
    for (;;) {
      const { uploads } = await listUploads(this.#client, bucket, { maxEntries: 1_000 }, signal);
      if (uploads.length === 0) break;
      for (const { key, uploadId } of uploads) {
        await this.#client.call({ method: 'DELETE', bucket, key, query: { uploadId } }, signal);
      }
    }
    await this.#client.call({ method: 'DELETE', bucket }, signal);
  }

  async list(signal: AbortSignal): Promise<readonly BucketInfo[]> {
    const found: BucketInfo[] = [];
    let marker: string | undefined;
    do {
      const query = this.#client.dialect.bucketDocument
        ? { 'max-keys': String(BUCKETS_PER_PAGE), ...(marker === undefined ? {} : { marker }) }
        : {};
      const { root } = await this.#client.document({ method: 'GET', query }, 'ListAllMyBucketsResult', signal);
      const entries = root.all('Buckets').flatMap((buckets) => buckets.all('Bucket'));
      found.push(...entries.map((entry) => ({ name: entry.required('Name'), created: entry.date('CreationDate') })));
      marker = root.isTrue('IsTruncated') ? root.required('NextMarker') : undefined;
    } while (marker !== undefined);
    return found;
  }

  async #described(bucket: string, signal: AbortSignal): Promise<BucketInfo> {
    const request = { method: 'GET', bucket, query: { bucketInfo: '' } } as const;
    const { root } = await this.#client.document(request, 'BucketInfo', signal);
    const [info] = root.all('Bucket');
    if (info === undefined) throw new BackendError('Internal', 'The origin described a bucket without its record.');
    return { name: bucket, created: info.date('CreationDate') };
  }

  /** A key that may not list all buckets learns nothing of their age: the epoch says so. */
  async #created(bucket: string, signal: AbortSignal): Promise<Date> {
    try {
      const buckets = await this.list(signal);
      return buckets.find(({ name }) => name === bucket)?.created ?? new Date(0);
    } catch (error) {
      if (error instanceof BackendError && error.code === 'AccessDenied') return new Date(0);
      throw error;
    }
  }
}
