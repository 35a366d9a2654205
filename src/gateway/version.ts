// The version this gateway says it is: package.json's.
import { readFileSync } from 'node:fs';

export const VERSION: string = readVersion(new URL('.', import.meta.url));

/** package.json stands at the root, one folder further up from compiled code than from source. */
function readVersion(folder: URL): string {
  for (const up of ['../..', '../../..']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(`${up}/package.json`, folder), 'utf8'));
      if (name === 'dfstore') return String(version);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new Error('package.json was not found beside the program.');
}
