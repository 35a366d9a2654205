// Who owns a bucket, as far as authorising needs to know it: asked of the origin, remembered for a few seconds and
// forgotten at once when this gateway makes or deletes the bucket.
import { LRUCache } from 'lru-cache';
import type { Objects } from '../objects/objects.ts';
import { S3Error } from './errors.ts';

export interface BucketOwnersOptions {
  readonly ttlMs: number;
  readonly maxEntries: number;
}

export interface BucketOwner {
  /** Undefined: no account owns it. */
  readonly owner: string | undefined;
}

export class BucketOwners {
  readonly #objects: Pick<Objects, 'headBucket'>;
  readonly #owners: LRUCache<string, BucketOwner>;
  /** An answer that was asked for before the last change is not remembered. */
  #generation = 0;

  constructor(
    deps: { readonly objects: Pick<Objects, 'headBucket'>; readonly now: () => number },
    options: BucketOwnersOptions,
  ) {
    this.#objects = deps.objects;
    this.#owners = new LRUCache({
      max: options.maxEntries,
      ttl: options.ttlMs,
      ttlResolution: 0,
      perf: { now: deps.now },
    });
  }

  /** Undefined: it has to be asked for. */
  known(bucket: string): BucketOwner | undefined {
    return this.#owners.get(bucket);
  }

  /** Undefined: the bucket exists and no account owns it. Throws NoSuchBucket. */
  async ownerOf(bucket: string, signal: AbortSignal): Promise<string | undefined> {
    const known = this.known(bucket);
    if (known !== undefined) return known.owner;
    const generation = this.#generation;
    const info = await this.#objects.headBucket(bucket, signal);
    if (info === undefined) throw new S3Error('NoSuchBucket');
    if (generation === this.#generation) this.#owners.set(bucket, { owner: info.owner });
    return info.owner;
  }

  forget(bucket: string): void {
    this.#generation += 1;
    this.#owners.delete(bucket);
  }
}
