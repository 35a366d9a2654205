import { expect, test } from 'vitest';
import { place } from '../../src/pieces/placement.ts';

const keys = Array.from({ length: 6000 }, (_, index) => `key-${index}`);
const disks = [
  { id: 'a', weight: 1 },
  { id: 'b', weight: 2 },
  { id: 'c', weight: 3 },
];

test('each disk gets its share by weight', () => {
  const counts = new Map<string, number>();
  for (const key of keys) {
    const id = place(key, disks)?.id ?? 'none';
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const { id, weight } of disks) {
    expect(Math.abs((counts.get(id) ?? 0) / keys.length - weight / 6)).toBeLessThan(0.03);
  }
});

test('a disk that leaves moves its own pieces and no others', () => {
  const rest = disks.filter(({ id }) => id !== 'b');
  for (const key of keys) {
    const before = place(key, disks)?.id;
    if (before !== 'b') expect(place(key, rest)?.id).toBe(before);
  }
});

test('of no disks none is chosen', () => {
  expect(place('key', [])).toBeUndefined();
});
