// Heads and reads. A reader opens the file while nobody commits the object, so the record and the file are of one
// version; from then on it holds the open file, whatever happens to the name.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  BackendError,
  type ByteRange,
  type Checksum,
  type HeadOptions,
  type ObjectHead,
  type ObjectInfo,
  type ObjectPartsPage,
  type ObjectRead,
  type PartListOptions,
  type ReadOptions,
  type VersionRef,
} from '../backend.ts';
import { checkReadConditions } from '../conditions.ts';
import { resolveRange } from '../range.ts';
import { isRealPath } from './durable-file.ts';
import { FileStream } from './file-stream.ts';
import { type HeldVersion, requireVersion } from './find-version.ts';
import { type ObjectPartRow, type ObjectRow, objectInfo, objectLock } from './records.ts';
import type { FsRoot } from './root.ts';

type ReadRoot = Pick<FsRoot, 'index' | 'layout' | 'locks' | 'buckets'>;

export async function headObject(root: ReadRoot, ref: VersionRef, options: HeadOptions): Promise<ObjectHead> {
  const { partNumber } = options;
  // The record of the current object is one row; a version by its id may be in one of two, and on its way between them.
  if (partNumber === undefined && options.versionId === undefined) {
    const { info } = await describedVersion(root, withVersion(ref, options));
    checkReadConditions(options.conditions, info);
    return { info };
  }
  return root.locks.shared(objectLock(ref), async () => {
    const { info, partsName } = await describedVersion(root, withVersion(ref, options));
    checkReadConditions(options.conditions, info);
    return partNumber === undefined ? { info } : { info, ...(await partOf(root, partsName, info, partNumber)) };
  });
}

export async function openObject(
  root: ReadRoot,
  ref: VersionRef,
  options: ReadOptions,
  signal: AbortSignal,
): Promise<ObjectRead> {
  return withOpenObject(
    root,
    withVersion(ref, options),
    async ({ info, file, partsName }) => {
      checkReadConditions(options.conditions, info);
      const { range: request, partNumber } = options;
      const wanted: Omit<ObjectHead, 'info'> =
        partNumber === undefined
          ? { range: request && resolveRange(request, info.sizeBytes) }
          : await partOf(root, partsName, info, partNumber);
      const body = new FileStream(file, wanted.range ?? { start: 0, end: info.sizeBytes }, signal);
      return wanted.range === undefined ? { info, body } : { info, ...wanted, body };
    },
    signal,
  );
}

/** The numbers of a completed object's parts are those of their order. */
export function objectParts(
  root: ReadRoot,
  ref: VersionRef,
  options: PartListOptions,
): Promise<ObjectPartsPage | undefined> {
  return root.locks.shared(objectLock(ref), async () => {
    const { partsName } = await requireVersion(root, ref);
    const rows = await root.index.rows.get<ObjectPartRow[]>(partsName);
    if (rows === undefined) return undefined;
    const { after = 0, maxEntries } = options;
    const parts = rows
      .slice(after, after + maxEntries)
      .map((part, index) => ({ ...part, partNumber: after + index + 1 }));
    const nextAfter = after + parts.length < rows.length ? after + parts.length : undefined;
    return { parts, partCount: rows.length, nextAfter };
  });
}

export interface OpenObject {
  readonly row: ObjectRow;
  readonly info: ObjectInfo;
  readonly file: FileHandle;
  readonly path: string;
  /** Of the record of its parts, if it has any. */
  readonly partsName: string;
}

/** `use` owns the file when it resolves; nobody commits the object while it runs. */
export function withOpenObject<T>(
  root: ReadRoot,
  ref: VersionRef,
  use: (object: OpenObject) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const work = async (): Promise<T> => {
    const { row, info, file: path, partsName } = await describedVersion(root, ref);
    const file = await openFile(path, row);
    try {
      return await use({ row, info, file, path, partsName });
    } catch (error) {
      await file.close();
      throw error;
    }
  };
  return root.locks.shared(objectLock(ref), work, signal);
}

async function describedVersion(root: ReadRoot, ref: VersionRef): Promise<HeldVersion & { info: ObjectInfo }> {
  const version = await requireVersion(root, ref);
  return { ...version, info: objectInfo(ref.key, version.row, version.versionId) };
}

/** An object put in one piece is its own first part. */
async function partOf(
  root: ReadRoot,
  partsName: string,
  info: ObjectInfo,
  partNumber: number,
): Promise<{ range: ByteRange; partChecksum: Checksum | undefined }> {
  const parts: readonly ObjectPartRow[] = (await root.index.rows.get<ObjectPartRow[]>(partsName)) ?? [info];
  const part = parts[partNumber - 1];
  if (part === undefined) {
    throw new BackendError('InvalidPartNumber', `'${info.key}' has ${parts.length} parts, not ${partNumber}.`, {
      info,
    });
  }
  const start = parts.slice(0, partNumber - 1).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { range: { start, end: start + part.sizeBytes }, partChecksum: part.checksum };
}

function withVersion(ref: VersionRef, options: HeadOptions): VersionRef {
  return options.versionId === undefined ? ref : { ...ref, versionId: options.versionId };
}

async function openFile(path: string, row: ObjectRow): Promise<FileHandle> {
  if (!(await isRealPath(dirname(path)))) throw changedBehind(path);
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'ENOENT' ? changedBehind(path) : error;
  }
  try {
    if ((await file.stat()).size !== row.sizeBytes) throw changedBehind(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function changedBehind(path: string): BackendError {
  const message = `Another program changed or removed the file of an object: ${path}. Put the object again or delete it.`;
  return new BackendError('Internal', message);
}
