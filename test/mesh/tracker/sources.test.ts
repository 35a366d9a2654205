// Who gets a piece from whom.
import { expect, test } from 'vitest';
import { BitSet } from '../../../src/pieces/bit-set.ts';
import { TrackerWorld } from '../../support/tracker-world.ts';

test('a piece that is held comes from who holds it, with the root that its reader announced', () => {
  const world = new TrackerWorld();
  world.askOne('a', 7);
  world.announce('a', [7]);
  expect(world.askOne('b', 7)).toEqual({
    kind: 'held',
    from: 'a',
    arriving: false,
    proof: { root: '7'.padStart(64, '0'), readerKeys: [] },
  });
});

test('one gateway gives no more pieces at once than it has slots', () => {
  const world = new TrackerWorld({ uploadSlots: 2 });
  for (const piece of [0, 1, 2, 3]) world.announce('a', [piece]);
  expect(world.askOne('b', 0)).toMatchObject({ from: 'a' });
  expect(world.askOne('c', 1)).toMatchObject({ from: 'a' });
  expect(world.askOne('d', 2)).toBeUndefined();
});

test('a slot that becomes free serves whoever waits, though for another piece', () => {
  const world = new TrackerWorld({ uploadSlots: 1 });
  world.announce('a', [0, 1]);
  world.askOne('b', 0);
  const waiting = world.ask('c', [1]);
  expect(waiting.decided.size).toBe(0);
  world.announce('b', [0]);
  expect(waiting.decided.get(1)).toMatchObject({ from: 'a' });
});

test('the slot of a receiver that has fallen silent is free again', () => {
  const world = new TrackerWorld({ uploadSlots: 1 });
  world.announce('a', [0, 1]);
  world.askOne('b', 0);
  const waiting = world.ask('c', [1]);
  world.pass(1500);
  expect(waiting.decided.size).toBe(0);
  world.pass(200);
  expect(waiting.decided.get(1)).toMatchObject({ from: 'a' });
});

test('uploads are shared by those who hold a piece', () => {
  const world = new TrackerWorld({ uploadSlots: 100 });
  for (const holder of ['a', 'b', 'c', 'd']) world.announce(holder, [0]);
  const given = new Map<string, number>();
  for (let peer = 0; peer < 40; peer += 1) {
    const decision = world.ask(`p${peer}`, [0]).decided.get(0);
    if (decision?.kind === 'held' && !decision.arriving) given.set(decision.from, (given.get(decision.from) ?? 0) + 1);
  }
  expect(given.size).toBe(4);
  expect(Math.max(...given.values()) - Math.min(...given.values())).toBeLessThanOrEqual(1);
});

test('a source in the own zone goes first', () => {
  const world = new TrackerWorld();
  world.member('far', { zone: 'y' });
  world.member('near', { zone: 'x' });
  world.member('asking', { zone: 'x' });
  world.announce('far', [0]);
  world.announce('near', [0]);
  for (let piece = 1; piece < 4; piece += 1) world.announce('near', [piece]);
  world.askOne('other', 1);
  world.askOne('another', 2);
  expect(world.askOne('asking', 0)).toMatchObject({ from: 'near' });
});

test('a source elsewhere is better than none', () => {
  const world = new TrackerWorld();
  world.member('far', { zone: 'y' });
  world.member('asking', { zone: 'x' });
  world.announce('far', [0]);
  expect(world.askOne('asking', 0)).toMatchObject({ from: 'far' });
});

test('nobody is sent to whom it wants to avoid', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  world.announce('b', [0]);
  for (const peer of ['c', 'd', 'e']) expect(world.askOne(peer, 0, ['a'])).not.toMatchObject({ from: 'a' });
});

test('nobody waits for itself, by however many others', () => {
  const world = new TrackerWorld({ uploadSlots: 1 });
  world.askOne('a', 0);
  world.askOne('b', 0);
  world.askOne('c', 0);
  world.askOne('d', 0);
  expect(['b', 'c', 'd'].map((id) => world.sourceOf(id, 0))).toEqual(['a', 'b', 'c']);
  // The first asks anew: all others depend on it.
  expect(world.askOne('a', 0)).toEqual({ kind: 'leased' });
});

test('whoever is found to wait for itself is told to ask again', () => {
  const world = new TrackerWorld();
  // Two trackers have sent each to the other; this one hears of it.
  expect(world.progress('a', 0, 0, { source: 'b', waiting: true })).toEqual([]);
  world.nowMs += 500;
  expect(world.progress('b', 0, 0, { source: 'a', waiting: true })).toEqual([0]);
  expect(world.askOne('b', 0)).toEqual({ kind: 'leased' });
  world.nowMs += 500;
  expect(world.progress('a', 0, 0, { waiting: true })).toEqual([]);
});

