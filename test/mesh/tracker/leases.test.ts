// Who reads a piece from its origin.
import { expect, test } from 'vitest';
import { TRACKER_OPTIONS, TrackerWorld } from '../../support/tracker-world.ts';

const PIECES = Array.from({ length: 16 }, (_, piece) => piece);

function leased(asking: { decided: ReadonlyMap<number, { kind: string }> }): number[] {
  return [...asking.decided].filter(([, { kind }]) => kind === 'leased').map(([piece]) => piece);
}

test('of two who ask at once the first is sent to the origin, and the second to the first', () => {
  const world = new TrackerWorld();
  expect(world.askOne('a', 0)).toEqual({ kind: 'leased' });
  expect(world.askOne('b', 0)).toEqual({
    kind: 'held',
    from: 'a',
    arriving: true,
    proof: { root: undefined, readerKeys: ['key of a'] },
  });
});

test('whoever has not brought a piece home yet gets one lease while others ask', () => {
  const world = new TrackerWorld();
  const [a, b] = [world.ask('a', PIECES), world.ask('b', PIECES)];
  expect(leased(a)).toEqual([0]);
  expect(leased(b)).toEqual([1]);
});

test('those who bring pieces home get more leases, and never more than the limit', () => {
  const world = new TrackerWorld();
  const askings = new Map(['a', 'b'].map((id) => [id, world.ask(id, PIECES)]));
  const underWay = (id: string) =>
    leased(askings.get(id) ?? world.ask(id, [])).filter((piece) => world.sourceOf(id, piece) === 'origin');
  expect([underWay('a').length, underWay('b').length]).toEqual([1, 1]);
  for (const limit of [2, 3, 4, 4, 4]) {
    for (const id of askings.keys()) world.announce(id, underWay(id).slice(0, 1));
    for (const id of askings.keys()) expect(underWay(id).length).toBeLessThanOrEqual(limit);
    expect(underWay('a').length + underWay('b').length).toBeGreaterThanOrEqual(2 * limit - 2);
  }
});

test('whoever had more than his share lets those who read beside him come up', () => {
  const world = new TrackerWorld();
  const asking = world.ask('a', PIECES);
  world.ask('b', [200]);
  for (const piece of [0, 1, 2]) world.announce('a', [piece]);
  const before = leased(asking).length;
  world.announce('a', [before - 1]);
  expect(leased(asking).length).toBe(before);
  world.nowMs += 1_000;
  world.tracker.tick();
  expect(leased(asking).length).toBeGreaterThan(before);
});

test('leases go to whoever reads least from the origin', () => {
  const world = new TrackerWorld({ leases: 2 });
  const askings = ['a', 'b', 'c', 'd'].map((id) => world.ask(id, PIECES));
  expect(askings.map((asking) => leased(asking).length)).toEqual([1, 1, 1, 1]);
});

test('a lone reader gets as much as leases allow after 30 ms, and after a second all that it asks for', () => {
  const world = new TrackerWorld();
  const asking = world.ask('a', PIECES);
  expect(leased(asking)).toEqual([0]);
  world.nowMs += 29;
  world.tracker.tick();
  expect(leased(asking)).toEqual([0]);
  world.nowMs += 1;
  world.tracker.tick();
  expect(leased(asking)).toEqual(PIECES.slice(0, TRACKER_OPTIONS.leases));
  world.nowMs += 970;
  world.tracker.tick();
  expect(leased(asking)).toEqual(PIECES);
});

test('one gateway alone is sent to the origin for everything at once', () => {
  const world = new TrackerWorld();
  world.alone = true;
  expect(leased(world.ask('a', PIECES))).toEqual(PIECES);
});

test('after a second the limit on leases is all that makes anybody wait for a piece that nobody reads', () => {
  const world = new TrackerWorld();
  const [a, b] = [world.ask('a', PIECES), world.ask('b', PIECES)];
  world.pass(900, () => {
    world.progress('a', 0, 1, { waiting: true });
    world.progress('b', 1, 1, { waiting: true });
  });
  expect([...leased(a), ...leased(b)].length).toBe(2);
  world.pass(100);
  const all = new Set([...leased(a), ...leased(b)]);
  expect(all.size).toBe(8);
  expect([leased(a).length, leased(b).length]).toEqual([4, 4]);
});

test('who avoids the one that reads a piece waits a second for others to pass it on, then reads it too', () => {
  const world = new TrackerWorld();
  world.askOne('a', 0);
  const asking = world.ask('b', [0], ['a']);
  world.pass(900, () => world.progress('a', 0, 1));
  expect(leased(asking)).toEqual([]);
  world.pass(100, () => world.progress('a', 0, 1));
  expect(leased(asking)).toEqual([0]);
});

/** `a` reads a piece, `b` gets it from `a`, and nothing is heard of either for 1.6 s. */
function withSilentReader(): TrackerWorld {
  const world = new TrackerWorld();
  world.askOne('a', 0);
  world.askOne('b', 0);
  world.pass(1500);
  expect(world.suspected).toEqual([]);
  world.pass(200);
  expect(world.suspected).toEqual(['a']);
  expect(world.sourceOf('a', 0)).toBe('origin');
  return world;
}

test('a lease whose holder is silent for 1.5 s goes to whoever waits, once it does not answer either', () => {
  const world = withSilentReader();
  const asking = world.ask('c', [0], ['a', 'b']);
  expect(leased(asking)).toEqual([]);
  world.tracker.gone('a');
  expect(leased(asking)).toEqual([0]);
});

