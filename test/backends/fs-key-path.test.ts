// Keys and the paths of their files.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOfPath, pathsOfKey } from '../../backends/fs/key-path.ts';

const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '%',
    '%m',
    '%k',
    '%p',
    '%n',
    '%n2',
    '%41',
    'a',
    'A',
    'é',
    'e\u0301',
    '\\',
    '\n',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }),
  fc.constantFrom('x'.repeat(300), '\u{1F600}'.repeat(100), '%'.repeat(90)),
);
const keys = fc
  .array(piece, { minLength: 1, maxLength: 9 })
  .map((pieces) => pieces.join(''))
  .filter((key) => !key.includes('\0') && Buffer.byteLength(key) <= 1024);

function allPaths(key: string): string[] {
  return [false, true].flatMap((folds) => Object.values(pathsOfKey(key, folds)));
}

test('a path leads back to its key', () => {
  fc.assert(
    fc.property(keys, (key) => {
      for (const path of allPaths(key)) expect(keyOfPath(path)).toBe(key);
    }),
    { numRuns: 1_000 },
  );
});

test('a path never leaves the bucket and has no name that a file system refuses', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
  const refused = /^$|^\.\.?$|[\0-\x1f\x7f\\]/;
  fc.assert(
    fc.property(keys, (key) => {
      const names = allPaths(key).flatMap((path) => path.split('/'));
      expect(names.filter((name) => refused.test(name) || Buffer.byteLength(name) > 255)).toEqual([]);
      expect(allPaths(key).filter((path) => Buffer.byteLength(path) > 3_400)).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

test.each(['.', '..'])('what is left of a long segment is no directory of another name: %s', (rest) => {
  const key = `${'x'.repeat(248)}${rest}`;
  const { plain } = pathsOfKey(key, false);
  expect(plain.split('/')).toEqual([`${'x'.repeat(248)}%m`, rest.replaceAll('.', '%2E')]);
  expect(keyOfPath(plain)).toBe(key);
});

test('where a file system folds case and accents, no two keys share a file', () => {
  const folded = (path: string) => path.normalize('NFD').toLowerCase();
  fc.assert(
    fc.property(keys, keys, (one, other) => {
      fc.pre(one !== other);
      const paths = [pathsOfKey(one, true), pathsOfKey(other, true)].flatMap(({ plain, marked }) => [plain, marked]);
      const files = [...new Set(paths)];
      expect(new Set(files.map(folded)).size).toBe(files.length);
    }),
    { numRuns: 1_000 },
  );
  expect(pathsOfKey('Readme', true).plain).not.toBe(pathsOfKey('readme', true).plain);
});

test('the marked path of a key is in no other key’s way', () => {
  fc.assert(
    fc.property(keys, keys, (one, other) => {
      fc.pre(one !== other);
      const file = pathsOfKey(one, false).marked;
      for (const path of Object.values(pathsOfKey(other, false))) {
        expect(path).not.toBe(file);
        expect(path.startsWith(`${file}/`)).toBe(false);
        expect(file.startsWith(`${path}/`)).toBe(false);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('an ordinary key is its own path', () => {
  for (const key of ['a', 'photos/2024/cat (1).jpg', 'a.b+c=d,e/f~g', 'ü/日本.txt', ' space ', '.hidden', '...']) {
    expect(pathsOfKey(key, false).plain).toBe(key);
  }
});
