// How a file and its record change together. An object is committed when its intent is on the disk in the index; what
// follows (the rename, the record) is repeated at the next start until it is done. Before that instant there is the
// old object, after it the new one, and no request is answered in between:
//
//   place   write the intent · rename the file into place · sync the directory · write the record, drop the intent
//   remove  drop the record and write the intent · unlink the file · drop the intent
//
// The caller has the object to itself (its lock) and has synced the file.
import { rename, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BackendError, type ObjectRef } from '../backend.ts';
import { errorCode } from './disk-error.ts';
import { isEmpty, isRealPath, makeDirectories, stampAt, syncParent } from './durable-file.ts';
import { pathsOfKey } from './key-path.ts';
import type { Layout } from './layout.ts';
import type { Locks } from './locks.ts';
import type { ObjectIndex, RowChange, Rows } from './object-index.ts';
import { type Intent, type ObjectRow, type PartRow, type Placement, type Removal, rowName } from './records.ts';

interface JournalOptions {
  readonly fsync: boolean;
  /** The file system takes some different names for the same. */
  readonly folds: boolean;
}

interface JournalDeps {
  readonly layout: Layout;
  readonly locks: Locks;
  readonly index: () => Pick<ObjectIndex, 'rows' | 'write' | 'fail'>;
}

/** A directory where a file should go, or the other way round: another key has the plain path. */
const IN_THE_WAY = new Set(['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY']);

export class Journal {
  readonly #deps: JournalDeps;
  readonly #options: JournalOptions;

  constructor(deps: JournalDeps, options: JournalOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** `current`: the object's record now. Rejects with Unavailable when it may have been committed. */
  place(placement: Placement, current: ObjectRow | undefined): Promise<void> {
    return this.#commit(placement.ref.bucket, async () => {
      for (const path of this.#pathsFor(placement.ref, current)) {
        if (await this.#placeAt({ ...placement, path })) return;
      }
      throw new BackendError('Internal', `Something that is no object lies in the way of '${placement.ref.key}'.`);
    });
  }

  /** The record alone; the file stays as it is. */
  async amend(ref: ObjectRef, row: ObjectRow): Promise<void> {
    const change: RowChange = { type: 'put', key: rowName.object(ref), value: row };
    await this.#commit(ref.bucket, () => this.#index.write([change], 'durable'));
  }

