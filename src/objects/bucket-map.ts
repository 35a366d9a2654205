// Which origin a bucket of the gateway stands for: (backend, bucket, key prefix), by exact name, else by '*'.
import { type Backend, BackendError, type Capabilities, type ObjectRef } from '../../backends/backend.ts';

export interface BucketMapping {
  /** The name of a configured backend. */
  readonly backend: string;
  /** The bucket's name at the origin; default: the gateway's own name for it. */
  readonly bucket?: string | undefined;
  /** Put before every key at the origin, and never shown to clients. */
  readonly prefix?: string | undefined;
}

/** Where requests for one bucket go. */
export interface Route {
  /** The backend's name in the configuration. */
  readonly name: string;
  readonly backend: Backend;
  /** The backend's: it may be wrapped in what looks at every question. */
  readonly capabilities: Capabilities;
  readonly bucket: string;
  readonly prefix: string;
  /** The configuration names this bucket, so clients neither make nor delete it. */
  readonly configured: boolean;
}

export class BucketMap {
  readonly #backends: ReadonlyMap<string, Backend>;
  readonly #mappings: ReadonlyMap<string, BucketMapping>;
  readonly #configured: ReadonlyMap<string, Route>;

  constructor(backends: ReadonlyMap<string, Backend>, mappings: Readonly<Record<string, BucketMapping>>) {
    this.#backends = backends;
    this.#mappings = new Map(Object.entries(mappings));
    for (const [name, mapping] of this.#mappings) {
      if (!backends.has(mapping.backend)) {
        throw new Error(`Bucket '${name}' is mapped to backend '${mapping.backend}', which is not configured.`);
      }
    }
    if (this.#mappings.get('*')?.bucket !== undefined) {
      throw new Error("The mapping '*' may not name a bucket: every bucket of the gateway would be the same one.");
    }
    const routes = this.configuredNames().map((name) => [name, this.#routeBy(this.#mappings.get(name), name, true)]);
    this.#configured = new Map(routes as [string, Route][]);
  }

  /** Rejects with NoSuchBucket when nothing is mapped to this name. */
  route(bucket: string): Route {
    const route = this.#configured.get(bucket) ?? this.#routeBy(this.#mappings.get('*'), bucket, false);
    if (route === undefined) throw new BackendError('NoSuchBucket', `No backend is configured for bucket '${bucket}'.`);
    return route;
  }

  #routeBy(mapping: BucketMapping | undefined, bucket: string, configured: boolean): Route | undefined {
    const backend = mapping && this.#backends.get(mapping.backend);
    if (mapping === undefined || backend === undefined) return undefined;
    return {
      name: mapping.backend,
      backend,
      capabilities: backend.capabilities,
      bucket: mapping.bucket ?? bucket,
      prefix: mapping.prefix ?? '',
      configured,
    };
  }

  /** The names that the configuration maps one by one. */
  configuredNames(): readonly string[] {
    return [...this.#mappings.keys()].filter((name) => name !== '*');
  }

  /** The backend of every other bucket. */
  fallback(): Backend | undefined {
    const mapping = this.#mappings.get('*');
    return mapping && this.#backends.get(mapping.backend);
  }
}

export function originRef(route: Route, key: string): ObjectRef {
  return { bucket: route.bucket, key: route.prefix + key };
}

export function withoutPrefix(route: Route, key: string): string {
  return key.startsWith(route.prefix) ? key.slice(route.prefix.length) : key;
}
