import { expect, test } from 'vitest';
import type { Slab } from '../../src/mesh/slab.ts';
import { Untold } from '../../src/mesh/untold.ts';
import { rootOf } from '../support/tracker-world.ts';

const slab: Slab = { key: 's', ownerKey: 's', first: 0, pieces: 256 };
const held = (...pieces: readonly number[]) => ({
  slab,
  told: { held: pieces.map((piece) => ({ piece, root: rootOf(piece) })), released: [9] },
});

function heldOf(taken: ReturnType<Untold['take']>, owner: string): number[] {
  const items = taken.get(owner) ?? [];
  expect(items.every(({ told }) => told.released === undefined)).toBe(true);
  return items.flatMap(({ told }) => (told.held ?? []).map(({ piece }) => piece));
}

test('what an owner has not heard is kept once for each piece, however often it is not heard, and nothing but what is held', () => {
  const untold = new Untold();
  for (let time = 0; time < 3; time += 1) untold.add('a', [held(0, 1), held(2)]);
  untold.add('b', [held(5)]);
  const taken = untold.take();
  expect(heldOf(taken, 'a')).toEqual([0, 1, 2]);
  expect(heldOf(taken, 'b')).toEqual([5]);
  expect(untold.take().size).toBe(0);
});

test('no more is kept than the limit, and room comes back with what is taken', () => {
  const untold = new Untold();
  const slabs = Array.from({ length: 100 }, (_, index) => ({ ...slab, key: `s${index}` }));
  const pieces = Array.from({ length: 256 }, (_, piece) => ({ piece, root: rootOf(piece) }));
  const all = slabs.map((each) => ({ slab: each, told: { held: pieces } }));
  for (let time = 0; time < 2; time += 1) {
    untold.add('a', all);
    expect(heldOf(untold.take(), 'a').length).toBe(16_384);
  }
});
