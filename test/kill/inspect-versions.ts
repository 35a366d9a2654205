// What a killed process left of buckets with versions.
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Backend } from '../../backends/backend.ts';
import { type ObjectState, VERSIONED_BUCKETS } from './history.ts';
import type { KnownVersion, VersionHistory } from './version-history.ts';

/** Older ones are removed after each look, so that a long run stays small. */
const VERSIONS_KEPT = 3;

const signal = new AbortController().signal;

/** Counts what was begun and is found done, or not done. Throws at a broken promise. */
export async function inspectVersions(
  backend: Backend,
  root: string,
  history: VersionHistory,
): Promise<{ finished: number; withdrawn: number }> {
  const count = { finished: 0, withdrawn: 0 };
  let others = 0;
  const current = new Map<string, string[]>(VERSIONED_BUCKETS.map((bucket) => [bucket, []]));
  for (const key of history.keys) {
    const bucket = history.bucketOf(key);
    const found = await versionsOf(backend, bucket, key);
    const match = history.match(key, found);
    if (match === undefined) {
      throw new Error(`The versions of '${key}' are none that were written: ${told(found, history.expected(key))}`);
    }
    if (match !== 'settled') count[match] += 1;
    const kept = await prune(backend, bucket, key, found);
    history.settle(key, kept);
    if (kept[0]?.state) current.get(bucket)?.push(key);
    others += kept.filter(({ state }, index) => state !== null && index > 0).length;
  }
  await holdsFiles(join(root, '.dfstore', 'v1', 'versions'), others);
  for (const [bucket, keys] of current) {
    await holdsFiles(join(root, bucket), keys.length);
    await listsExactly(backend, bucket, keys);
  }
  return count;
}

async function versionsOf(backend: Backend, bucket: string, key: string): Promise<KnownVersion[]> {
  const page = await backend.versioning?.list(bucket, { prefix: key, maxEntries: 1000 }, signal);
  const versions = (page?.versions ?? []).filter((version) => version.key === key);
  return Promise.all(
    versions.map(async (version) => {
      const isMarker = 'deleteMarker' in version;
      return { id: version.versionId, state: isMarker ? null : await stateOf(backend, bucket, key, version.versionId) };
    }),
  );
}

async function stateOf(backend: Backend, bucket: string, key: string, versionId: string): Promise<ObjectState> {
  const { info, body } = await backend.read({ bucket, key }, { versionId }, signal);
  const bytes = await buffer(body);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { etag: info.etag, sha256, sizeBytes: bytes.length, nonce: info.metadata.nonce ?? 'none' };
}

async function prune(
  backend: Backend,
  bucket: string,
  key: string,
  found: readonly KnownVersion[],
): Promise<readonly KnownVersion[]> {
  for (const { id } of found.slice(VERSIONS_KEPT)) {
    await backend.delete?.({ bucket, key }, { versionId: id }, signal);
  }
  return found.slice(0, VERSIONS_KEPT);
}

async function holdsFiles(directory: string, expected: number): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  if (files.length !== expected) {
    throw new Error(`'${directory}' has ${files.length} files for ${expected} objects: ${told(files)}`);
  }
}

async function listsExactly(backend: Backend, bucket: string, current: readonly string[]): Promise<void> {
  const { objects } = await backend.list(bucket, { maxEntries: 1000 }, signal);
  const [listed, expected] = [objects.map(({ key }) => key).sort(), current.toSorted()];
  if (JSON.stringify(listed) !== JSON.stringify(expected)) {
    throw new Error(`The bucket '${bucket}' is listed wrong: ${told({ listed, expected })}`);
  }
}

function told(...values: unknown[]): string {
  return JSON.stringify(values);
}
