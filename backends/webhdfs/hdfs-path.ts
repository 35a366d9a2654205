// From a key to a path under the root, one to one. HDFS has fewer names than S3 has keys; what cannot be a file there
// is simply not there.
import { BackendError } from '../backend.ts';

/** Without a trailing slash; '' is HDFS's own root. */
export function parseRoot(root: string): string {
  const path = root.replace(/\/+$/, '');
  const absolute = path === '' || path.startsWith('/');
  if (!absolute || (path !== '' && !isFileName(path.slice(1)))) {
    throw new BackendError('Misconfigured', 'root must be an absolute path in HDFS, such as /datasets.');
  }
  return path;
}

/** Undefined: no file can have this name. Dot segments and broken Unicode are InvalidArgument. */
export function filePath(root: string, key: string): string | undefined {
  if (/\p{Surrogate}/u.test(key)) throw new BackendError('InvalidArgument', 'The key is not well-formed Unicode.');
  if (key.split('/').some((segment) => segment === '.' || segment === '..')) {
    throw new BackendError('InvalidArgument', "HDFS has no names with a '.' or '..' segment.");
  }
  // Beneath /.reserved HDFS shows every file again, by number.
  if (root === '' && key.split('/')[0] === '.reserved') return undefined;
  return isFileName(key) ? `${root}/${key}` : undefined;
}

/** The directory of keys that begin with `directory`, which is '' or ends in '/'. */
export function directoryPath(root: string, directory: string): string | undefined {
  if (directory === '') return root === '' ? '/' : root;
  const key = directory.slice(0, -1);
  return key.split('/').some((segment) => segment === '.' || segment === '..') ? undefined : filePath(root, key);
}

/** Relative: no empty segment, no ':' and no NUL, as Hadoop's own check has it. */
function isFileName(name: string): boolean {
  return !/[:\0]/.test(name) && name.split('/').every((segment) => segment !== '');
}
