// How one version of a key follows another. The current object is where it always is: in its place in the bucket, with
// its record among the objects. In a bucket with versions all others, and every delete marker, have records of their
// own, newest first; a key whose newest version is a delete marker has no current object. So a bucket that never had
// versions pays nothing for them.
//
// The caller has the object to itself (its lock) and is within its bucket.
import {
  BackendError,
  type DeleteConditions,
  type Deleted,
  type DeleteOptions,
  type ObjectRef,
  type VersionRef,
} from '../backend.ts';
import { checkDeleteConditions } from '../conditions.ts';
import type { BucketStore } from './bucket-store.ts';
import { stampAt } from './durable-file.ts';
import { findVersion, newestVersion, versionIdOf } from './find-version.ts';
import type { Journal } from './journal.ts';
import type { Layout } from './layout.ts';
import type { ObjectIndex, RowChange, Rows } from './object-index.ts';
import {
  isMarker,
  type KeptFile,
  type MarkerRow,
  type ObjectPartRow,
  type ObjectRow,
  objectInfo,
  type Placement,
  rowName,
  type StoredVersionRow,
  type VersionRow,
} from './records.ts';
import { newVersionId, orderAt, VersionOrders } from './version-ids.ts';

interface SuccessionDeps {
  readonly layout: Layout;
  readonly index: Pick<ObjectIndex, 'rows'>;
  readonly buckets: Pick<BucketStore, 'versioning'>;
  readonly journal: Pick<Journal, 'place' | 'remove' | 'rearrange' | 'amend'>;
}

/** What becomes of the versions that a new one follows. */
interface Followed {
  /** The new one takes the place of the current object, which is no more. */
  readonly replaces: boolean;
  readonly keep?: KeptFile | undefined;
  readonly drop?: string | undefined;
  readonly changes: readonly RowChange[];
}

export class Succession {
  readonly #deps: SuccessionDeps;
  readonly #now: () => Date;
  readonly #orders = new VersionOrders();

  constructor(deps: SuccessionDeps, options: { readonly now: () => Date }) {
    this.#deps = deps;
    this.#now = options.now;
  }

  /** `current`: the object's record now. Returns the record that was placed. */
  async place(placement: Placement, current: ObjectRow | undefined): Promise<Placement['row']> {
    const { ref } = placement;
    const { buckets, journal } = this.#deps;
    const status = buckets.versioning(ref.bucket);
    if (status === undefined) {
      await journal.place(placement, current);
      return placement.row;
    }
    const order = await this.#orderAfter(ref, current);
    const row = { ...placement.row, order, versionId: status === 'Enabled' ? newVersionId(order) : undefined };
    const { keep, drop, changes } = await this.#followed(ref, current, row.versionId);
    await journal.place({ ...placement, row, keep, drop, changes }, current);
    return row;
  }

  /** Deletes the object, or the version that is named. Throws PreconditionFailed. */
  async remove(ref: ObjectRef, { versionId, conditions }: DeleteOptions): Promise<Deleted> {
    if (versionId !== undefined) return this.#removeVersion({ ...ref, versionId }, conditions);
    const current = await this.#rows.get<ObjectRow>(rowName.object(ref));
    if (this.#deps.buckets.versioning(ref.bucket) !== undefined) return this.#mark(ref, current, conditions);
    checkDeleteConditions(conditions, current && described(current));
    if (current !== undefined) await this.#deps.journal.remove(ref, current);
    return {};
  }

  get #rows(): Rows {
    return this.#deps.index.rows;
  }

