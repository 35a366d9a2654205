// The import rules of docs/ARCHITECTURE.md, executed: who may know whom.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What an origin's contract is made of; every other file in backends/ is an implementation. */
const VOCABULARY = ['backend', 'range', 'conditions', 'checksums'].map((name) => `backends/${name}.ts`);

/** Rooms of src/, and the rooms each may import from. Its own room is always allowed. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  cli: ['gateway', 'config', 'metrics', 'concurrency'],
  gateway: ['s3', 'admin', 'objects', 'mesh', 'pieces', 'concurrency', 'config', 'metrics'],
  s3: ['objects', 'concurrency'],
  admin: ['objects', 'mesh', 'concurrency'],
  objects: ['mesh', 'pieces', 'concurrency'],
  mesh: ['pieces', 'concurrency'],
  pieces: ['concurrency'],
  concurrency: [],
  config: [],
  metrics: [],
};

/** Rooms that may know the contract's vocabulary. */
const KNOWS_BACKENDS = ['gateway', 's3', 'admin', 'objects', 'pieces'];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

test('rooms import only rightward: cli, gateway, s3 and admin, objects, mesh, pieces, concurrency', () => {
  const wrong = importsUnder('src')
    .filter(({ to }) => to.startsWith('src/'))
    .filter(({ from, to, typeOnly }) => !mayImport(roomOf(from), roomOf(to), typeOnly));
  expect(wrong).toEqual([]);
});

test('backends import nothing of the gateway', () => {
  expect(importsUnder('backends').filter(({ to }) => !to.startsWith('backends/'))).toEqual([]);
});

test("rooms know an origin's contract, and no implementation", () => {
  const wrong = importsUnder('src')
    .filter(({ to }) => to.startsWith('backends/'))
    .filter(({ from, to }) => !mayKnowBackend(roomOf(from), to));
  expect(wrong).toEqual([]);
});

test('an implementation is named only where backends are opened', () => {
  const implementations = importsUnder('backends').filter(
    ({ from, to }) =>
      dirname(to) === 'backends' &&
      !VOCABULARY.includes(to) &&
      from !== 'backends/open-backend.ts' &&
      !from.startsWith(to.replace(/\.ts$/, '/')),
  );
  expect(implementations).toEqual([]);
});

function mayImport(from: string, to: string, typeOnly: boolean): boolean {
  if (from === to) return true;
  if ((to === 'config' || to === 'metrics') && typeOnly) return true;
  return MAY_IMPORT[from]?.includes(to) ?? false;
}

function mayKnowBackend(room: string, file: string): boolean {
  if (file === 'backends/open-backend.ts') return room === 'gateway' || room === 'config';
  return VOCABULARY.includes(file) && KNOWS_BACKENDS.includes(room);
}

/** src/s3/xml.ts → s3; src/config.ts and src/config/sizes.ts → config. */
function roomOf(file: string): string {
  return (file.split('/')[1] ?? '').replace(/\.ts$/, '');
}

function importsUnder(folder: string): Import[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => importsOf(join(folder, name)));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s+(type\s+)?[^;'"]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/g,
  );
  return [...found].map(([, type, from, dynamic]) => ({
    from: file,
    to: relative(root, resolve(root, dirname(file), from ?? dynamic ?? '')),
    typeOnly: type !== undefined,
  }));
}
