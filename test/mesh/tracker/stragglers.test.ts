// Who is slow, and what follows from it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemberBook, noteSlow } from '../../../src/mesh/tracker/member-book.ts';
import { findStragglers as findIn, type Transfer } from '../../../src/mesh/tracker/stragglers.ts';
import { TrackerWorld } from '../../support/tracker-world.ts';

function transfer(to: string, from: string, bytes: number, more: Partial<Transfer> = {}): Transfer {
  return { to, from, bytes, activeMs: 2_000, waiting: false, ...more };
}

/** All that they got and gave is what these transfers say, unless a test adds to it. */
function findStragglers(transfers: readonly Transfer[], more: Readonly<Record<string, number>> = {}) {
  const bytes = (of: 'to' | 'from') => (id: string) =>
    transfers.filter((each) => each[of] === id).reduce((sum, each) => sum + each.bytes, more[id] ?? 0);
  return findIn(transfers, { got: bytes('to'), gave: bytes('from') });
}

test('a receiver at a tenth of the others is a straggler', () => {
  const transfers = ['a', 'b', 'c'].map((to) => transfer(to, 'origin', 1000));
  const { receivers } = findStragglers([...transfers, transfer('slow', 'origin', 100)]);
  expect([...receivers]).toEqual(['slow']);
});

test('nobody is a straggler where the origin is slow for everybody', () => {
  const transfers = ['a', 'b', 'c', 'd'].map((to) => transfer(to, 'origin', 10, { activeMs: 10_000 }));
  const { receivers, givers } = findStragglers(transfers);
  expect([...receivers, ...givers]).toEqual([]);
});

test('whoever waits for its source is not slow', () => {
  const transfers = ['a', 'b', 'c'].map((to) => transfer(to, 'origin', 1000));
  const { receivers } = findStragglers([...transfers, transfer('patient', 'a', 1, { waiting: true })]);
  expect([...receivers]).toEqual([]);
});

test('a transfer that has just begun tells nothing', () => {
  const transfers = ['a', 'b', 'c'].map((to) => transfer(to, 'origin', 1000));
  const { receivers } = findStragglers([...transfers, transfer('new', 'a', 0, { activeMs: 500 })]);
  expect([...receivers]).toEqual([]);
});

test('with fewer than two others there is nobody to be compared with', () => {
  const { receivers } = findStragglers([transfer('a', 'origin', 1000), transfer('b', 'origin', 1)]);
  expect([...receivers]).toEqual([]);
});

test('a giver from whom everybody gets less than from others is slow, and those who get from it are not', () => {
  const transfers = ['a', 'b', 'c', 'd'].flatMap((to) => [
    transfer(to, 'good', 1000),
    transfer(to, 'fair', 900),
    transfer(to, 'bad', 50),
  ]);
  const { receivers, givers } = findStragglers(transfers);
  expect([...givers]).toEqual(['bad']);
  expect([...receivers]).toEqual([]);
});

test('a giver whose full wire leaves each of many a little is not slow', () => {
  const few = ['a', 'b', 'c'].flatMap((from) => [transfer('x', from, 1000), transfer('y', from, 1000)]);
  const crowded = Array.from({ length: 20 }, (_, at) => transfer(at % 2 === 0 ? 'x' : 'y', 'crowded', 100));
  expect([...findStragglers([...few, ...crowded]).givers]).toEqual([]);
});

test('who gets, or gives, as much as others by transfers that do not last for long is not slow', () => {
  const transfers = ['a', 'b', 'c'].flatMap((to) => ['x', 'y', 'z'].map((from) => transfer(to, from, 1000)));
  const lasting = [transfer('quick', 'x', 50), transfer('a', 'full', 50)];
  expect(findStragglers([...transfers, ...lasting])).toEqual({
    receivers: new Set(['quick']),
    givers: new Set(['full']),
  });
  const found = findStragglers([...transfers, ...lasting], { quick: 2_000, full: 2_000 });
  expect(found).toEqual({ receivers: new Set(), givers: new Set() });
});

test('stragglers are those whom a comparison with each of the others by itself finds', () => {
  const rates = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(rates, (bytes) => {
      const found = findStragglers(bytes.map((some, peer) => transfer(`p${peer}`, 'origin', some))).receivers;
      const expected = bytes.flatMap((some, peer) => {
        const others = bytes.filter((_, other) => other !== peer).toSorted((left, right) => left - right);
        const middle = others[Math.floor((others.length - 1) / 2)] ?? 0;
        return others.length >= 2 && some * 4 < middle ? [`p${peer}`] : [];
      });
      expect([...found]).toEqual(expected);
    }),
  );
});

/** Four read one piece each, three of them at full speed and `slow` at a twentieth. */
function withSlowReader() {
  const world = new TrackerWorld();
  const readers = ['slow', 'b', 'c', 'd'];
  for (const [piece, reader] of readers.entries()) world.ask(reader, [piece]);
  return { world, readers };
}

