// The few things a shelf asks of a file system, as promises over node:fs callbacks (fs.promises costs more per call).
// Tests put a failing one in its place.
import fs from 'node:fs';

interface FileFacts {
  readonly sizeBytes: number;
  /** What the file system allotted; holes count nothing. */
  readonly allocatedBytes: number;
}

export interface Files {
  /** 'create' fails with EEXIST when it is there; 'update' reads and writes; 'read' reads. */
  open(path: string, mode: 'create' | 'update' | 'read'): Promise<number>;
  close(fd: number): Promise<void>;
  /** Fills the buffer from that position; fewer bytes only at the file's end. */
  read(fd: number, buffer: Uint8Array, position: number): Promise<number>;
  /** All of the bytes. */
  write(fd: number, bytes: Uint8Array, position: number): Promise<void>;
  truncate(path: string, sizeBytes: number): Promise<void>;
  facts(path: string): Promise<FileFacts>;
  remove(path: string): Promise<void>;
  list(directory: string): Promise<readonly string[]>;
  makeDirectory(path: string): Promise<void>;
  /** The unit in which the file system at this path allots. */
  unitBytes(path: string): Promise<number>;
}

const FLAGS = { create: 'wx+', update: 'r+', read: 'r' } as const;
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void;

function called<T>(start: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error === null) resolve(value);
      else reject(error);
    });
  });
}

function done(start: (callback: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

/** One callback after the other, and one promise for all: nearly every read is done with the first. */
function fill(fd: number, buffer: Uint8Array, at: number, position: number, callback: Callback<number>): void {
  fs.read(fd, buffer, at, buffer.length - at, position + at, (error, count) => {
    const filled = at + count;
    if (error !== null || count === 0 || filled === buffer.length) callback(error, filled);
    else fill(fd, buffer, filled, position, callback);
  });
}

export const diskFiles: Files = {
  open: (path, mode) => called((callback) => fs.open(path, FLAGS[mode], FILE_MODE, callback)),
  close: (fd) => done((callback) => fs.close(fd, callback)),
  read: (fd, buffer, position) => called((callback) => fill(fd, buffer, 0, position, callback)),
  write: async (fd, bytes, position) => {
    for (let at = 0; at < bytes.length; ) {
      const from = at;
      at += await called<number>((callback) =>
        fs.write(fd, bytes, from, bytes.length - from, position + from, callback),
      );
    }
  },
  truncate: (path, sizeBytes) => done((callback) => fs.truncate(path, sizeBytes, callback)),
  facts: async (path) => {
    const stats = await called<fs.Stats>((callback) => fs.stat(path, callback));
    return { sizeBytes: stats.size, allocatedBytes: stats.blocks * 512 };
  },
  remove: (path) => done((callback) => fs.unlink(path, callback)),
  list: (directory) => called<string[]>((callback) => fs.readdir(directory, callback)),
  makeDirectory: async (path) => {
    await called<string | undefined>((callback) => fs.mkdir(path, { recursive: true, mode: DIRECTORY_MODE }, callback));
  },
  unitBytes: async (path) => (await called<fs.StatsFs>((callback) => fs.statfs(path, callback))).bsize,
};

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
