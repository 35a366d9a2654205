// A root opened: locked against other processes, finished with what a crash left half done, and swept.
import { mkdir, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendError } from '../backend.ts';
import { Ballast } from './ballast.ts';
import { BucketStore } from './bucket-store.ts';
import { errorCode } from './disk-error.ts';
import { Journal } from './journal.ts';
import { Layout } from './layout.ts';
import { Locks } from './locks.ts';
import { ObjectIndex, type Rows } from './object-index.ts';
import { Succession } from './succession.ts';
import { uploadOfRow } from './upload-names.ts';

export interface FsRoot {
  readonly layout: Layout;
  readonly locks: Locks;
  readonly index: ObjectIndex;
  readonly journal: Journal;
  readonly buckets: BucketStore;
  readonly succession: Succession;
  /** Settles when the index can be used; tries to recover it when a write to it failed. */
  recovered(): Promise<void>;
  close(): Promise<void>;
}

export interface RootOptions {
  readonly fsync: boolean;
  readonly reserveBytes: number;
  readonly now: () => Date;
}

export async function openRoot(path: string, options: RootOptions): Promise<FsRoot> {
  await mkdir(path, { recursive: true });
  const layout = new Layout(await realpath(path));
  await requireKnownFormat(layout);
  for (const directory of [layout.index, layout.tmp, layout.uploads, layout.versions])
    await mkdir(directory, { recursive: true });
  const locks = new Locks();
  const { fsync } = options;
  // The journal is replayed before the index can be used, and writes through the index afterwards.
  let index: ObjectIndex | undefined;
  const opened = (): ObjectIndex => {
    if (index === undefined) throw new BackendError('Internal', 'The index is not open yet.');
    return index;
  };
  let journal: Journal | undefined;
  const recover = async (rows: Rows): Promise<void> => {
    // Only the holder of the index' lock may look: the probe writes into tmp.
    journal ??= new Journal({ layout, locks, index: opened }, { fsync, folds: await foldsNames(layout.tmp) });
    await journal.replay(rows);
  };
  const ballast = new Ballast(layout, options);
  index = await ballast.orWithout(() => ObjectIndex.open({ path: layout.index, fsync, recover }));
  if (journal === undefined) throw new BackendError('Internal', 'The index opened without recovering.');
  const buckets = new BucketStore({ layout, locks, index }, options);
  try {
    await sweep(layout, index.rows);
    await buckets.load();
    await ballast.take();
  } catch (error) {
    await index.close();
    throw error;
  }
  const succession = new Succession({ layout, index, buckets, journal }, options);
  return assembled({ layout, locks, index, journal, buckets, succession }, ballast);
}

function assembled(parts: Omit<FsRoot, 'recovered' | 'close'>, ballast: Ballast): FsRoot {
  const { index, locks } = parts;
  let recovering: Promise<void> | undefined;
  const recover = async (): Promise<void> => {
    try {
      await locks.alone('commits', () => ballast.orWithout(() => index.reopen()));
    } finally {
      recovering = undefined;
    }
  };
  return {
    ...parts,
    recovered: async () => {
      if (!index.failed) return;
      recovering ??= recover();
      await recovering;
    },
    close: () => index.close(),
  };
}

async function requireKnownFormat(layout: Layout): Promise<void> {
  const formats = await readdir(layout.internal).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const unknown = formats.filter((format) => format !== 'v1');
  if (unknown.length === 0) return;
  const message = `The root was written by another release (${unknown.join(', ')} in ${layout.internal}).`;
  throw new BackendError('Misconfigured', message);
}

/** Whether names that differ in case or in how an accent is written are one file here. */
async function foldsNames(directory: string): Promise<boolean> {
  const probe = join(directory, 'Fold-\u00c9');
  await writeFile(probe, '');
  try {
    const others = ['fold-\u00c9', 'Fold-E\u0301'];
    const found = await Promise.all(others.map((name) => exists(join(directory, name))));
    return found.includes(true);
  } finally {
    await rm(probe, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Bodies that were on their way, directories of uploads that ended, and parts that no row names. */
async function sweep(layout: Layout, rows: Rows): Promise<void> {
  for (const name of await readdir(layout.tmp)) await rm(join(layout.tmp, name), { force: true });
  const uploads = new Set(
    (await rows.all('u')).map(([name]) => uploadOfRow(name.slice(name.indexOf('\0') + 1)).uploadId),
  );
  const files = new Set((await rows.all<{ file: string }>('p')).map(([, part]) => part.file));
  for (const uploadId of await readdir(layout.uploads)) {
    const directory = layout.upload(uploadId);
    if (!uploads.has(uploadId)) {
      await rm(directory, { recursive: true, force: true });
      continue;
    }
    for (const name of await readdir(directory)) {
      if (!files.has(name)) await rm(join(directory, name), { force: true });
    }
  }
}
