// The same for a bucket with versions: what is acknowledged adds a version on top or removes one, and nothing else
// changes.
import type { LogLine, ObjectState } from './history.ts';

const NULL_VERSION = 'null';

export interface KnownVersion {
  readonly id: string;
  /** Null: a delete marker. */
  readonly state: ObjectState | null;
}

export class VersionHistory {
  /** Newest first. */
  readonly #settled = new Map<string, readonly KnownVersion[]>();
  readonly #begun = new Map<string, LogLine>();
  readonly #buckets = new Map<string, string>();

  read(line: LogLine): void {
    this.#buckets.set(line.key, line.versioned ?? 'none');
    if (line.phase === 'begun') {
      this.#begun.set(line.key, line);
      return;
    }
    this.#begun.delete(line.key);
    this.#settled.set(line.key, this.#after(line, line.version ?? NULL_VERSION));
  }

  get keys(): string[] {
    return [...new Set([...this.#settled.keys(), ...this.#begun.keys()])];
  }

  bucketOf(key: string): string {
    return this.#buckets.get(key) ?? 'none';
  }

  /** Undefined: what was found is neither what was acknowledged nor what was under way would have made of it. */
  match(key: string, found: readonly KnownVersion[]): 'settled' | 'withdrawn' | 'finished' | undefined {
    const begun = this.#begun.get(key);
    if (same(this.#of(key), found)) return begun === undefined ? 'settled' : 'withdrawn';
    const finished = begun && this.#after(begun, found[0]?.id ?? NULL_VERSION);
    return finished !== undefined && same(finished, found) ? 'finished' : undefined;
  }

  /** What was found is what the next process begins with. */
  settle(key: string, found: readonly KnownVersion[]): void {
    this.#begun.delete(key);
    this.#settled.set(key, found);
  }

  expected(key: string): unknown {
    return { settled: this.#of(key), begun: this.#begun.get(key) };
  }

  #of(key: string): readonly KnownVersion[] {
    return this.#settled.get(key) ?? [];
  }

  #after({ key, state, removed }: LogLine, id: string): readonly KnownVersion[] {
    if (removed !== undefined) return this.#of(key).filter((version) => version.id !== removed);
    // A null version takes the place of the one there was.
    return [{ id, state }, ...this.#of(key).filter((version) => version.id !== id)];
  }
}

function same(one: readonly KnownVersion[], other: readonly KnownVersion[]): boolean {
  return JSON.stringify(one.map(told)) === JSON.stringify(other.map(told));
}

function told({ id, state }: KnownVersion) {
  return [id, state && [state.etag, state.sha256, state.sizeBytes, state.nonce]];
}
