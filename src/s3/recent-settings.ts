// Settings of buckets as they were a moment ago, for what is asked with every request; forgotten at once when this
// gateway changes them.
import { LRUCache } from 'lru-cache';
import type { BucketSettings } from '../objects/bucket-settings.ts';

interface Known {
  /** Undefined: there is none. */
  readonly document: string | undefined;
}

export class RecentSettings {
  /** The settings themselves; what is changed through them is forgotten here. */
  readonly current: BucketSettings;
  readonly #settings: BucketSettings;
  readonly #known: LRUCache<string, Known>;
  /** An answer that was asked for before the last change is not remembered. */
  #generation = 0;

  constructor(
    deps: { readonly settings: BucketSettings; readonly now: () => number },
    options: { readonly ttlMs: number; readonly maxEntries: number },
  ) {
    this.#settings = deps.settings;
    this.current = {
      get: (...args) => this.#settings.get(...args),
      set: (...args) => this.#changing(() => this.#settings.set(...args)),
      delete: (...args) => this.#changing(() => this.#settings.delete(...args)),
    };
    this.#known = new LRUCache({
      max: options.maxEntries,
      ttl: options.ttlMs,
      ttlResolution: 0,
      perf: { now: deps.now },
    });
  }

  /** Undefined: it has to be asked for. */
  known(bucket: string, name: string): Known | undefined {
    return this.#known.get(`${bucket}\0${name}`);
  }

  /** Undefined: there is none. */
  async get(bucket: string, name: string, signal: AbortSignal): Promise<string | undefined> {
    const known = this.known(bucket, name);
    if (known !== undefined) return known.document;
    const generation = this.#generation;
    const document = await this.#settings.get(bucket, name, signal);
    if (generation === this.#generation) this.#known.set(`${bucket}\0${name}`, { document });
    return document;
  }

  /** Of every bucket: changes are rare. */
  forget(): void {
    this.#generation += 1;
    this.#known.clear();
  }

  async #changing(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } finally {
      this.forget();
    }
  }
}
