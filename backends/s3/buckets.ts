// Buckets at an S3 origin. The origin knows one owner, the gateway's own account; who made a bucket through the gateway
// is not kept there.
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { BackendError, type BucketInfo, type Buckets } from '../backend.ts';
import { call } from './calls.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET_NAME = /^(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** A head does not tell when the bucket was made; only the list does. */
export async function headBucket(
  client: S3Client,
  bucket: string,
  signal: AbortSignal,
): Promise<BucketInfo | undefined> {
  const command = new HeadBucketCommand({ Bucket: bucket });
  try {
    await call(client, () => client.send(command, { abortSignal: signal }), signal);
    return { name: bucket, created: new Date(0) };
  } catch (error) {
    // 'NoSuchKey' is what any answer of 404 without a document is taken for.
    if (error instanceof BackendError && (error.code === 'NoSuchKey' || error.code === 'NoSuchBucket'))
      return undefined;
    throw error;
  }
}

export class S3Buckets implements Buckets {
  readonly #client: S3Client;
  readonly #region: string;

  constructor(client: S3Client, region: string) {
    this.#client = client;
    this.#region = region;
  }

  /** Some regions and servers answer a second create with success, so whether it exists is asked first. */
  async create(bucket: string, _options: { owner: string }, signal: AbortSignal): Promise<void> {
    if (!BUCKET_NAME.test(bucket)) {
      throw new BackendError('InvalidBucketName', `'${bucket}' is not a name that S3 gives to buckets.`);
    }
    if ((await headBucket(this.#client, bucket, signal)) !== undefined) {
      throw new BackendError('BucketAlreadyOwnedByYou', `The bucket '${bucket}' exists at the origin.`);
    }
    const location = this.#region === 'us-east-1' ? undefined : (this.#region as BucketLocationConstraint);
    const command = new CreateBucketCommand({
      Bucket: bucket,
      ...(location !== undefined && { CreateBucketConfiguration: { LocationConstraint: location } }),
    });
    await call(this.#client, () => this.#client.send(command, { abortSignal: signal }), signal);
  }

  async delete(bucket: string, signal: AbortSignal): Promise<void> {
    const command = new DeleteBucketCommand({ Bucket: bucket });
    await call(this.#client, () => this.#client.send(command, { abortSignal: signal }), signal);
  }

  /** The cheapest question that needs valid keys. */
  async first(signal: AbortSignal): Promise<void> {
    const command = new ListBucketsCommand({ MaxBuckets: 1 });
    await call(this.#client, () => this.#client.send(command, { abortSignal: signal }), signal);
  }

  async list(signal: AbortSignal): Promise<readonly BucketInfo[]> {
    const found: BucketInfo[] = [];
    let token: string | undefined;
    do {
      const command = new ListBucketsCommand({ ContinuationToken: token });
      const page = await call(this.#client, () => this.#client.send(command, { abortSignal: signal }), signal);
      for (const { Name: name, CreationDate: created } of page.Buckets ?? []) {
        if (name !== undefined) found.push({ name, created: created ?? new Date(0) });
      }
      token = page.ContinuationToken;
    } while (token !== undefined && token !== '');
    return found;
  }
}
