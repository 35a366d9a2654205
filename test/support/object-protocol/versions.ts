// Versions as the protocol server keeps them: newest first, beside the map of what is current.
import { randomBytes } from 'node:crypto';
import type { StoredObject } from './store.ts';

export interface StoredVersion {
  readonly id: string;
  /** Undefined: a delete marker. */
  readonly object: StoredObject | undefined;
  readonly modified: Date;
}

export class StoredVersions {
  status: 'Enabled' | 'Suspended' | undefined;
  readonly #current: Map<string, StoredObject>;
  readonly #versions = new Map<string, readonly StoredVersion[]>();

  constructor(current: Map<string, StoredObject>) {
    this.#current = current;
  }

  switch(status: 'Enabled' | 'Suspended'): void {
    if (this.status === undefined) {
      for (const [key, object] of this.#current) this.#versions.set(key, [asVersion('null', object)]);
    }
    this.status = status;
  }

  get isEmpty(): boolean {
    return this.#versions.size === 0;
  }

  /** Undefined id: the bucket has no versions. */
  put(key: string, object: StoredObject | undefined): string | undefined {
    if (this.status === undefined) {
      if (object === undefined) this.#current.delete(key);
      else this.#current.set(key, object);
      return undefined;
    }
    const id = this.status === 'Enabled' ? randomBytes(8).toString('hex') : 'null';
    this.#set(key, [asVersion(id, object), ...this.of(key).filter((version) => version.id !== id)]);
    return id;
  }

  remove(key: string, id: string): StoredVersion | undefined {
    const removed = this.of(key).find((version) => version.id === id);
    this.#set(
      key,
      this.of(key).filter((version) => version !== removed),
    );
    return removed;
  }

  of(key: string): readonly StoredVersion[] {
    return this.#versions.get(key) ?? [];
  }

  keys(): string[] {
    return [...this.#versions.keys()];
  }

  #set(key: string, versions: readonly StoredVersion[]): void {
    if (versions.length === 0) this.#versions.delete(key);
    else this.#versions.set(key, versions);
    const current = versions[0]?.object;
    if (current === undefined) this.#current.delete(key);
    else this.#current.set(key, current);
  }
}

function asVersion(id: string, object: StoredObject | undefined): StoredVersion {
  return { id, object, modified: object?.modified ?? new Date() };
}
