// docs/S3-COVERAGE.md is held to the table of operations and to the headers that the dialect names.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ERRORS, type S3ErrorCode } from '../../src/s3/errors.ts';
import { NOTHING_TO_DELETE } from '../../src/s3/operations/refused.ts';
import { OPERATIONS } from '../../src/s3/operations/table.ts';
import { tableBeneath } from './markdown-table.ts';
import { outcomesOfOperations } from './operations-offered.ts';

const FILE = 'docs/S3-COVERAGE.md';
const DIALECT = fileURLToPath(new URL('../../src/s3', import.meta.url));
/** Names of headers as the dialect's source has them: as text, whole or as a beginning. */
const HEADER =
  /['`"](x-(?:amz|dfstore)-[a-z0-9-]+|if-(?:match|none-match|range|(?:un)?modified-since)|response-[a-z-]+)['`"]/g;

describe('Operations', () => {
  const rows = tableBeneath(FILE, 'Operations');

  test('every operation has a row, in the order of the table', () => {
    expect(rows.map(({ operation }) => operation)).toEqual(Object.keys(OPERATIONS));
  });

  test('what is not offered is told as it is answered, and nothing else is', async () => {
    const outcomes = await outcomesOfOperations();
    const told = Object.fromEntries(rows.map(({ operation = '', answer }) => [operation, answer]));
    const made = [...outcomes].map(([name, outcome]) => {
      if (OPERATIONS[name].handler === NOTHING_TO_DELETE.handler) return [name, '204'];
      return [name, outcome === 'offered' ? '' : `${ERRORS[outcome as S3ErrorCode].status} ${outcome}`];
    });
    expect(told).toEqual(Object.fromEntries(made));
  });

  test('each row says yes, partial or no, and all but yes say why', () => {
    for (const { operation, offered, answer, note } of rows) {
      expect([operation, offered]).toEqual([
        operation,
        answer === '' ? expect.stringMatching(/^(yes|partial)$/) : 'no',
      ]);
      if (offered !== 'yes') expect([operation, note]).toEqual([operation, expect.stringMatching(/\w/)]);
    }
  });
});

describe('Headers', () => {
  const told = tableBeneath(FILE, 'Headers').flatMap(({ header = '' }) => header.split(', '));
  const named = headersNamed();

  test('every header that the dialect names has a row', () => {
    const untold = named.filter((name) => !told.some((pattern) => covers(pattern, name)));
    expect(untold).toEqual([]);
  });

  test('every header that begins as S3 or this gateway begins theirs is one that the dialect names', () => {
    const ours = told.filter((pattern) => /^(x-|if-|response-)/.test(pattern));
    expect(ours.filter((pattern) => !named.some((name) => covers(pattern, name)))).toEqual([]);
  });
});

function headersNamed(): string[] {
  const files = readdirSync(DIALECT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const texts = files.map((file) => readFileSync(join(DIALECT, file), 'utf8'));
  return [...new Set(texts.flatMap((text) => [...text.matchAll(HEADER)].map(([, name = '']) => name)))].sort();
}

/** A beginning in the source is covered by the row for all that begin so. */
function covers(pattern: string, name: string): boolean {
  if (!pattern.endsWith('*')) return pattern === name;
  return name.startsWith(pattern.slice(0, -1));
}