test('whoever waits for a slow reader is told to ask again, and one of them reads the origin instead', () => {
  const { world, readers } = withSlowReader();
  world.askOne('e', 0);
  world.askOne('f', 0);
  expect(['e', 'f'].map((id) => world.sourceOf(id, 0)).every((source) => source !== 'origin')).toBe(true);
  let moved: number[] = [];
  for (let at = 100; at <= 2000; at += 100) {
    world.nowMs += 100;
    for (const [piece, reader] of readers.entries()) {
      world.progress(reader, piece, at * (reader === 'slow' ? 50 : 1000));
    }
    moved = world.progress('e', 0, at * 50, { waiting: true });
  }
  expect(moved).toEqual([0]);
  expect(world.askOne('e', 0)).toEqual({ kind: 'leased' });
  expect(world.progress('f', 0, 100, { waiting: true })).toEqual([0]);
  expect(world.askOne('f', 0)).toMatchObject({ from: 'e' });
});

test('time in which a source had nothing to send does not make it slow', () => {
  const { world, readers } = withSlowReader();
  world.askOne('e', 0);
  for (let at = 100; at <= 3000; at += 100) {
    world.nowMs += 100;
    for (const [piece, reader] of readers.entries()) {
      // Idle for all but the last half second, and as fast as the others in that.
      const isIdle = reader === 'slow' && at <= 2500;
      const bytes = reader === 'slow' ? Math.max(0, at - 2500) * 1000 : at * 1000;
      world.progress(reader, piece, bytes, { waiting: isIdle });
    }
    expect(world.progress('e', 0, 0, { waiting: true })).toEqual([]);
  }
});

test('whoever gets a piece from a member that gives far more than another could is told to ask again', () => {
  const world = new TrackerWorld({ uploadSlots: 32 });
  world.announce('crowded', [0, 1, 2, 3, 4]);
  const gets = ['a', 'b', 'c', 'd', 'e'];
  for (const [piece, id] of gets.entries()) expect(world.askOne(id, piece)).toMatchObject({ from: 'crowded' });
  const moved = () => gets.map((id, piece) => world.progress(id, piece, 1000).length);
  expect(moved()).toEqual([0, 0, 0, 0, 0]);
  world.announce('idle', [0]);
  expect(moved()).toEqual([1, 0, 0, 0, 0]);
  expect(world.askOne('a', 0)).toMatchObject({ from: 'idle' });
  expect(moved()).toEqual([0, 0, 0, 0, 0]);
});

test('nobody leaves a reader that waits for a slow origin', () => {
  const { world, readers } = withSlowReader();
  world.askOne('e', 0);
  for (let at = 100; at <= 5000; at += 100) {
    world.nowMs += 100;
    for (const [piece, reader] of readers.entries()) world.progress(reader, piece, at, { waiting: true });
    expect(world.progress('e', 0, at, { waiting: true })).toEqual([]);
  }
});

test('a slow one gets no lease while others ask', () => {
  const { world, readers } = withSlowReader();
  for (let at = 100; at <= 1000; at += 100) {
    world.nowMs += 100;
    for (const [piece, reader] of readers.entries()) {
      world.progress(reader, piece, at * (reader === 'slow' ? 10 : 1000));
    }
  }
  world.announce('b', [1]);
  expect(world.askOne('slow', 9)).toBeUndefined();
  expect(world.askOne('b', 9)).toEqual({ kind: 'leased' });
});

test('nobody leaves a crowded source in its own zone for one in another', () => {
  const world = new TrackerWorld({ uploadSlots: 10 });
  const gets = ['a', 'b', 'c', 'd', 'e'];
  for (const id of ['crowded', ...gets]) world.member(id, { zone: 'near' });
  world.announce('crowded', [0, 1, 2, 3, 4]);
  for (const [piece, id] of gets.entries()) expect(world.askOne(id, piece)).toMatchObject({ from: 'crowded' });
  world.member('elsewhere', { zone: 'far' });
  world.announce('elsewhere', [0]);
  expect(world.progress('a', 0, 1)).toEqual([]);
  world.member('neighbour', { zone: 'near' });
  world.announce('neighbour', [0]);
  expect(world.progress('a', 0, 1)).toEqual([0]);
});

test('others go before a straggler for longer each time it is found slow again', () => {
  const member = new MemberBook({ maxMembers: 10 }).get('slow');
  const pauses: number[] = [];
  for (let nowMs = 1_000_000, times = 0; times < 7; times += 1) {
    noteSlow(member, nowMs);
    noteSlow(member, nowMs + 1);
    pauses.push(member.slowUntilMs - nowMs);
    nowMs = member.slowUntilMs + 2_000;
  }
  expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 80_000, 80_000]);
  noteSlow(member, member.slowUntilMs + 60_000);
  expect(member.slowTimes).toBe(0);
});
