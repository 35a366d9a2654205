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

test('who got no answer from a member is not sent there again until it has answered, others are', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  world.askOne('b', 0);
  world.tracker.complain(world.slab.key, world.member('b'), 'a', 0, 'unreachable');
  expect(world.suspected).toEqual(['a']);
  expect(world.askOne('b', 0)).toEqual({ kind: 'leased' });
  world.tracker.release(world.slab.key, 'b', [0]);
  expect(world.askOne('c', 0)).toMatchObject({ from: 'a' });
  world.tracker.cleared('a');
  expect(world.askOne('b', 0)).toMatchObject({ from: 'a' });
});

test('however often one member says that another does not answer, all others are sent there; not when two say so', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  const complain = (id: string) => world.tracker.complain(world.slab.key, world.member(id), 'a', 0, 'silent');
  for (let times = 0; times < 10; times += 1) complain('b');
  expect(world.suspected).toEqual(['a']);
  expect(world.askOne('d', 0)).toMatchObject({ from: 'a' });
  complain('c');
  expect(world.suspected).toEqual(['a']);
  expect(world.askOne('e', 0, ['d'])).toEqual({ kind: 'leased' });
});

test('who broke off is asked whether it is there, and others are sent to it meanwhile', () => {
  const world = new TrackerWorld();
  world.announce('a', [0, 1]);
  world.askOne('b', 0);
  world.tracker.complain(world.slab.key, world.member('b'), 'a', 0, 'short');
  expect(world.suspected).toEqual(['a']);
  expect(world.askOne('b', 1)).toMatchObject({ from: 'a' });
  expect(world.askOne('c', 0)).toMatchObject({ from: 'a' });
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
  world.askOne('b', 0);
  world.tracker.complain(world.slab.key, world.member('b'), 'a', 0, 'busy');
  const asking = world.ask('b', [0]);
  world.pass(100);
  expect(asking.decided.size).toBe(0);
  world.pass(100);
  expect(asking.decided.get(0)).toMatchObject({ from: 'a' });
});

test('who was not sent to a member cannot say that it is busy', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  world.tracker.complain(world.slab.key, world.member('b'), 'a', 0, 'busy');
  expect(world.askOne('c', 0)).toMatchObject({ from: 'a' });
});

test('the slot of a transfer that failed is free again', () => {
  const world = new TrackerWorld({ uploadSlots: 1 });
  world.announce('a', [0]);
  world.askOne('b', 0);
  world.tracker.complain(world.slab.key, world.member('b'), 'a', 0, 'short');
  expect(world.askOne('c', 0, ['b'])).toMatchObject({ from: 'a' });
});

test('who got wrong bytes from a member three times is not sent there for a minute', () => {
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

test('what one member says of wrong bytes keeps nobody else away; what two say does', () => {
  const world = new TrackerWorld();
  const pieces = [0, 1, 2, 3, 4, 5, 6, 7];
  world.announce('accused', pieces);
  const complain = (id: string, piece: number) =>
    world.tracker.complain(world.slab.key, world.member(id), 'accused', piece, 'unproved');
  for (const piece of [0, 1, 2, 3, 4]) complain('b', piece);
  expect(world.askOne('b', 6)).toEqual({ kind: 'leased' });
  expect(world.askOne('d', 7)).toMatchObject({ from: 'accused' });
  complain('c', 5);
  expect(world.askOne('e', 7, ['d'])).toEqual({ kind: 'leased' });
});

test('that it answers ends no ban of who gave wrong bytes', () => {
  const world = new TrackerWorld();
  world.announce('liar', [0, 1, 2, 3]);
  for (const piece of [0, 1, 2]) {
    world.tracker.complain(world.slab.key, world.member('b'), 'liar', piece, 'unproved');
  }
  world.tracker.cleared('liar');
  expect(world.askOne('b', 3)).toEqual({ kind: 'leased' });
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
