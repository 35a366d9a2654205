// Finding a version of a key: the current object, or another by its id.
import { BackendError, type ObjectRef, type VersionRef } from '../backend.ts';
import type { BucketStore } from './bucket-store.ts';
import type { Layout } from './layout.ts';
import type { ObjectIndex, Rows } from './object-index.ts';
import { isMarker, NULL_VERSION, type ObjectRow, rowName, type VersionRow } from './records.ts';
import { orderOfVersionId } from './version-ids.ts';

export type FoundVersion =
  | { readonly isCurrent: true; readonly row: ObjectRow }
  | { readonly isCurrent: false; readonly row: VersionRow };

export async function findVersion(rows: Pick<Rows, 'get'>, ref: VersionRef): Promise<FoundVersion | undefined> {
  const { versionId } = ref;
  const current = await rows.get<ObjectRow>(rowName.object(ref));
  if (current !== undefined && (versionId === undefined || versionId === versionIdOf(current))) {
    return { isCurrent: true, row: current };
  }
  if (versionId === undefined) return undefined;
  const isNull = versionId === NULL_VERSION;
  const order = isNull ? await rows.get<string>(rowName.nullVersion(ref)) : orderOfVersionId(versionId);
  const row = order === undefined ? undefined : await rows.get<VersionRow>(rowName.version(ref, order));
  return row !== undefined && versionIdOf(row) === versionId ? { isCurrent: false, row } : undefined;
}

/** The newest of those that are not the current object. `skip`: how many newer ones to pass over. */
export async function newestVersion(
  rows: Pick<Rows, 'scan'>,
  ref: ObjectRef,
  skip: 0 | 1 = 0,
): Promise<VersionRow | undefined> {
  const scan = rows.scan(rowName.versions(ref));
  try {
    const found = (await scan.next(skip + 1))[skip];
    return found && (JSON.parse(found[1]) as VersionRow);
  } finally {
    await scan.close();
  }
}

export function versionIdOf(row: { readonly versionId?: string | undefined }): string {
  return row.versionId ?? NULL_VERSION;
}

/** A version with bytes, and where everything of it is. */
export interface HeldVersion {
  readonly row: ObjectRow;
  readonly rowName: string;
  readonly partsName: string;
  readonly file: string;
  /** As readers are told it; undefined where the bucket never had versions. */
  readonly versionId: string | undefined;
}

type FindingRoot = { readonly index: Pick<ObjectIndex, 'rows'> } & {
  readonly layout: Layout;
  readonly buckets: Pick<BucketStore, 'require' | 'versioning'>;
};

/** Throws NoSuchBucket, NoSuchKey, NoSuchVersion, DeleteMarker. */
export async function requireVersion(root: FindingRoot, ref: VersionRef): Promise<HeldVersion> {
  const { buckets, index, layout } = root;
  buckets.require(ref.bucket);
  const isVersioned = buckets.versioning(ref.bucket) !== undefined;
  const found = await findVersion(index.rows, ref);
  if (found === undefined) throw await missing(index.rows, ref, isVersioned);
  const versionId = isVersioned ? versionIdOf(found.row) : undefined;
  if (found.isCurrent) {
    const { row } = found;
    const file = layout.object(ref.bucket, row.path);
    return { row, rowName: rowName.object(ref), partsName: rowName.objectParts(ref), file, versionId };
  }
  const { row } = found;
  if (isMarker(row)) {
    const marker = { versionId: versionIdOf(row) };
    throw new BackendError('DeleteMarker', `Version '${marker.versionId}' of '${ref.key}' is a delete marker.`, {
      marker,
    });
  }
  const [name, partsName] = [rowName.version(ref, row.order), rowName.versionParts(ref, row.order)];
  return { row, rowName: name, partsName, file: layout.version(row.path), versionId };
}

async function missing(rows: Pick<Rows, 'scan'>, ref: VersionRef, isVersioned: boolean): Promise<BackendError> {
  if (ref.versionId !== undefined && (isVersioned || ref.versionId !== NULL_VERSION)) {
    return new BackendError('NoSuchVersion', `There is no version '${ref.versionId}' of '${ref.key}'.`);
  }
  const newest = isVersioned ? await newestVersion(rows, ref) : undefined;
  const marker = newest && { versionId: versionIdOf(newest) };
  return new BackendError('NoSuchKey', `There is no object '${ref.key}' in '${ref.bucket}'.`, { marker });
}
