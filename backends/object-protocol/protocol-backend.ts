// The backend contract over the protocol that OSS and OBS share with the early S3: requests on buckets and keys,
// attributes in headers, listings in XML. What differs between them is the dialect (data) and the wire (signatures).
// Objects keep no checksums of S3's kinds here; a listing's or part's etag is the origin's.
import {
  type Backend,
  BackendError,
  type Capabilities,
  type CopyOptions,
  type DeleteTarget,
  type HeadOptions,
  type ListOptions,
  type Multipart,
  type ObjectRef,
  type PutOptions,
  type ReadOptions,
  type UploadBody,
  type Versioning,
  type VersionRef,
} from '../backend.ts';
import { BucketOperations } from './bucket-operations.ts';
import { copyObject } from './copying.ts';
import type { Dialect } from './dialect.ts';
import { listObjects } from './listing.ts';
import { OriginClient } from './origin-client.ts';
import { headObject, readObject } from './reads.ts';
import { Uploads } from './uploads.ts';
import { versioningOf } from './versioning.ts';
import type { Wire } from './wire.ts';
import { WriteGuard } from './write-guard.ts';
import { deleteObject, deleteObjects, putObject } from './writes.ts';

export class ProtocolBackend implements Backend {
  readonly kind: string;
  readonly capabilities: Capabilities;
  readonly multipart: Multipart;
  readonly buckets: BucketOperations;
  readonly versioning: Versioning;
  readonly #client: OriginClient;
  readonly #guard: WriteGuard;
  readonly #uploads: Uploads;

  constructor(deps: { wire: Wire; dialect: Dialect }) {
    this.kind = deps.dialect.kind;
    this.capabilities = deps.dialect.capabilities;
    this.#client = new OriginClient(deps);
    this.#guard = new WriteGuard(this.#client);
    this.#uploads = new Uploads({ client: this.#client, guard: this.#guard });
    this.multipart = this.#uploads;
    this.buckets = new BucketOperations({ client: this.#client });
    this.versioning = versioningOf(this.#client);
  }

  /** A key that may not list buckets proves as well that the origin answers and knows it. */
  async check(signal: AbortSignal): Promise<void> {
    try {
      await this.#client.call({ method: 'GET' }, signal);
    } catch (error) {
      if (!(error instanceof BackendError) || error.code !== 'AccessDenied') throw error;
    }
  }

  headBucket(bucket: string, signal: AbortSignal) {
    return this.buckets.head(bucket, signal);
  }

  head(ref: ObjectRef, options: HeadOptions, signal: AbortSignal) {
    return headObject(this.#client, ref, options, signal);
  }

  read(ref: ObjectRef, options: ReadOptions, signal: AbortSignal) {
    return readObject(this.#client, ref, options, signal);
  }

  list(bucket: string, options: ListOptions, signal: AbortSignal) {
    return listObjects(this.#client, bucket, options, signal);
  }

  put(ref: ObjectRef, body: UploadBody, options: PutOptions, signal: AbortSignal) {
    return putObject(this.#client, this.#guard, ref, body, options, signal);
  }

  delete(ref: ObjectRef, options: { versionId?: string | undefined }, signal: AbortSignal) {
    return deleteObject(this.#client, ref, options, signal);
  }

  deleteMany(bucket: string, targets: readonly DeleteTarget[], signal: AbortSignal) {
    return deleteObjects(this.#client, bucket, targets, signal);
  }

  copy(source: VersionRef, target: ObjectRef, options: CopyOptions, signal: AbortSignal) {
    const deps = { guard: this.#guard, copyInParts: this.#uploads.copyInParts };
    return copyObject(this.#client, deps, source, target, options, signal);
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}
