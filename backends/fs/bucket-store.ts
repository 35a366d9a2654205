// Buckets: a row in the index and a directory each. All are kept in memory; no other process changes them.
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendError, type BucketInfo, type UploadRef, type VersioningStatus } from '../backend.ts';
import { errorCode } from './disk-error.ts';
import { makeDirectories, syncDirectory } from './durable-file.ts';
import type { Layout } from './layout.ts';
import type { Locks } from './locks.ts';
import type { ObjectIndex, Rows } from './object-index.ts';
import { checkBucketName } from './object-names.ts';
import { uploadEnded } from './placed-rows.ts';
import { type BucketRow, bucketInfo, rowName } from './records.ts';
import { uploadOfRow } from './upload-names.ts';

interface BucketStoreDeps {
  readonly layout: Layout;
  readonly locks: Locks;
  readonly index: Pick<ObjectIndex, 'rows' | 'write'>;
}

export class BucketStore {
  readonly #deps: BucketStoreDeps;
  readonly #options: { readonly fsync: boolean; readonly now: () => Date };
  readonly #buckets = new Map<string, BucketRow>();

  constructor(deps: BucketStoreDeps, options: { fsync: boolean; now: () => Date }) {
    this.#deps = deps;
    this.#options = options;
  }

  async load(): Promise<void> {
    const rows = await this.#deps.index.rows.all<BucketRow>('b');
    for (const [name, row] of rows) this.#buckets.set(name.slice(1), row);
  }

  find(bucket: string): BucketInfo | undefined {
    const row = this.#buckets.get(bucket);
    return row && bucketInfo(bucket, row);
  }

  all(): BucketInfo[] {
    return [...this.#buckets].map(([name, row]) => bucketInfo(name, row)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  require(bucket: string): void {
    if (!this.#buckets.has(bucket)) throw noSuchBucket(bucket);
  }

  /** Undefined: never switched on. Of a bucket that exists. */
  versioning(bucket: string): VersioningStatus | undefined {
    return this.#buckets.get(bucket)?.versioning;
  }

  /** Nothing is committed in the bucket while it changes. */
  async setVersioning(bucket: string, versioning: VersioningStatus): Promise<void> {
    await this.#deps.locks.alone(`bucket ${bucket}`, async () => {
      const row = this.#buckets.get(bucket);
      if (row === undefined) throw noSuchBucket(bucket);
      const changed = { ...row, versioning };
      await this.#deps.index.write([{ type: 'put', key: rowName.bucket(bucket), value: changed }], 'durable');
      this.#buckets.set(bucket, changed);
    });
  }

  /** Runs while the bucket exists and cannot be deleted. */
  within<T>(bucket: string, work: () => Promise<T>): Promise<T> {
    return this.#deps.locks.shared(`bucket ${bucket}`, async () => {
      this.require(bucket);
      return work();
    });
  }

  async create(bucket: string, owner: string): Promise<void> {
    checkBucketName(bucket);
    const { layout, locks, index } = this.#deps;
    await locks.alone(`bucket ${bucket}`, async () => {
      const existing = this.#buckets.get(bucket);
      if (existing !== undefined) {
        const code = existing.owner === owner ? 'BucketAlreadyOwnedByYou' : 'BucketAlreadyExists';
        throw new BackendError(code, `The bucket '${bucket}' exists already.`);
      }
      const row: BucketRow = { created: this.#options.now().getTime(), owner };
      await makeDirectories(layout.root, bucket, this.#options.fsync);
      await index.write([{ type: 'put', key: rowName.bucket(bucket), value: row }], 'durable');
      this.#buckets.set(bucket, row);
    });
  }

  async delete(bucket: string): Promise<void> {
    const { layout, locks, index } = this.#deps;
    await locks.alone(`bucket ${bucket}`, async () => {
      this.require(bucket);
      const ref = { bucket, key: '' };
      if ((await this.#holds(rowName.object(ref))) || (await this.#holds(rowName.versions(ref)))) {
        throw new BackendError('BucketNotEmpty', `The bucket '${bucket}' still holds objects or versions of them.`);
      }
      const uploads = await this.#uploads(index.rows, bucket);
      const ended = await Promise.all(uploads.map((upload) => uploadEnded(index.rows, upload)));
      const documents = await index.rows.all(rowName.document(bucket, ''));
      const removed = [rowName.bucket(bucket), ...documents.map(([name]) => name)];
      await index.write([...removed.map((key) => ({ type: 'del' as const, key })), ...ended.flat()], 'durable');
      this.#buckets.delete(bucket);
      for (const { uploadId } of uploads) await rm(layout.upload(uploadId), { recursive: true, force: true });
      await removeEmptyDirectories(layout.bucket(bucket));
      if (this.#options.fsync) await syncDirectory(layout.root);
    });
  }

  async #holds(prefix: string): Promise<boolean> {
    const scan = this.#deps.index.rows.scan(prefix);
    try {
      return (await scan.next(1)).length > 0;
    } finally {
      await scan.close();
    }
  }

  async #uploads(rows: Rows, bucket: string): Promise<UploadRef[]> {
    const prefix = `u${bucket}\0`;
    const found = await rows.all(prefix);
    return found.map(([name]) => ({ bucket, ...uploadOfRow(name.slice(prefix.length)) }));
  }
}

function noSuchBucket(bucket: string): BackendError {
  return new BackendError('NoSuchBucket', `There is no bucket '${bucket}'.`);
}

/** Files that are no objects (somebody else's) stay, and the directories they are in. */
async function removeEmptyDirectories(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries) {
    if (entry.isDirectory()) await removeEmptyDirectories(join(directory, entry.name));
  }
  try {
    await rmdir(directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  }
}