test('a lease whose holder answers and yet says nothing of it lapses after 4.5 s', () => {
  const world = withSilentReader();
  world.tracker.cleared('a');
  world.pass(2800);
  expect(world.sourceOf('a', 0)).toBe('origin');
  world.pass(300);
  expect(world.sourceOf('a', 0)).toBeUndefined();
  expect(world.askOne('c', 0)).toEqual({ kind: 'leased' });
});

test('nobody is silent while the tracker itself did not run', () => {
  const world = new TrackerWorld();
  world.askOne('a', 0);
  world.pass(100);
  world.nowMs += 10_000;
  world.tracker.tick();
  expect(world.suspected).toEqual([]);
  expect(world.sourceOf('a', 0)).toBe('origin');
});

test('a lease whose holder reports lasts as long as it reports, however slow its origin is', () => {
  const world = new TrackerWorld();
  world.askOne('a', 0);
  world.pass(20_000, () => world.progress('a', 0, 0, { waiting: true }));
  expect(world.sourceOf('a', 0)).toBe('origin');
  expect(world.askOne('b', 0)).toMatchObject({ kind: 'held', from: 'a', arriving: true });
});

test('a lease given back goes to whoever waits, at once', () => {
  const world = new TrackerWorld({ uploadSlots: 0 });
  world.askOne('a', 0);
  const asking = world.ask('b', [0]);
  expect(leased(asking)).toEqual([]);
  world.tracker.release(world.slab.key, 'a', [0]);
  expect(leased(asking)).toEqual([0]);
});

test('the leases of a gateway that has left go to others at once', () => {
  const world = new TrackerWorld({ uploadSlots: 0 });
  world.askOne('a', 0);
  const asking = world.ask('b', [0]);
  world.tracker.gone('a');
  expect(leased(asking)).toEqual([0]);
});

test('thirty who ask for everything at once read each piece from the origin once', () => {
  const world = new TrackerWorld();
  const askings = Array.from({ length: 30 }, (_, peer) => world.ask(`p${peer}`, PIECES));
  world.pass(3000, () => {
    for (let peer = 0; peer < 30; peer += 1) {
      for (const piece of PIECES) if (world.sourceOf(`p${peer}`, piece)) world.progress(`p${peer}`, piece, 1);
    }
  });
  const all = askings.flatMap(leased);
  expect(all.toSorted((left, right) => left - right)).toEqual(PIECES);
});

test('in place of a tracker that is there nobody is sent before word of those that it sent could come', () => {
  const world = new TrackerWorld();
  world.announce('first', [200]);
  const asking = world.ask('b', [0, 1], [], ['first']);
  world.pass(300);
  expect([...asking.decided]).toEqual([]);
  world.progress('a', 0, 1, { source: 'origin' });
  world.pass(100);
  expect(asking.decided.get(0)).toMatchObject({ kind: 'held', from: 'a', arriving: true });
  world.pass(600);
  expect(leased(asking)).toEqual([1]);
});

test('nor is anybody kept waiting while that tracker is there but sends nobody, or once it is silent', () => {
  const world = new TrackerWorld();
  world.announce('first', [200]);
  const talking = world.ask('a', [0], [], ['first']);
  world.pass(1000, () => world.announce('first', [200]));
  expect(leased(talking)).toEqual([0]);
  const silent = world.ask('b', [1], [], ['first']);
  expect(leased(silent)).toEqual([]);
  world.pass(1_000);
  expect(leased(silent)).toEqual([1]);
  world.pass(2 * TRACKER_OPTIONS.progressMs);
  expect(leased(world.ask('c', [2], [], ['first']))).toEqual([2]);
});

/** `ahead` came before `behind`: it holds ten pieces more, and brings another to both. */
function worldWithLeader(): TrackerWorld {
  const world = new TrackerWorld();
  world.announce(
    'ahead',
    PIECES.filter((piece) => piece < 10),
  );
  expect(world.askOne('ahead', 10)).toEqual({ kind: 'leased' });
  expect(world.askOne('behind', 10)).toMatchObject({ from: 'ahead' });
  return world;
}

test('who came before all others reads on, and they get from it what it waits for too', () => {
  const world = worldWithLeader();
  const ahead = world.ask('ahead', [11, 12, 13, 14]);
  const behind = world.ask('behind', [14]);
  expect(leased(ahead)).toEqual([11, 12, 13]);
  expect([...behind.decided]).toEqual([]);
  world.announce('ahead', [10]);
  expect(leased(ahead)).toEqual([11, 12, 13, 14]);
  expect(behind.decided.get(14)).toMatchObject({ kind: 'held', from: 'ahead', arriving: true });
});

test('what it does not want, or does not come to in a second, those behind it read', () => {
  const world = worldWithLeader();
  expect(world.askOne('behind', 20)).toEqual({ kind: 'leased' });
  world.announce('behind', [20]);
  const ahead = world.ask('ahead', [11, 12, 13, 14]);
  const behind = world.ask('behind', [14]);
  world.pass(900, () => {
    for (const piece of [10, 11, 12, 13]) world.progress('ahead', piece, 1);
    world.progress('behind', 10, 1);
  });
  expect(leased(behind)).toEqual([]);
  world.pass(100);
  expect(leased(behind)).toEqual([14]);
  expect(leased(ahead)).toEqual([11, 12, 13]);
});