  async #mark(
    ref: ObjectRef,
    current: ObjectRow | undefined,
    conditions: DeleteConditions | undefined,
  ): Promise<Deleted> {
    const newest = current ?? (await newestVersion(this.#rows, ref));
    checkDeleteConditions(conditions, newest && described(newest));
    // A delete on conditions of what never was has nothing to do.
    if (conditions !== undefined && newest === undefined) return {};
    const order = await this.#orderAfter(ref, current);
    const isEnabled = this.#deps.buckets.versioning(ref.bucket) === 'Enabled';
    const versionId = isEnabled ? newVersionId(order) : undefined;
    const marker: MarkerRow = { marker: true, order, versionId, lastModified: this.#now().getTime() };
    const { replaces, keep, drop, changes } = await this.#followed(ref, current, versionId);
    const marked = [...changes, put(rowName.version(ref, order), marker), ...pointer(ref, marker, 'put')];
    const { journal } = this.#deps;
    if (replaces && current !== undefined) await journal.remove(ref, current, marked);
    else {
      const move = keep && ({ ...keep, to: 'versions' } as const);
      const all = current === undefined ? marked : [...gone(ref), ...marked];
      await journal.rearrange(() => ({ kind: 'rearrange', ref, move, drop, changes: all }), ref, current);
    }
    return { versionId: versionIdOf(marker), deleteMarker: true };
  }

  /** A new version with an id leaves all others; a null version takes the place of the null version there was. */
  async #followed(ref: ObjectRef, current: ObjectRow | undefined, versionId: string | undefined): Promise<Followed> {
    if (current !== undefined && versionId === undefined && current.versionId === undefined) {
      return { replaces: true, changes: [] };
    }
    const kept = current === undefined ? { changes: [] } : await this.#kept(ref, current);
    if (versionId !== undefined) return { replaces: false, ...kept };
    const dropped = await findVersion(this.#rows, { ...ref, versionId: 'null' });
    if (dropped === undefined || dropped.isCurrent) return { replaces: false, ...kept };
    const { row } = dropped;
    const drop = isMarker(row) ? undefined : row.path;
    return { replaces: false, ...kept, drop, changes: [...goneVersion(ref, row), ...kept.changes] };
  }

  async #kept(ref: ObjectRef, current: ObjectRow): Promise<{ keep: KeptFile | undefined; changes: RowChange[] }> {
    const path = this.#deps.layout.newVersionPath();
    const stamp = await stampAt(this.#deps.layout.object(ref.bucket, current.path));
    const row: StoredVersionRow = { ...current, path, order: orderOf(current) };
    const parts = await this.#rows.get<ObjectPartRow[]>(rowName.objectParts(ref));
    const changes = [put(rowName.version(ref, row.order), row), ...pointer(ref, row, 'put')];
    if (parts !== undefined) changes.push(put(rowName.versionParts(ref, row.order), parts));
    // Where another program took the file away, the record still says that there was a version.
    return { keep: stamp === undefined ? undefined : { path, stamp }, changes };
  }

  async #removeVersion(ref: VersionRef, conditions: DeleteConditions | undefined): Promise<Deleted> {
    const isVersioned = this.#deps.buckets.versioning(ref.bucket) !== undefined;
    const told = isVersioned ? { versionId: ref.versionId } : {};
    const found = await findVersion(this.#rows, ref);
    if (found === undefined) return told;
    checkDeleteConditions(conditions, described(found.row));
    if (found.isCurrent) {
      await this.#removeCurrent(ref, found.row);
      return told;
    }
    const { row } = found;
    if (!isMarker(row)) {
      const changes = goneVersion(ref, row);
      await this.#deps.journal.rearrange(() => ({ kind: 'rearrange', ref, drop: row.path, changes }), ref, undefined);
      return told;
    }
    await this.#removeMarker(ref, row);
    return { ...told, deleteMarker: true };
  }

  async #removeCurrent(ref: ObjectRef, current: ObjectRow): Promise<void> {
    const next = await newestVersion(this.#rows, ref);
    if (next === undefined || isMarker(next)) await this.#deps.journal.remove(ref, current);
    else await this.#restore(ref, next, current, []);
  }

  /** The newest of all: then the object before it is the current one again. */
  async #removeMarker(ref: ObjectRef, marker: MarkerRow): Promise<void> {
    const changes = goneVersion(ref, marker);
    const [current, newest, next] = await Promise.all([
      this.#rows.get<ObjectRow>(rowName.object(ref)),
      newestVersion(this.#rows, ref),
      newestVersion(this.#rows, ref, 1),
    ]);
    const wasNewest = current === undefined && newest?.order === marker.order;
    if (!wasNewest || next === undefined || isMarker(next)) await this.#deps.journal.amend(ref, changes);
    else await this.#restore(ref, next, undefined, changes);
  }

  async #restore(
    ref: ObjectRef,
    next: StoredVersionRow,
    current: ObjectRow | undefined,
    changes: readonly RowChange[],
  ): Promise<void> {
    const { journal, layout } = this.#deps;
    const stamp = await stampAt(layout.version(next.path));
    if (stamp === undefined) {
      const message = `The file of the version that would follow was removed by another program: ${layout.version(next.path)}. Delete version '${versionIdOf(next)}' first.`;
      throw new BackendError('Internal', message);
    }
    const parts = await this.#rows.get<ObjectPartRow[]>(rowName.versionParts(ref, next.order));
    const partsName = rowName.objectParts(ref);
    const partsChange = parts === undefined ? del(partsName) : put(partsName, parts);
    const move = { path: next.path, stamp, to: 'bucket' } as const;
    const arrange = (path: string) => {
      const restored = put(rowName.object(ref), { ...next, path } satisfies ObjectRow);
      const all = [...changes, ...goneVersion(ref, next), restored, partsChange];
      return { kind: 'rearrange', ref, move, changes: all } as const;
    };
    await journal.rearrange(arrange, ref, current);
  }

  async #orderAfter(ref: ObjectRef, current: ObjectRow | undefined): Promise<string> {
    const newest = current ?? (await newestVersion(this.#rows, ref));
    return this.#orders.next(this.#now(), newest && orderOf(newest));
  }
}

function orderOf({ order, lastModified }: Pick<ObjectRow, 'order' | 'lastModified'>): string {
  return order ?? orderAt(lastModified);
}

/** What conditions are checked against; a delete marker has no bytes and no etag. */
function described(row: ObjectRow | MarkerRow): Parameters<typeof checkDeleteConditions>[1] {
  if ('marker' in row) return { etag: '', sizeBytes: 0, lastModified: new Date(row.lastModified) };
  return objectInfo('', row);
}

function put(key: string, value: unknown): RowChange {
  return { type: 'put', key, value };
}

function del(key: string): RowChange {
  return { type: 'del', key };
}

function gone(ref: ObjectRef): RowChange[] {
  return [del(rowName.object(ref)), del(rowName.objectParts(ref))];
}

function goneVersion(ref: ObjectRef, row: VersionRow): RowChange[] {
  const { order } = row;
  return [del(rowName.version(ref, order)), del(rowName.versionParts(ref, order)), ...pointer(ref, row, 'del')];
}

/** Only of the null version. */
function pointer(ref: ObjectRef, row: VersionRow, change: 'put' | 'del'): RowChange[] {
  if (row.versionId !== undefined) return [];
  const name = rowName.nullVersion(ref);
  return [change === 'put' ? put(name, row.order) : del(name)];
}
