// Settings of buckets as they were a moment ago, for what is asked with every request; forgotten at once when this
// gateway changes them.
import type { BucketSettings } from '../objects/bucket-settings.ts';

interface Known {
  /** Undefined: there is none. */
  readonly document: string | undefined;
  readonly untilMs: number;
}

export class RecentSettings {
  /** The settings themselves; what is changed through them is forgotten here. */
  readonly current: BucketSettings;
  readonly #settings: BucketSettings;
  /** By bucket, then by name: all of a bucket's are looked up with every request. */
  readonly #known = new Map<string, Map<string, Known>>();
  readonly #now: () => number;
  readonly #options: { readonly ttlMs: number; readonly maxEntries: number };
  /** An answer that was asked for before the last change is not remembered. */
  #generation = 0;

  constructor(
    deps: { readonly settings: BucketSettings; readonly now: () => number },
    /** `maxEntries`: buckets that are remembered. */
    options: { readonly ttlMs: number; readonly maxEntries: number },
  ) {
    this.#settings = deps.settings;
    this.#now = deps.now;
    this.#options = options;
    this.current = {
      get: (...args) => this.#settings.get(...args),
      set: (...args) => this.#changing(() => this.#settings.set(...args)),
      delete: (...args) => this.#changing(() => this.#settings.delete(...args)),
    };
  }

  /** Undefined: it has to be asked for. */
  known(bucket: string, name: string): Known | undefined {
    const known = this.#known.get(bucket)?.get(name);
    return known !== undefined && known.untilMs >= this.#now() ? known : undefined;
  }

  /** Undefined: there is none. */
  async get(bucket: string, name: string, signal: AbortSignal): Promise<string | undefined> {
    const known = this.known(bucket, name);
    if (known !== undefined) return known.document;
    const generation = this.#generation;
    const document = await this.#settings.get(bucket, name, signal);
    if (generation === this.#generation) this.#remember(bucket, name, document);
    return document;
  }

  #remember(bucket: string, name: string, document: string | undefined): void {
    const untilMs = this.#now() + this.#options.ttlMs;
    const known = this.#known.get(bucket) ?? new Map<string, Known>();
    known.set(name, { document, untilMs });
    // What was asked for last stands last.
    this.#known.delete(bucket);
    this.#known.set(bucket, known);
    if (this.#known.size <= this.#options.maxEntries) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
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