test('a tracker that only hears of it knows whose bytes come from where, and that this changes', () => {
  const world = new TrackerWorld({ uploadSlots: 1 });
  world.announce('a', [0]);
  world.announce('b', [0]);
  world.progress('c', 0, 10, { source: 'a' });
  world.nowMs += 500;
  world.progress('c', 0, 20, { source: 'b' });
  expect(world.sourceOf('c', 0)).toBe('b');
  world.nowMs += 500;
  world.progress('d', 0, 5, { source: 'a' });
  world.announce('c', [0]);
  world.announce('d', [0]);
  expect(world.askOne('e', 0, ['c', 'd', 'b'])).toMatchObject({ from: 'a' });
});

test('a report that was overtaken by a new source changes nothing', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  world.announce('b', [0]);
  expect(world.askOne('c', 0, ['b'])).toMatchObject({ from: 'a' });
  world.progress('c', 0, 5, { source: 'b' });
  expect(world.sourceOf('c', 0)).toBe('a');
});

test('a report that was overtaken by the announcement takes no slot', () => {
  const world = new TrackerWorld({ uploadSlots: 1 });
  world.announce('a', [0]);
  world.askOne('b', 0);
  world.announce('b', [0]);
  world.progress('b', 0, 5, { source: 'a' });
  world.tracker.learn(world.slab, 'b', { piece: 0, source: 'a', bytes: 5, waiting: false });
  expect(world.askOne('c', 0, ['b'])).toMatchObject({ from: 'a' });
});

test('whoever asks for a piece is not believed to hold it', () => {
  const world = new TrackerWorld();
  world.announce('a', [0]);
  expect(world.askOne('a', 0)).toEqual({ kind: 'leased' });
  expect(world.askOne('b', 0)).toMatchObject({ from: 'a', arriving: true });
  expect(world.changed.at(-1)).toEqual({ slab: world.slab.key, member: 'a' });
});

test('of a piece that several have read in turn all of them are named: blocks of each are on their way', () => {
  const world = new TrackerWorld();
  world.askOne('slow', 0);
  world.askOne('b', 0);
  const fast = world.ask('fast', [0], ['slow', 'b']);
  world.pass(1000, () => world.progress('slow', 0, 1));
  expect(fast.decided.get(0)).toEqual({ kind: 'leased' });
  expect(world.askOne('c', 0, ['slow'])).toMatchObject({ proof: { readerKeys: ['key of fast', 'key of slow'] } });
  for (const id of ['slow', 'b', 'fast', 'c']) world.announce(id, [0]);
  expect(world.askOne('d', 0)).toMatchObject({ arriving: false, proof: { readerKeys: [] } });
});

test('what is no longer held is not asked of who held it', () => {
  const world = new TrackerWorld();
  world.announce('a', [0, 1]);
  world.tracker.withdraw(world.slab.key, 'a', [0]);
  expect(world.askOne('b', 0)).toEqual({ kind: 'leased' });
  expect(world.askOne('b', 1)).toMatchObject({ from: 'a' });
});

test('what another tracker knows is known', () => {
  const world = new TrackerWorld();
  const held = BitSet.none(256).with(3).with(9);
  world.tracker.absorb(world.slab, { roots: new Map([[3, '3'.padStart(64, '0')]]), rows: [{ member: 'a', held }] });
  expect(world.askOne('c', 9), 'what nobody vouches for').toEqual({ kind: 'leased' });
  world.tracker.learn(world.slab, 'b', { piece: 4, source: 'origin', bytes: 100, waiting: false });
  expect(world.askOne('c', 3)).toMatchObject({ kind: 'held', from: 'a', arriving: false });
  // Whose blocks nobody can prove before it has shown its key.
  const asking = world.ask('c', [4]);
  expect(asking.decided.size).toBe(0);
  world.progress('b', 4, 200);
  world.pass(100);
  expect(asking.decided.get(4)).toMatchObject({ kind: 'held', from: 'b', proof: { readerKeys: ['key of b'] } });
  // Of whom nothing more is heard.
  world.tracker.gone('b');
  expect(world.askOne('d', 4, ['c'])).toEqual({ kind: 'leased' });
});

test('whoever waits for a source that nobody knows to get the piece is told to ask again, after a while', () => {
  const world = new TrackerWorld();
  world.askOne('a', 0);
  world.progress('a', 0, 1);
  expect(world.askOne('b', 0)).toMatchObject({ from: 'a' });
  // It has begun anew, at trackers of its zone, that may send it to b.
  world.tracker.release(world.slab.key, 'a', [0]);
  expect(world.progress('b', 0, 0, { source: 'a', waiting: true })).toEqual([]);
  const told: number[] = [];
  world.pass(3_000, () => told.push(...world.progress('b', 0, 0, { source: 'a', waiting: true })));
  expect(told).toContain(0);
  // One that gives is no such source, whatever is known of it.
  const other = new TrackerWorld();
  other.askOne('a', 0);
  other.progress('a', 0, 1);
  other.askOne('b', 0);
  other.tracker.release(other.slab.key, 'a', [0]);
  other.pass(3_000, () => expect(other.progress('b', 0, 1, { source: 'a' })).toEqual([]));
});
