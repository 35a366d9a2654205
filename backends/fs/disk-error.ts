// What the operating system or the index says of the disk, in the contract's words.
import { BackendError, type BackendErrorCode } from '../backend.ts';

const CODES: Readonly<Record<string, readonly [BackendErrorCode, string]>> = {
  ENOSPC: ['OutOfSpace', 'The disk of the fs backend is full: free space or delete objects.'],
  EDQUOT: ['OutOfSpace', 'The disk quota of the fs backend is used up: raise it or delete objects.'],
  EFBIG: ['EntityTooLarge', 'The file system of the fs backend does not take files of this size.'],
  EACCES: ['Misconfigured', 'The fs backend may not access its files: give them to the user the gateway runs as.'],
  EPERM: ['Misconfigured', 'The fs backend may not change its files: give them to the user the gateway runs as.'],
  EROFS: ['Misconfigured', 'The file system of the fs backend is mounted read-only: mount it writable.'],
  EMFILE: ['SlowDown', 'The gateway has too many files open: raise its limit of open files (ulimit -n).'],
  ENFILE: ['SlowDown', 'The machine has too many files open: raise its limit of open files (fs.file-max).'],
  ENAMETOOLONG: ['KeyTooLong', 'The key makes a path longer than the file system takes: use a shorter root.'],
  ELOOP: ['Misconfigured', 'A file of the fs backend was replaced by a symbolic link, which it does not follow.'],
  EXDEV: ['Misconfigured', 'A bucket of the fs backend is a mount of its own: put the whole root on one file system.'],
  EIO: ['Internal', 'The disk of the fs backend failed to read or write: see the kernel log.'],
};

/** Passes a BackendError through; anything unknown becomes Internal, with its cause. */
export function diskError(error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  const code = errorCode(error);
  const known = CODES[code ?? ''] ?? (isFullIndex(error) ? CODES.ENOSPC : undefined);
  if (known !== undefined) return new BackendError(known[0], known[1], { cause: error, nativeCode: code });
  const message = error instanceof Error ? error.message : String(error);
  return new BackendError('Internal', `The fs backend failed: ${message}`, { cause: error, nativeCode: code });
}

export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** LevelDB tells the system's reason only in its sentence. */
function isFullIndex(error: unknown): boolean {
  return error instanceof Error && /no space left|quota exceeded/i.test(`${error.message} ${String(error.cause)}`);
}
