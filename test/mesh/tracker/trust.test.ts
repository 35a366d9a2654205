// Whom a tracker believes, and whom it sends others to.
import { expect, test } from 'vitest';
import { BitSet } from '../../../src/pieces/bit-set.ts';
import { TrackerWorld } from '../../support/tracker-world.ts';

const right = () => 'a'.repeat(64);
const wrong = () => 'b'.repeat(64);

test('an announcement with other bytes than those that are known is not believed', () => {
  const world = new TrackerWorld();
  world.askOne('reader', 0);
  world.announce('reader', [0], right);
  expect(world.announce('liar', [0], wrong)).toEqual([0]);
  expect(world.askOne('b', 0)).toMatchObject({ from: 'reader', proof: { root: right() } });
});

test('who was sent to the origin is believed more than who came by himself', () => {
  const world = new TrackerWorld();
  world.askOne('reader', 0);
  world.announce('liar', [0], wrong);
  expect(world.announce('reader', [0], right)).toEqual([]);
  expect(world.askOne('b', 0)).toMatchObject({ from: 'reader', proof: { root: right() } });
  expect(world.tracker.find(world.slab.key)?.holds('liar', 0)).toBe(false);
});

test('a root is forgotten with the last who holds the piece', () => {
  const world = new TrackerWorld();
  world.announce('a', [0], wrong);
  world.tracker.withdraw(world.slab.key, 'a', [0]);
  expect(world.announce('b', [0], right)).toEqual([]);
});

test('what another tracker says does not change what is known', () => {
  const world = new TrackerWorld();
  world.announce('a', [0], right);
  world.tracker.absorb(world.slab, {
    roots: new Map([[0, wrong()]]),
    rows: [{ member: 'liar', held: BitSet.none(256).with(0) }],
  });
  expect(world.askOne('b', 0, ['a'])).toEqual({ kind: 'leased' });
});

test('nobody is sent to a member that does not answer, until it does', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  world.askOne('b', 0);
  world.tracker.complain(world.slab.key, world.member('b'), 'a', 0, 'unreachable');
  expect(world.suspected).toEqual(['a']);
  expect(world.askOne('b', 0)).toEqual({ kind: 'leased' });
  world.tracker.release(world.slab.key, 'b', [0]);
  world.tracker.cleared('a');
  expect(world.askOne('b', 0)).toMatchObject({ from: 'a' });
});

test('a suspicion is asked about once, however many share it', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  for (const peer of ['b', 'c', 'd']) {
    world.tracker.complain(world.slab.key, world.member(peer), 'a', 0, 'silent');
  }
  expect(world.suspected).toEqual(['a']);
});

test('whoever is gone counts for nothing until it calls again, with what it holds', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  world.tracker.gone('a');
  expect(world.askOne('b', 0)).toEqual({ kind: 'leased' });
  world.tracker.release(world.slab.key, 'b', [0]);
  world.ask('a', [1]);
  expect(world.askOne('b', 0)).toMatchObject({ from: 'a' });
});

test('a piece that was not there is not asked for there again, other pieces are', () => {
  const world = new TrackerWorld();
  world.announce('a', [0, 1]);
  world.askOne('b', 0);
  world.tracker.complain(world.slab.key, world.member('b'), 'a', 0, 'not-held');
  expect(world.askOne('b', 0)).toEqual({ kind: 'leased' });
  expect(world.askOne('b', 1)).toMatchObject({ from: 'a' });
});

test('who is busy is left alone for a moment', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  world.tracker.complain(world.slab.key, world.member('b'), 'a', 0, 'busy');
  const asking = world.ask('b', [0]);
  world.pass(100);
  expect(asking.decided.size).toBe(0);
  world.pass(100);
  expect(asking.decided.get(0)).toMatchObject({ from: 'a' });
});

test('the slot of a transfer that failed is free again', () => {
  const world = new TrackerWorld({ uploadSlots: 1 });
  world.announce('a', [0]);
  world.askOne('b', 0);
  world.tracker.complain(world.slab.key, world.member('b'), 'a', 0, 'short');
  expect(world.askOne('c', 0, ['b'])).toMatchObject({ from: 'a' });
});

test('nobody is sent for a minute to who gave wrong bytes three times', () => {
  const world = new TrackerWorld();
  world.announce('liar', [0, 1, 2, 3]);
  for (const piece of [0, 1, 2]) {
    expect(world.askOne('b', piece)).toMatchObject({ from: 'liar' });
    world.tracker.complain(world.slab.key, world.member('b'), 'liar', piece, 'unproved');
  }
  expect(world.askOne('b', 3)).toEqual({ kind: 'leased' });
  world.tracker.release(world.slab.key, 'b', [3]);
  world.pass(59_000);
  expect(world.askOne('b', 3)).toEqual({ kind: 'leased' });
  world.tracker.release(world.slab.key, 'b', [3]);
  world.pass(1_100);
  expect(world.askOne('b', 3)).toMatchObject({ from: 'liar' });
});

test('nobody complains about himself', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  world.tracker.complain(world.slab.key, world.member('a'), 'a', 0, 'unreachable');
  expect(world.suspected).toEqual([]);
  expect(world.askOne('b', 0)).toMatchObject({ from: 'a' });
});

test('slabs that nobody asks about are forgotten beyond the limit, those under way are not', () => {
  const world = new TrackerWorld({ maxSlabs: 10 });
  world.askOne('a', 0);
  for (let slab = 0; slab < 50; slab += 1) {
    const ref = { key: `${'1'.repeat(40)}.1.${slab}`, pieces: 1 };
    world.tracker.announce(ref, world.member('b'), [{ piece: 0, root: right() }]);
  }
  expect(world.tracker.knows(world.slab.key)).toBe(true);
  expect(world.tracker.knows(`${'1'.repeat(40)}.1.49`)).toBe(true);
  expect(world.tracker.knows(`${'1'.repeat(40)}.1.40`)).toBe(false);
});
