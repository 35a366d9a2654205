// Copies of objects. Files of objects are never written again, only replaced, so a copy is a second name of the same
// file: it costs no bytes and no time. Where the file system has no such names (or no more of them), bytes are copied.
import { constants } from 'node:fs';
import { copyFile, link, open, rm } from 'node:fs/promises';
import type { Checksum, ChecksumAlgorithm, Copied, CopyOptions, ObjectRef, VersionRef } from '../backend.ts';
import { createHasher, fullObjectChecksum } from '../checksums.ts';
import { checkReadConditions, checkWriteConditions } from '../conditions.ts';
import { errorCode } from './disk-error.ts';
import { type FileStamp, stampOf, syncFile } from './durable-file.ts';
import { FileStream } from './file-stream.ts';
import { type OpenObject, withOpenObject } from './reading.ts';
import { type ObjectPartRow, type ObjectRow, objectLock, rowName, written } from './records.ts';
import type { FsRoot } from './root.ts';

interface CopySettings {
  readonly fsync: boolean;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** What a copy takes from its source, all of one version. */
interface Taken {
  readonly row: ObjectRow;
  readonly versionId: string | undefined;
  readonly parts: readonly ObjectPartRow[] | undefined;
  readonly stamp: FileStamp;
}

const NO_LINKS = new Set(['EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

export async function copyObject(
  root: FsRoot,
  refs: { readonly source: VersionRef; readonly target: ObjectRef },
  options: CopyOptions,
  settings: CopySettings,
): Promise<Copied> {
  root.buckets.require(refs.target.bucket);
  const temp = root.layout.newTemp();
  try {
    const taken = await take(root, refs.source, temp, options, settings);
    const checksum = await checksumOf(temp, taken.row, options.checksumAlgorithm, settings.signal);
    return await place(root, refs.target, temp, { ...taken, checksum }, options, settings);
  } finally {
    // Where source and target are one file, its rename left this name too.
    await rm(temp, { force: true });
  }
}

function take(
  root: FsRoot,
  source: VersionRef,
  temp: string,
  options: CopyOptions,
  settings: CopySettings,
): Promise<Taken> {
  const use = async (object: OpenObject): Promise<Taken> => {
    checkReadConditions(options.sourceConditions, object.info);
    const parts = await root.index.rows.get<ObjectPartRow[]>(object.partsName);
    const stamp = (await linked(object.path, temp)) ? await stampOf(object.file) : await copied(object, temp, settings);
    await object.file.close();
    return { row: object.row, versionId: object.info.versionId, parts, stamp };
  };
  return withOpenObject(root, source, use, settings.signal);
}

async function place(
  root: FsRoot,
  target: ObjectRef,
  temp: string,
  { row: source, versionId, parts, stamp, checksum }: Taken & { readonly checksum: Checksum | undefined },
  options: CopyOptions,
  settings: CopySettings,
): Promise<Copied> {
  const { path: _, madeBy: __, versionId: ___, order: ____, ...kept } = source;
  const attributes = options.replace ?? kept;
  const row: Omit<ObjectRow, 'path'> = {
    ...kept,
    headers: attributes.headers,
    metadata: attributes.metadata,
    storageClass: options.storageClass ?? attributes.storageClass,
    tags: options.replaceTags ?? options.replace?.tags ?? source.tags,
    acl: options.acl,
    checksum,
    lastModified: settings.now().getTime(),
  };
  const placed = await root.buckets.within(target.bucket, () =>
    root.locks.alone(objectLock(target), async () => {
      const current = await root.index.rows.get<ObjectRow>(rowName.object(target));
      checkWriteConditions(options.conditions, current);
      settings.signal.throwIfAborted();
      return root.succession.place({ kind: 'place', ref: target, temp, stamp, row, parts }, current);
    }),
  );
  return { ...written(placed), sourceVersionId: versionId };
}

/** False: this file system does not give this file another name. */
async function linked(path: string, temp: string): Promise<boolean> {
  try {
    await link(path, temp);
    return true;
  } catch (error) {
    if (NO_LINKS.has(errorCode(error) ?? '')) return false;
    throw error;
  }
}

async function copied(object: OpenObject, temp: string, settings: CopySettings): Promise<FileStamp> {
  await copyFile(object.path, temp, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  return syncFile(temp, settings.fsync);
}

/** The source's own unless another algorithm was asked for. */
async function checksumOf(
  temp: string,
  { checksum, sizeBytes }: ObjectRow,
  algorithm: ChecksumAlgorithm | undefined,
  signal: AbortSignal,
): Promise<Checksum | undefined> {
  if (algorithm === undefined || checksum?.algorithm === algorithm) return checksum;
  const hasher = createHasher(algorithm);
  const stream = new FileStream(await open(temp), { start: 0, end: sizeBytes }, signal);
  for await (const chunk of stream) hasher.update(chunk as Buffer);
  return fullObjectChecksum(algorithm, hasher.digest());
}
