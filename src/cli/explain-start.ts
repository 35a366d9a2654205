// Why the gateway did not start, in words that name the setting: what the system says of a file is a code and a path.
import { resolve } from 'node:path';
import type { Config } from '../config.ts';

/** The error itself where it already is a sentence. */
export function explainStart(error: unknown, config: Config): unknown {
  if (!isSystemError(error)) return error;
  const { code, path, message } = error;
  const setting = path === undefined ? undefined : settingOf(resolve(path), config);
  if (setting === undefined) return error;
  const reason = REASONS[code] ?? message;
  return new Error(`${path} (setting ${setting}) cannot be used: ${reason}.`, { cause: error });
}

type SystemError = Error & { readonly code: string; readonly path?: string };

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'the user the gateway runs as may not use it',
  EPERM: 'the user the gateway runs as may not use it',
  ENOENT: 'there is no such file or directory',
  EISDIR: 'it is a directory, not a file',
  ENOTDIR: 'a part of its path is a file, not a directory',
  EEXIST: 'it is a file, not a directory',
  EROFS: 'its file system can only be read',
  ENOSPC: 'the disk is full',
  ELOOP: 'it is a link that leads back to itself',
};

/** The setting whose file this is, or in whose directory it lies; the closest where several do. */
function settingOf(path: string, config: Config): string | undefined {
  const credentials = typeof config.auth.credentials === 'string' ? config.auth.credentials : undefined;
  const places: [setting: string, place: string | undefined][] = [
    ['tls.cert', config.tls.cert],
    ['tls.key', config.tls.key],
    ...Object.entries(config.mesh.tls).map(([name, path]): [string, string | undefined] => [`mesh.tls.${name}`, path]),
    ['auth.credentials', credentials],
    ...(config.cache.disks ?? []).map((disk): [string, string] => ['cache.disks', disk]),
    ['data', config.data],
  ];
  for (const [name, backend] of Object.entries(config.backends)) {
    if (backend.type === 'fs') places.push([`backends.${name}.root`, backend.root]);
    else places.push([`backends.${name}.ca`, backend.ca]);
  }
  const [closest] = places
    .flatMap(([setting, place]) => (place === undefined ? [] : [{ setting, place: resolve(place) }]))
    .filter(({ place }) => path === place || path.startsWith(`${place}/`))
    .sort((left, right) => right.place.length - left.place.length);
  return closest?.setting;
}
