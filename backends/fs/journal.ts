// How a file and its record change together. An object is committed when its intent is on the disk in the index; what
// follows (the rename, the record) is repeated at the next start until it is done. Before that instant there is the
// old object, after it the new one, and no request is answered in between:
//
//   place      write the intent · rename the file into place · sync the directory · write the record, drop the intent
//   remove     drop the record and write the intent · unlink the file · drop the intent
//   rearrange  write the intent · move the version's file · write the records, drop the intent
//
// Where a bucket has versions, place first moves the object that was there away, as part of the same intent.
// The caller has the object to itself (its lock) and has synced the file.
import { rename, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BackendError, type ObjectRef } from '../backend.ts';
import { errorCode } from './disk-error.ts';
import { isRealPath, makeDirectories, stampAt, syncParent } from './durable-file.ts';
import { removeEmptyDirectories } from './empty-directories.ts';
import { pathsOfKey } from './key-path.ts';
import type { Layout } from './layout.ts';
import type { Locks } from './locks.ts';
import type { ObjectIndex, RowChange, Rows } from './object-index.ts';
import { placedRows } from './placed-rows.ts';
import { type Intent, type ObjectRow, type Placement, type Rearrangement, type Removal, rowName } from './records.ts';
import { VersionFiles } from './version-files.ts';

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
  readonly #versions: VersionFiles;

  constructor(deps: JournalDeps, options: JournalOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#versions = new VersionFiles(deps.layout, options);
  }

  /** `current`: the object's record now. Rejects with Unavailable when it may have been committed. */
  place(placement: Placement, current: ObjectRow | undefined): Promise<void> {
    return this.#commit(placement.ref.bucket, async () => {
      for (const path of this.#pathsFor(placement.ref, current)) {
        if (await this.#placeAt({ ...placement, path })) return;
      }
      throw inTheWay(placement.ref);
    });
  }

  /** The records alone; files stay as they are. */
  async amend({ bucket }: ObjectRef, changes: readonly RowChange[]): Promise<void> {
    await this.#commit(bucket, () => this.#index.write(changes, 'durable'));
  }

  /** `current`: the object's record now; its path is the one that is given up or taken. */
  async rearrange(
    arrange: (path: string) => Rearrangement,
    ref: ObjectRef,
    current: ObjectRow | undefined,
  ): Promise<void> {
    const vacated = await this.#commit(ref.bucket, async () => {
      for (const path of this.#pathsFor(ref, current)) {
        const intent = { ...arrange(path), path };
        if (await this.#rearrangeAt(intent)) return intent.move?.to === 'versions' ? path : undefined;
      }
      throw inTheWay(ref);
    });
    if (vacated !== undefined)
      await this.#deps.locks.shared('commits', () => removeEmptyDirectories(this.#deps, ref.bucket, vacated));
  }

  /** `changes`: what else changes in the index at the same moment. */
  async remove(ref: ObjectRef, row: ObjectRow, changes: readonly RowChange[] = []): Promise<void> {
    const removal: Removal = { kind: 'remove', ref, path: row.path };
    await this.#commit(ref.bucket, async () => {
      await isRealPath(dirname(this.#target(removal)));
      const name = intentName(removal);
      await this.#index.write(
        [
          { type: 'del', key: rowName.object(ref) },
          { type: 'del', key: rowName.objectParts(ref) },
          ...changes,
          { type: 'put', key: name, value: removal },
        ],
        'durable',
      );
      await this.#unlink(removal);
      await this.#index.write([{ type: 'del', key: name }], 'soon');
    });
    await this.#deps.locks.shared('commits', () => removeEmptyDirectories(this.#deps, ref.bucket, row.path));
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
  #commit<T>(bucket: string, work: () => Promise<T>): Promise<T> {
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
      await this.#keep(intent);
      await rename(intent.temp, this.#target(intent));
      committed = true;
      if (this.#options.fsync) await syncParent(this.#target(intent));
      if (intent.drop !== undefined) await this.#versions.drop(intent.drop);
      const changes = await placedRows(this.#index.rows, intent);
      await this.#index.write([...changes, { type: 'del', key: name }], 'soon');
      return true;
    } catch (error) {
      if (committed) throw this.#unfinished(error);
      await this.#withdraw(intent, name, isInTheWay(error));
      if (isInTheWay(error)) return false;
      throw error;
    }
  }

  /** False: something else is there. What fails once the intent is written is repeated when the index recovers. */
  async #rearrangeAt(intent: Rearrangement & { path: string }): Promise<boolean> {
    const name = intentName(intent);
    if (!(await this.#makeRoom(intent))) return false;
    await this.#index.write([{ type: 'put', key: name, value: intent }], 'durable');
    try {
      await this.#move(intent);
      if (intent.drop !== undefined) await this.#versions.drop(intent.drop);
      await this.#index.write([...intent.changes, { type: 'del', key: name }], 'soon');
      return true;
    } catch (error) {
      if (!isInTheWay(error)) throw this.#unfinished(error);
      await this.#index.write([{ type: 'del', key: name }], 'durable');
      return false;
    }
  }

  async #makeRoom(intent: Rearrangement & { path: string }): Promise<boolean> {
    try {
      if (intent.move?.to === 'bucket') await this.#makeParent(intent);
      return true;
    } catch (error) {
      if (isInTheWay(error)) return false;
      throw error;
    }
  }

  async #move({ ref, path, move }: Rearrangement & { path: string }): Promise<void> {
    if (move === undefined) return;
    const object = this.#target({ ref, path });
    if (move.to === 'versions') await this.#versions.keep(object, move.path, move.stamp);
    else await this.#versions.restore(move.path, move.stamp, object);
  }

  async #keep(intent: Placement & { path: string }): Promise<void> {
    const { keep } = intent;
    if (keep !== undefined) await this.#versions.keep(this.#target(intent), keep.path, keep.stamp);
  }

  async #unkeep(intent: Placement & { path: string }): Promise<void> {
    const { keep } = intent;
    if (keep !== undefined) await this.#versions.restore(keep.path, keep.stamp, this.#target(intent));
  }

  /** Takes an intent back; without its file it would be dropped at the next start as well. */
  async #withdraw(intent: Placement & { path: string }, name: string, keepFile: boolean): Promise<void> {
    try {
      await this.#unkeep(intent);
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
      // A directory: it was unlinked, and since then a longer key has come to lie beneath its name.
      if (!['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errorCode(error) ?? '')) throw error;
    }
  }

  async #replayed(rows: Rows, intent: Intent): Promise<readonly RowChange[]> {
    if (intent.kind === 'place') return this.#replayedPlacement(rows, intent);
    if (intent.kind === 'rearrange') return this.#replayedRearrangement(intent);
    const current = await rows.get<ObjectRow>(rowName.object(intent.ref));
    if (current?.path !== intent.path) await this.#unlink(intent);
    return [];
  }

  async #replayedPlacement(rows: Rows, intent: Placement & { path: string }): Promise<RowChange[]> {
    await this.#keep(intent);
    if ((await stampAt(intent.temp)) !== undefined) {
      await this.#makeParent(intent);
      try {
        await rename(intent.temp, this.#target(intent));
      } catch (error) {
        if (!isInTheWay(error)) throw error;
        return [];
      }
    }
    if ((await stampAt(this.#target(intent))) !== intent.stamp) {
      await this.#unkeep(intent);
      return [];
    }
    if (this.#options.fsync) await syncParent(this.#target(intent));
    if (intent.drop !== undefined) await this.#versions.drop(intent.drop);
    return placedRows(rows, intent);
  }

  async #replayedRearrangement(intent: Rearrangement & { path: string }): Promise<readonly RowChange[]> {
    if (!(await this.#makeRoom(intent))) return [];
    try {
      await this.#move(intent);
    } catch (error) {
      if (!isInTheWay(error)) throw error;
      return [];
    }
    if (intent.drop !== undefined) await this.#versions.drop(intent.drop);
    return intent.changes;
  }
}

function isInTheWay(error: unknown): boolean {
  return IN_THE_WAY.has(errorCode(error) ?? '');
}

function inTheWay({ key }: ObjectRef): BackendError {
  return new BackendError('Internal', `Something that is no object lies in the way of '${key}'.`);
}

function intentName(intent: Intent | Placement): string {
  return rowName.intent(`${intent.ref.bucket}\0${intent.ref.key}`);
}
