// What is set on a bucket beside its objects: documents by name, kept by the bucket's own backend. What they say is the
// dialect's affair.
import { BackendError, type BucketDocuments } from '../../backends/backend.ts';
import type { BucketMap, Route } from './bucket-map.ts';

/** By the gateway's own bucket names; a backend that keeps none has none, and refuses to set one as NotSupported. */
export type BucketSettings = BucketDocuments;

export class RoutedBucketSettings implements BucketSettings {
  readonly #map: Pick<BucketMap, 'route'>;

  constructor(deps: { map: Pick<BucketMap, 'route'> }) {
    this.#map = deps.map;
  }

  async get(bucket: string, name: string, signal: AbortSignal): Promise<string | undefined> {
    const route = this.#map.route(bucket);
    return route.backend.bucketDocuments?.get(route.bucket, nameAt(route, name), signal);
  }

  async set(bucket: string, name: string, document: string, signal: AbortSignal): Promise<void> {
    const route = this.#map.route(bucket);
    await documentsOf(route).set(route.bucket, nameAt(route, name), document, signal);
  }

  async delete(bucket: string, name: string, signal: AbortSignal): Promise<void> {
    const route = this.#map.route(bucket);
    await documentsOf(route).delete(route.bucket, nameAt(route, name), signal);
  }
}

/** Several buckets may lie under prefixes of one bucket at the origin; each has its own settings. */
function nameAt({ prefix }: Route, name: string): string {
  return prefix === '' ? name : `${name} ${prefix}`;
}

function documentsOf({ backend }: Route): BucketDocuments {
  if (backend.bucketDocuments !== undefined) return backend.bucketDocuments;
  throw new BackendError('NotSupported', `The ${backend.kind} backend keeps no settings of buckets.`);
}
