import fc from 'fast-check';
import { expect, test } from 'vitest';
import { owners } from '../../src/mesh/rendezvous.ts';

const members = Array.from({ length: 20 }, (_, index) => `10.0.0.${index}:9002`);
const keys = Array.from({ length: 5_000 }, (_, index) => `slab ${index}`);

const lists = fc.uniqueArray(
  fc.integer({ min: 0, max: 10_000 }).map((number) => `member ${number}`),
  {
    minLength: 1,
    maxLength: 12,
  },
);

test('everybody with the same list finds the same owners, in whatever order it came', () => {
  fc.assert(
    fc.property(lists, fc.string(), fc.integer({ min: 1, max: 4 }), (list, key, count) => {
      const found = owners(key, list, count);
      expect(owners(key, list.toReversed(), count)).toEqual(found);
      expect(new Set(found).size).toBe(Math.min(count, list.length));
    }),
  );
});

test('a member that leaves moves only what it answered for, and the next in rank takes over', () => {
  fc.assert(
    fc.property(lists, fc.string(), (list, key) => {
      const [first, ...next] = owners(key, list, list.length);
      for (const leaving of list) {
        const left = list.filter((id) => id !== leaving);
        expect(owners(key, left, left.length)).toEqual([first, ...next].filter((id) => id !== leaving));
      }
    }),
    { numRuns: 50 },
  );
});

test('of 5,000 keys each of 20 members answers first for about a twentieth', () => {
  const counts = new Map<string, number>();
  for (const key of keys) {
    const [first] = owners(key, members, 2);
    if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  expect(Math.min(...counts.values())).toBeGreaterThan(200);
  expect(Math.max(...counts.values())).toBeLessThan(300);
});

test('the keys of a member that leaves are shared by all that stay', () => {
  const [leaving] = members;
  const left = members.slice(1);
  const heirs = new Map<string, number>();
  for (const key of keys.filter((key) => owners(key, members, 1)[0] === leaving)) {
    const [heir] = owners(key, left, 1);
    if (heir !== undefined) heirs.set(heir, (heirs.get(heir) ?? 0) + 1);
  }
  expect(heirs.size).toBe(left.length);
});

test('there are no owners among nobody', () => {
  expect(owners('key', [], 2)).toEqual([]);
});
