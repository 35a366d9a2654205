// Directories in a bucket that hold nothing any more.
import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './disk-error.ts';
import { isEmpty } from './durable-file.ts';
import type { Layout } from './layout.ts';
import type { Locks } from './locks.ts';

interface TreeDeps {
  readonly layout: Layout;
  readonly locks: Locks;
}

/** From that of a file which is gone up to the bucket's own, as far as they are empty. */
export async function removeEmptyDirectories(deps: TreeDeps, bucket: string, path: string): Promise<void> {
  for (let directory = dirname(path); directory !== '.'; directory = dirname(directory)) {
    const found = deps.layout.object(bucket, directory);
    if (!(await isEmpty(found))) return;
    if (!(await deps.locks.alone(`tree ${bucket}`, () => removeIfEmpty(found)))) return;
  }
}

async function removeIfEmpty(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) return false;
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return true;
    throw error;
  }
}
