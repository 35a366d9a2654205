// Files that are on the disk when the promise settles, and bodies on their way into them.
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BackendError, type UploadBody } from '../backend.ts';
import { errorCode } from './disk-error.ts';

/** Chunks are gathered to this size before they are written: one system call instead of sixteen. */
const WRITE_BYTES = 1024 * 1024;
const WRITE_VECTORS_MAX = 1024;

/** Which file this is, whatever it is called: kept by a rename, changed by every write. */
export type FileStamp = string;

/** Writes what `fill` gives into a new file at `path`. On failure the file may be left over, never half trusted. */
export async function writeFile(
  path: string,
  fill: (write: (chunk: Buffer) => Promise<void>) => Promise<void>,
  fsync: boolean,
): Promise<{ sizeBytes: number; stamp: FileStamp }> {
  const file = await open(path, 'wx', 0o644);
  try {
    const writer = new GatheringWriter(file);
    try {
      await fill((chunk) => writer.write(chunk));
      await writer.flush();
    } finally {
      await writer.settled();
    }
    if (fsync) await file.sync();
    return { sizeBytes: writer.sizeBytes, stamp: await stampOf(file) };
  } finally {
    await file.close();
  }
}

/** Hands a body's chunks on; rejects with its own error, the signal's reason, or that it was not as long as it said. */
export async function drainBody(
  body: UploadBody,
  write: (chunk: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const stop = () => body.stream.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  let sizeBytes = 0;
  try {
    signal.throwIfAborted();
    for await (const chunk of body.stream) {
      sizeBytes += (chunk as Buffer).length;
      await write(chunk as Buffer);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (errorCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    throw new BackendError('Internal', 'The body was closed before its end.', { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
  }
  signal.throwIfAborted();
  if (sizeBytes !== body.sizeBytes) {
    throw new BackendError('Internal', `The body ended after ${sizeBytes} of ${body.sizeBytes} bytes.`);
  }
}

export async function stampOf(file: FileHandle): Promise<FileStamp> {
  const { ino, mtimeNs } = await file.stat({ bigint: true });
  return `${ino}:${mtimeNs}`;
}

/** For a file that something else has written. */
export async function syncFile(path: string, fsync: boolean): Promise<FileStamp> {
  const file = await open(path, constants.O_RDONLY);
  try {
    if (fsync) await file.sync();
    return await stampOf(file);
  } finally {
    await file.close();
  }
}

/** Undefined: there is no such file. */
export async function stampAt(path: string): Promise<FileStamp | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return await stampOf(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Makes the directories of `below` inside `base`. Rejects with ENOTDIR where a file is in the way, and with
 * Misconfigured where a symbolic link is: what it points to may lie outside the root.
 */
export async function makeDirectories(base: string, below: string, fsync: boolean): Promise<void> {
  if (await isRealPath(join(base, below))) return;
  let parent = base;
  for (const name of below.split('/')) {
    const directory = join(parent, name);
    const made = await makeDirectory(directory);
    if (!made) await isRealPath(directory);
    else if (fsync) await syncDirectory(parent);
    parent = directory;
  }
}

/** False: there is no such file or directory. */
export async function isRealPath(path: string): Promise<boolean> {
  try {
    if ((await realpath(path)) === path) return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  throw new BackendError('Misconfigured', `The path ${path} leads through a symbolic link, which is not followed.`);
}

/** True as well where there is no such directory. */
export async function isEmpty(directory: string): Promise<boolean> {
  try {
    const entries = await opendir(directory, { bufferSize: 1 });
    try {
      return (await entries.read()) === null;
    } finally {
      await entries.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return true;
    throw error;
  }
}

export async function syncParent(path: string): Promise<void> {
  await syncDirectory(dirname(path));
}

async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Gathers chunks and writes them while the next ones come; at most two gatherings are in memory. */
class GatheringWriter {
  readonly #file: FileHandle;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #position = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#position + this.#gatheredBytes;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    if (this.#gatheredBytes >= WRITE_BYTES || this.#gathered.length >= WRITE_VECTORS_MAX) await this.#begin();
  }

  async flush(): Promise<void> {
    await this.#begin();
    await this.#writing;
  }

  /** The file may be closed after this; a failure was or will be told by write or flush. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => {});
  }

  async #begin(): Promise<void> {
    await this.#writing;
    if (this.#gathered.length === 0) return;
    const [chunks, position] = [this.#gathered, this.#position];
    this.#position += this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#writing = writeAll(this.#file, chunks, position);
    this.#writing.catch(() => {});
  }
}

async function writeAll(file: FileHandle, chunks: Buffer[], position: number): Promise<void> {
  let rest = chunks;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    rest = after(rest, bytesWritten);
  }
}

/** What a short write left. */
function after(chunks: Buffer[], bytesWritten: number): Buffer[] {
  let skip = bytesWritten;
  let index = 0;
  for (let chunk = chunks[0]; chunk !== undefined && skip >= chunk.length; chunk = chunks[index]) {
    skip -= chunk.length;
    index += 1;
  }
  const [first, ...rest] = chunks.slice(index);
  return first === undefined ? [] : [first.subarray(skip), ...rest];
}
