// docs/SEMANTICS.md names the tests that keep each promise, and what they break: all of them are there, and are run.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { tableBeneath } from './markdown-table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILE = 'docs/SEMANTICS.md';
const promises = tableBeneath(FILE, 'What is promised, and what keeps it');
const faults = tableBeneath(FILE, 'What is broken to prove it');

/** Never run, or not all the time: skipIf is for machines that lack what a test needs. */
const SET_ASIDE = /\b(?:test|it|describe)\.(?:skip|todo|only|fails)\b|\bx(?:it|test|describe)\(/;
const RUNS = /^\s*(?:test|it)(?:\.(?:each|for|concurrent)\b.*)?\(|^\s*\w*[cC]ontract\w*\(|^test\w+\(/m;

function pathsIn(cell: string | undefined): string[] {
  return cell?.match(/test\/[\w./-]+/g) ?? [];
}

/** A folder stands for the test files in it. */
function testFilesAt(path: string): string[] {
  if (!statSync(join(ROOT, path)).isDirectory()) return [path];
  return readdirSync(join(ROOT, path))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(path, name));
}

test('each promise, and each way of breaking it, names tests', () => {
  expect(promises.length).toBeGreaterThanOrEqual(10);
  for (const row of promises) expect(pathsIn(row['kept by']), row.promise).not.toEqual([]);
  for (const row of faults) expect(pathsIn(row.in), row['what is broken']).not.toEqual([]);
});

const named = new Set([...promises.map((row) => row['kept by']), ...faults.map((row) => row.in)].flatMap(pathsIn));

describe('each test that is named is there and runs', () => {
  test.each([...named])('%s', (path) => {
    expect(existsSync(join(ROOT, path)), `${path} is not there`).toBe(true);
    // A contract runs with whatever implements it, and skips by what that can do.
    const isContract = path.startsWith('test/contracts/');
    const files = isContract ? [path] : testFilesAt(path);
    expect(files, `${path} holds no test file`).not.toEqual([]);
    for (const file of files) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      expect(SET_ASIDE.exec(text)?.[0], `${file} sets tests aside`).toBeUndefined();
      if (isContract) continue;
      expect(file).toMatch(/\.test\.ts$/);
      expect(text, `${file} has no test that runs everywhere`).toMatch(RUNS);
    }
  });
});

test('what breaks things is in test/support and used by the tests it is named for', () => {
  for (const row of faults) {
    for (const support of pathsIn(row.by)) {
      expect(existsSync(join(ROOT, support)), `${support} is not there`).toBe(true);
      const name = support.split('/').at(-1) ?? '';
      const users = pathsIn(row.in).filter((file) => importsOf(file).has(name));
      expect(users, `${support} is used by none of the tests it is named for`).not.toEqual([]);
    }
  }
});

/** Names of files imported by a test or by what it imports from test/support. */
function importsOf(file: string, seen = new Set<string>()): Set<string> {
  const text = readFileSync(join(ROOT, file), 'utf8');
  for (const [, path = ''] of text.matchAll(/from '(\.[^']+)'/g)) {
    const name = path.split('/').at(-1) ?? '';
    const inner = join('test/support', name);
    if (!path.includes('support') && !file.startsWith('test/support')) continue;
    if (seen.has(name) || !existsSync(join(ROOT, inner))) continue;
    seen.add(name);
    importsOf(inner, seen);
  }
  return seen;
}