  async remove(ref: ObjectRef, row: ObjectRow): Promise<void> {
    const removal: Removal = { kind: 'remove', ref, path: row.path };
    await this.#commit(ref.bucket, async () => {
      await isRealPath(dirname(this.#target(removal)));
      const name = intentName(removal);
      await this.#index.write(
        [
          { type: 'del', key: rowName.object(ref) },
          { type: 'del', key: rowName.objectParts(ref) },
          { type: 'put', key: name, value: removal },
        ],
        'durable',
      );
      await this.#unlink(removal);
      await this.#index.write([{ type: 'del', key: name }], 'soon');
    });
    await this.#deps.locks.shared('commits', () => this.#prune(ref.bucket, row.path));
  }

  /** Ends what was under way when the process or the index died. */
  async replay(rows: Rows): Promise<void> {
    for (const [name, intent] of await rows.all<Intent>('i')) {
      await rows.write([...(await this.#replayed(rows, intent)), { type: 'del', key: name }], 'durable');
    }
  }

  get #index(): Pick<ObjectIndex, 'rows' | 'write' | 'fail'> {
    return this.#deps.index();
  }

  /** 'commits' is alone while the index is recovered, 'tree' while empty directories go. */
  #commit(bucket: string, work: () => Promise<void>): Promise<void> {
    return this.#deps.locks.shared('commits', () => this.#deps.locks.shared(`tree ${bucket}`, work));
  }

  #pathsFor(ref: ObjectRef, current: ObjectRow | undefined): string[] {
    if (current !== undefined) return [current.path];
    const { plain, marked } = pathsOfKey(ref.key, this.#options.folds);
    return [plain, marked];
  }

  /** False: something else is there. */
  async #placeAt(intent: Placement & { path: string }): Promise<boolean> {
    const name = intentName(intent);
    let committed = false;
    try {
      await this.#makeParent(intent);
      await this.#index.write([{ type: 'put', key: name, value: intent }], 'durable');
      await rename(intent.temp, this.#target(intent));
      committed = true;
      if (this.#options.fsync) await syncParent(this.#target(intent));
      const changes = await placedRows(this.#index.rows, intent);
      await this.#index.write([...changes, { type: 'del', key: name }], 'soon');
      return true;
    } catch (error) {
      if (committed) throw this.#unfinished(error);
      const inTheWay = IN_THE_WAY.has(errorCode(error) ?? '');
      await this.#withdraw(intent, name, inTheWay);
      if (inTheWay) return false;
      throw error;
    }
  }

  /** Takes an intent back; without its file it would be dropped at the next start as well. */
  async #withdraw(intent: Placement, name: string, keepFile: boolean): Promise<void> {
    try {
      if (!keepFile) await rm(intent.temp, { force: true });
      await this.#index.write([{ type: 'del', key: name }], 'durable');
    } catch (error) {
      throw this.#unfinished(error);
    }
  }

  #unfinished(error: unknown): BackendError {
    this.#index.fail(error);
    const message = 'A write failed half-way; it is finished or withdrawn when the fs backend recovers.';
    return new BackendError('Unavailable', message, { cause: error });
  }

  async #makeParent({ ref, path }: { ref: ObjectRef; path: string }): Promise<void> {
    const parent = dirname(path);
    const bucket = this.#deps.layout.bucket(ref.bucket);
    if (parent !== '.') await makeDirectories(bucket, parent, this.#options.fsync);
    else if (!(await isRealPath(bucket))) {
      throw new BackendError('Internal', `The directory of the bucket was removed: ${bucket}`);
    }
  }

  #target({ ref, path }: { ref: ObjectRef; path: string }): string {
    return this.#deps.layout.object(ref.bucket, path);
  }

  async #unlink(removal: Removal): Promise<void> {
    try {
      if (!(await isRealPath(dirname(this.#target(removal))))) return;
      await unlink(this.#target(removal));
      if (this.#options.fsync) await syncParent(this.#target(removal));
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) throw error;
    }
  }

  async #replayed(rows: Rows, intent: Intent): Promise<RowChange[]> {
    if (intent.kind === 'remove') {
      const current = await rows.get<ObjectRow>(rowName.object(intent.ref));
      if (current?.path !== intent.path) await this.#unlink(intent);
      return [];
    }
    if ((await stampAt(intent.temp)) !== undefined) {
      await this.#makeParent(intent);
      try {
        await rename(intent.temp, this.#target(intent));
      } catch (error) {
        if (!IN_THE_WAY.has(errorCode(error) ?? '')) throw error;
        return [];
      }
    }
    if ((await stampAt(this.#target(intent))) !== intent.stamp) return [];
    if (this.#options.fsync) await syncParent(this.#target(intent));
    return placedRows(rows, intent);
  }

  /** Directories that hold nothing any more, up to the bucket's own. */
  async #prune(bucket: string, path: string): Promise<void> {
    for (let directory = dirname(path); directory !== '.'; directory = dirname(directory)) {
      if (!(await isEmpty(this.#deps.layout.object(bucket, directory)))) return;
      if (!(await this.#removeIfEmpty(bucket, directory))) return;
    }
  }

  #removeIfEmpty(bucket: string, directory: string): Promise<boolean> {
    return this.#deps.locks.alone(`tree ${bucket}`, async () => {
      try {
        await rmdir(this.#deps.layout.object(bucket, directory));
        return true;
      } catch (error) {
        if (['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) return false;
        if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return true;
        throw error;
      }
    });
  }
}

function intentName(intent: Placement | Removal): string {
  return rowName.intent(`${intent.ref.bucket}\0${intent.ref.key}`);
}

async function placedRows(rows: Rows, intent: Placement & { path: string }): Promise<RowChange[]> {
  const { ref, path, row, parts, uploadId } = intent;
  const partsName = rowName.objectParts(ref);
  const changes: RowChange[] = [
    { type: 'put', key: rowName.object(ref), value: { ...row, path } satisfies ObjectRow },
    parts === undefined ? { type: 'del', key: partsName } : { type: 'put', key: partsName, value: parts },
  ];
  return uploadId === undefined ? changes : [...changes, ...(await uploadEnded(rows, { ...ref, uploadId }))];
}

export async function uploadEnded(rows: Rows, upload: ObjectRef & { uploadId: string }): Promise<RowChange[]> {
  const parts = await rows.all<PartRow>(`p${upload.uploadId}\0`);
  return [{ type: 'del', key: rowName.upload(upload) }, ...parts.map(([key]) => ({ type: 'del', key }) as const)];
}
