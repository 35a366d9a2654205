// A shelf on disk for tests: its own directory and LevelDB, an observer that remembers, and the same again after a
// restart or a crash.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import {
  DiskPieceStore,
  type DiskPieceStoreDeps,
  type DiskPieceStoreOptions,
} from '../../src/pieces/disk-piece-store.ts';
import type { DiscardReason, PieceObserver } from '../../src/pieces/piece-store.ts';

export class RememberingObserver implements PieceObserver {
  readonly discards: DiscardReason[] = [];
  readonly diskEvents: string[] = [];
  readonly databaseErrors: unknown[] = [];
  evictions = 0;

  discarded(event: { reason: DiscardReason }): void {
    this.discards.push(event.reason);
  }

  evicted(): void {
    this.evictions += 1;
  }

  diskFailed(event: { reading: boolean }): void {
    this.diskEvents.push(event.reading ? 'reading' : 'out');
  }

  diskHealed(): void {
    this.diskEvents.push('healed');
  }

  databaseFailed(event: { error: unknown }): void {
    this.databaseErrors.push(event.error);
  }
}

export interface DiskShelf {
  readonly root: string;
  readonly disks: readonly string[];
  readonly levelPath: string;
  readonly observer: RememberingObserver;
  store: DiskPieceStore;
  level: Level;
  /** Closes the store and LevelDB; `between` runs while both are closed, then both are opened, perhaps otherwise. */
  restart(between?: () => Promise<void>, changes?: Partial<DiskPieceStoreOptions>): Promise<void>;
  close(): Promise<void>;
}

export type ShelfSettings = Partial<Omit<DiskPieceStoreOptions, 'disks'>> & {
  readonly disks?: number;
  readonly capacityBytes?: number;
} & Partial<Pick<DiskPieceStoreDeps, 'files' | 'nowMs'>>;

export async function openDiskShelf(settings: ShelfSettings = {}): Promise<DiskShelf> {
  const root = await mkdtemp(join(tmpdir(), 'dfstore-shelf-'));
  const disks = Array.from({ length: settings.disks ?? 1 }, (_, index) => join(root, `disk${index}`));
  const levelPath = join(root, 'level');
  const observer = new RememberingObserver();
  const { disks: _disks, capacityBytes = 64 * 2 ** 20, files, nowMs, ...rest } = settings;
  const open = async (
    changes: Partial<DiskPieceStoreOptions> = {},
  ): Promise<{ store: DiskPieceStore; level: Level }> => {
    const level = new Level(levelPath);
    await level.open();
    const store = await DiskPieceStore.open(
      {
        level,
        observer,
        ...(files === undefined ? {} : { files }),
        ...(nowMs === undefined ? {} : { nowMs }),
      },
      {
        blockSize: 4096,
        verify: 'first',
        ...rest,
        disks: disks.map((path) => ({ path, capacityBytes })),
        ...changes,
      },
    );
    return { store, level };
  };
  const shelf: DiskShelf = {
    root,
    disks,
    levelPath,
    observer,
    ...(await open()),
    restart: async (between, changes) => {
      await shelf.store.close();
      await shelf.level.close();
      await between?.();
      Object.assign(shelf, await open(changes));
    },
    close: async () => {
      await shelf.store.close();
      await shelf.level.close();
      await rm(root, { recursive: true, force: true });
    },
  };
  return shelf;
}

/** Paths of all piece files. */
export async function pieceFiles(shelf: Pick<DiskShelf, 'disks'>): Promise<string[]> {
  const all: string[] = [];
  for (const disk of shelf.disks) {
    for (const entry of await readdir(disk, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) all.push(join(entry.parentPath, entry.name));
    }
  }
  return all.toSorted();
}

/** What the file system has allotted for all piece files; one that goes meanwhile has nothing. */
export async function allocatedBytes(shelf: Pick<DiskShelf, 'disks'>): Promise<{ bytes: number; files: number }> {
  const found = { bytes: 0, files: 0 };
  for (const file of await pieceFiles(shelf)) {
    const facts = await stat(file).catch(goneMeanwhile);
    if (facts === undefined) continue;
    found.bytes += facts.blocks * 512;
    found.files += 1;
  }
  return found;
}

function goneMeanwhile(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
