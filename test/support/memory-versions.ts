// The versions of the keys of one bucket in memory, newest first; what is current is kept in the bucket's own map.
import { randomUUID } from 'node:crypto';
import {
  BackendError,
  type DeleteMarkerSummary,
  type ListVersionsOptions,
  type ObjectVersionSummary,
  type VersioningStatus,
  type VersionListPage,
} from '../../backends/backend.ts';
import type { StoredObject } from './memory-backend.ts';
import { byBytes, objectSummary } from './memory-listing.ts';

const NULL_VERSION = 'null';

interface Version {
  readonly id: string;
  /** Undefined: a delete marker. */
  readonly object: StoredObject | undefined;
  readonly made: Date;
}

export class MemoryVersions {
  status: VersioningStatus | undefined;
  readonly #objects: Map<string, StoredObject>;
  readonly #versions = new Map<string, readonly Version[]>();

  constructor(objects: Map<string, StoredObject>) {
    this.#objects = objects;
  }

  get isEmpty(): boolean {
    return this.#versions.size === 0;
  }

  switch(status: VersioningStatus): void {
    if (this.status === undefined) {
      for (const [key, object] of this.#objects) this.#set(key, [named(object, NULL_VERSION)]);
    }
    this.status = status;
  }

  /** `object` undefined: a delete marker. Returns the version's id; undefined while there are no versions. */
  add(key: string, object: StoredObject | undefined, now: Date): string | undefined {
    if (this.status === undefined) {
      if (object === undefined) this.#objects.delete(key);
      else this.#objects.set(key, object);
      return undefined;
    }
    const id = this.status === 'Enabled' ? randomUUID() : NULL_VERSION;
    const others = this.#of(key).filter((version) => version.id !== id);
    const added = object === undefined ? { id, object, made: now } : named(object, id);
    this.#set(key, [added, ...others]);
    return id;
  }

  /** In place of the one with this id, or of the current object. */
  replace(key: string, versionId: string | undefined, object: StoredObject): void {
    if (this.status === undefined) this.#objects.set(key, object);
    else {
      const id = versionId ?? this.#of(key)[0]?.id;
      const replaced = this.#of(key).map((version) => (version.id === id ? { ...version, object } : version));
      this.#set(key, replaced);
    }
  }

  /** Returns what was removed. */
  remove(key: string, id: string): Version | undefined {
    if (this.status === undefined) {
      if (id === NULL_VERSION) this.#objects.delete(key);
      return undefined;
    }
    const removed = this.#of(key).find((version) => version.id === id);
    this.#set(
      key,
      this.#of(key).filter((version) => version !== removed),
    );
    return removed;
  }

  /** What conditions of a delete are about. */
  described(key: string, versionId: string | undefined) {
    if (this.status === undefined) return this.#objects.get(key)?.info;
    const version = this.#of(key).find(({ id }) => versionId === undefined || id === versionId);
    return version && (version.object?.info ?? { etag: '', sizeBytes: 0, lastModified: version.made });
  }

  /** Throws NoSuchKey, NoSuchVersion, DeleteMarker. */
  find(key: string, versionId: string | undefined): StoredObject {
    const isPlain = versionId === undefined || (this.status === undefined && versionId === NULL_VERSION);
    if (isPlain) {
      const current = this.#objects.get(key);
      if (current !== undefined) return current;
      const newest = this.#of(key)[0];
      const marker = newest && { versionId: newest.id };
      throw new BackendError('NoSuchKey', `There is no object '${key}'.`, { marker });
    }
    const version = this.#of(key).find(({ id }) => id === versionId);
    if (version === undefined) throw new BackendError('NoSuchVersion', `There is no version '${versionId}'.`);
    if (version.object !== undefined) return version.object;
    throw new BackendError('DeleteMarker', 'The version is a delete marker.', { marker: { versionId: version.id } });
  }

  list(options: ListVersionsOptions): VersionListPage {
    const { prefix = '', delimiter, keyMarker = '', versionIdMarker, maxEntries } = options;
    const page = { versions: [] as Summary[], prefixes: [] as string[] };
    let next: VersionListPage['next'];
    for (const { key, version, isLatest } of this.#after(keyMarker, versionIdMarker)) {
      if (!key.startsWith(prefix)) continue;
      const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
      const common = cut === -1 ? undefined : key.slice(0, cut + (delimiter ?? '').length);
      if (common !== undefined && (common === keyMarker || page.prefixes.includes(common))) continue;
      if (page.versions.length + page.prefixes.length === maxEntries) return { ...page, next };
      if (common === undefined) page.versions.push(summary(key, version, isLatest));
      else page.prefixes.push(common);
      next = common === undefined ? { keyMarker: key, versionIdMarker: version.id } : { keyMarker: common };
    }
    return page;
  }

  *#after(keyMarker: string, versionIdMarker: string | undefined) {
    const all =
      this.status === undefined
        ? [...this.#objects].map(([key, object]) => [key, [named(object, NULL_VERSION)]] as const)
        : [...this.#versions];
    for (const [key, versions] of all.toSorted(([one], [other]) => byBytes(one, other))) {
      const marked = key === keyMarker && versionIdMarker !== undefined;
      if (keyMarker !== '' && byBytes(key, keyMarker) <= 0 && !marked) continue;
      const first = marked ? versions.findIndex(({ id }) => id === versionIdMarker) + 1 : 0;
      for (const [index, version] of versions.entries()) {
        if (index >= first) yield { key, version, isLatest: index === 0 };
      }
    }
  }

  #of(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  #set(key: string, versions: readonly Version[]): void {
    if (versions.length === 0) this.#versions.delete(key);
    else this.#versions.set(key, versions);
    const current = versions[0]?.object;
    if (current === undefined) this.#objects.delete(key);
    else this.#objects.set(key, current);
  }
}

type Summary = ObjectVersionSummary | DeleteMarkerSummary;

function named(object: StoredObject, id: string): Version {
  return { id, object: { ...object, info: { ...object.info, versionId: id } }, made: object.info.lastModified };
}

function summary(key: string, { id, object, made }: Version, isLatest: boolean): Summary {
  if (object === undefined) return { key, deleteMarker: true, versionId: id, isLatest, lastModified: made };
  return { ...objectSummary(object), versionId: id, isLatest };
}
