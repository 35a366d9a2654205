// A small file system of its own for a test: full when a test fills it, larger or read-only when
// the test says so. Takes root.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Tmpfs {
  /** False: this machine lets nobody mount it. */
  readonly mounted: boolean;
  readonly path: string;
  resize(bytes: number): void;
  /** Rejected by the system while a file on it is open for writing. */
  setWritable(writable: boolean): void;
  close(): Promise<void>;
}

export async function mountTmpfs(bytes: number): Promise<Tmpfs> {
  const path = await mkdtemp(join(tmpdir(), 'dfstore-tmpfs-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]);
  const mounted = status === 0;
  const remount = (option: string) => {
    const done = spawnSync('mount', ['-o', `remount,${option}`, path]);
    if (done.status !== 0) throw new Error(`The file system could not be remounted with ${option}: ${done.stderr}`);
  };
  return {
    mounted,
    path,
    resize: (to) => remount(`size=${to}`),
    setWritable: (writable) => remount(writable ? 'rw' : 'ro'),
    close: async () => {
      if (mounted) spawnSync('umount', [path]);
      await rm(path, { recursive: true, force: true });
    },
  };
}
