// docs/S3-TRAPS.md names for each trap the tests that keep it: held to the names of the tests.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tableBeneath } from './markdown-table.ts';

const TRAPS = 32;
const FOLDER = fileURLToPath(new URL('..', import.meta.url));

const rows = tableBeneath('docs/S3-TRAPS.md', 'What clients trip over');

test('every trap has a row', () => {
  expect(rows.map(({ trap }) => Number(trap))).toEqual(Array.from({ length: TRAPS }, (_, index) => index + 1));
});

test('each row names the files that have tests of its trap, and there are some', () => {
  const found = new Map<string, Set<string>>();
  for (const file of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.test.ts')) continue;
    for (const [, trap = ''] of readFileSync(`${FOLDER}${file}`, 'utf8').matchAll(/['"`]trap (\d+): /g)) {
      found.set(trap, (found.get(trap) ?? new Set()).add(`test/${file}`));
    }
  }
  const told = rows.map((row) => [row.trap, row['kept by']]);
  expect(told).toEqual(rows.map(({ trap = '' }) => [trap, [...(found.get(trap) ?? ['none'])].sort().join(', ')]));
});
