import { afterEach, expect, test, vi } from 'vitest';
import type { Slab } from '../../../src/mesh/slab.ts';
import { TrackerView } from '../../../src/mesh/slab-owners.ts';
import type { TrackerDb } from '../../../src/mesh/tracker/tracker-db.ts';
import type { Decided } from '../../../src/mesh/tracker/tracker-wire.ts';
import { BitSet } from '../../../src/pieces/bit-set.ts';
import { rootOf } from '../../support/tracker-world.ts';
import { type TrackingMember, TrackingWorld } from '../../support/tracking-world.ts';

afterEach(() => {
  vi.useRealTimers();
});

const { signal } = new AbortController();

function wire({ key, ownerKey, pieces }: Slab) {
  return { key, ownerKey, pieces };
}

function acquire(at: TrackingMember, by: TrackingMember, slab: Slab, pieces: readonly number[], until = signal) {
  return at.service.acquire({ slab: wire(slab), pieces: [...pieces], avoid: [] }, by.self, until);
}

/** As who found that these trackers do not answer. */
function acquireWithout(unreachable: string[], at: TrackingMember, by: TrackingMember, slab: Slab, piece: number) {
  return allOf(at.service.acquire({ slab: wire(slab), pieces: [piece], avoid: [], unreachable }, by.self, signal));
}

async function allOf(lines: AsyncGenerator<Decided>): Promise<Decided[]> {
  const all: Decided[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

function announce(at: TrackingMember, by: TrackingMember, slab: Slab, pieces: readonly number[]): void {
  const held = pieces.map((piece) => ({ piece, root: rootOf(piece) }));
  at.service.tell({ slabs: [{ slab: wire(slab), held }] }, by.self);
}

/** Lets everything that is ready run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What LevelDB of an earlier run holds: piece 5, at b. */
const remembering: Pick<TrackerDb, 'holdings'> = {
  holdings: async () => ({
    roots: new Map([[5, rootOf(5)]]),
    rows: [{ member: 'b', held: BitSet.none(256).with(5) }],
  }),
};

test('before the first grant the other owner is asked what it knows', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('a', 'b');
  announce(world.member('b'), world.member('c'), slab, [3]);
  const [decided] = await allOf(acquire(world.member('a'), world.member('d'), slab, [3]));
  expect(decided).toMatchObject({ kind: 'held', from: 'c', proof: { root: rootOf(3) } });
  const asked = world.mesh.count('peek');
  await allOf(acquire(world.member('a'), world.member('d'), slab, [3]));
  expect(world.mesh.count('peek')).toBe(asked);
  world.close();
});

test('who reads the origin by the word of the other owner is not joined by a second one', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('a', 'b');
  expect(await allOf(acquire(world.member('b'), world.member('c'), slab, [3]))).toMatchObject([{ kind: 'leased' }]);
  const asking = allOf(acquire(world.member('a'), world.member('d'), slab, [3]));
  const report = { piece: 3, source: 'origin', bytes: 1, waiting: false };
  const { a, c } = { a: world.member('a'), c: world.member('c') };
  // It is at it still, and shows its key.
  while (a.tracker.find(slab.key)?.waiting.size !== 1) await turn();
  a.service.progress({ slabs: [{ slab: wire(slab), pieces: [report] }] }, c.self);
  expect(await asking).toMatchObject([{ kind: 'held', from: 'c', arriving: true }]);
  world.close();
});

test('after a change of the list the owners are asked again', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('a', 'b');
  expect(await allOf(acquire(world.member('a'), world.member('d'), slab, [1]))).toMatchObject([{ kind: 'leased' }]);
  announce(world.member('b'), world.member('c'), slab, [3]);
  world.view = new TrackerView(['a', 'b', 'c']);
  expect(await allOf(acquire(world.member('a'), world.member('d'), slab, [3]))).toMatchObject([{ from: 'c' }]);
  world.close();
});

test('the owners are asked again about a slab that nobody has asked for in a while', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  let nowMs = 1000;
  world.now = () => nowMs;
  const slab = world.slabOwnedBy('a', 'b');
  await allOf(acquire(world.member('a'), world.member('d'), slab, [1]));
  announce(world.member('a'), world.member('d'), slab, [1]);
  // The line to the first owner was down: what is new was told to the second alone.
  announce(world.member('b'), world.member('c'), slab, [3]);
  nowMs += 10_000;
  expect(await allOf(acquire(world.member('a'), world.member('d'), slab, [3]))).toMatchObject([{ from: 'c' }]);
  world.close();
});

test('what an earlier run wrote down is known, also where somebody announced before anybody asked', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('a');
  const a = world.start('a', { db: remembering });
  announce(a, world.member('c'), slab, [1]);
  expect(await allOf(acquire(a, world.member('c'), slab, [5]))).toMatchObject([{ kind: 'held', from: 'b' }]);
  world.close();
});

test('what an earlier run wrote down is told to other owners', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('a', 'b');
  const b = world.start('b', { db: remembering });
  announce(b, world.member('c'), slab, [1]);
  const decided = await allOf(acquire(world.member('a'), world.member('c'), slab, [5]));
  expect(decided).toMatchObject([{ kind: 'held', from: 'b' }]);
  world.close();
});

test('an owner that cannot be reached is not asked again for a while', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  world.mesh.down.add('b');
  world.mesh.down.add('c');
  for (let index = 0; index < 5; index += 1) {
    const slab = world.slabOwnedBy('a');
    const another = { ...slab, key: `${'1'.repeat(40)}.4096.${index}` };
    expect(await allOf(acquire(world.member('a'), world.member('a'), another, [0]))).toMatchObject([
      { kind: 'leased' },
    ]);
  }
  expect(world.mesh.count('peek')).toBe(2);
  world.close();
});

test('an owner that hangs costs one patience, not one for each slab', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  world.start('a', { peekMs: 20 });
  world.mesh.hung.add('b');
  world.mesh.hung.add('c');
  for (let index = 0; index < 5; index += 1) {
    const slab = { ...world.slabOwnedBy('a'), key: `${'1'.repeat(40)}.4096.${index}` };
    await allOf(acquire(world.member('a'), world.member('a'), slab, [0]));
  }
  expect(world.mesh.count('peek')).toBe(2);
  world.close();
});

test('owners tell each other of thousands of holders in less than one answer may have', async () => {
  const world = new TrackingWorld(['a', 'b']);
  const slab = world.slabOwnedBy('a', 'b');
  const all = Array.from({ length: 256 }, (_, piece) => piece);
  const roots = new Map(all.map((piece) => [piece, rootOf(piece)]));
  const rows = Array.from({ length: 10_000 }, (_, peer) => ({
    member: `10.1.${peer >> 8}.${peer & 255}:9002`,
    held: BitSet.full(256),
  }));
  world.member('b').tracker.absorb(slab, { roots, rows });
  const { peek } = world.member('b').service.handlers;
  if (peek?.kind !== 'ask') throw new Error('There is no peek.');
  const told = await peek.handle({ slab: wire(slab) }, world.member('a').self, signal);
  expect(JSON.stringify(told).length).toBeLessThan(1024 * 1024);
  expect(await allOf(acquire(world.member('a'), world.member('a'), slab, [7]))).toMatchObject([{ kind: 'held' }]);
  world.close();
});

test('whoever waits for long is told to ask again', async () => {
  vi.useFakeTimers();
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('a');
  const a = world.start('a', { longPollMs: 500 });
  await allOf(acquire(a, world.member('b'), slab, [0]));
  const lines = acquire(a, world.member('c'), slab, [8, 9]);
  expect((await lines.next()).value).toEqual({ kind: 'leased', piece: 8 });
  const rest = allOf(lines);
  await vi.advanceTimersByTimeAsync(500);
  expect(await rest).toEqual([{ kind: 'again', piece: 9 }]);
  a.tracker.release(slab.key, 'c', [8]);
  expect(a.tracker.find(slab.key)?.waiting.size).toBe(0);
  world.close();
});

test('a caller that leaves no longer waits, and what it was not told of goes to others', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('a');
  const a = world.member('a');
  const leaving = new AbortController();
  const lines = acquire(a, world.member('b'), slab, [0], leaving.signal);
  leaving.abort();
  expect(await allOf(lines)).toEqual([]);
  expect(await allOf(acquire(a, world.member('c'), slab, [0]))).toMatchObject([{ kind: 'leased' }]);
  world.close();
});

test('decisions that were ready when the caller left in the middle are given back', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('a');
  const a = world.member('a');
  announce(a, world.member('c'), slab, [0, 1, 2]);
  const lines = acquire(a, world.member('b'), slab, [0, 1, 2]);
  await lines.next();
  expect(a.tracker.uploadsOf('c')).toBe(3);
  await lines.return();
  // The one that it was told of it may still fetch.
  expect(a.tracker.uploadsOf('c')).toBe(1);
  world.close();
});

test('those who wait are let go when the gateway closes', async () => {
  vi.useFakeTimers();
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('a');
  const a = world.member('a');
  await allOf(acquire(a, world.member('b'), slab, [0]));
  const waiting = allOf(acquire(a, world.member('c'), slab, [8, 9]));
  await vi.advanceTimersByTimeAsync(0);
  world.close();
  expect((await waiting).length).toBeLessThan(2);
});

test('pieces that a slab does not have are refused', async () => {
  const world = new TrackingWorld(['a']);
  const slab = { ...world.slabOwnedBy('a'), pieces: 3 };
  const asking = allOf(acquire(world.member('a'), world.member('a'), slab, [3]));
  await expect(asking).rejects.toMatchObject({ code: 'Malformed' });
  world.close();
});

test('whoever is said not to answer is asked once, and counts again when it does', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('a');
  const [a, b] = [world.member('a'), world.member('b')];
  announce(a, world.member('c'), slab, [0]);
  const complaint = { slab: wire(slab), piece: 0, holder: 'c', complaint: 'unreachable' as const };
  a.service.complain(complaint, b.self);
  await a.background.close();
  expect(world.mesh.count('hello', 'c')).toBe(1);
  expect(await allOf(acquire(a, b, slab, [0]))).toMatchObject([{ from: 'c' }]);
  world.mesh.down.add('c');
  a.service.complain(complaint, b.self);
  await a.background.close();
  expect(await allOf(acquire(a, b, slab, [0]))).toMatchObject([{ kind: 'leased' }]);
  world.close();
});

test('whoever is said not to answer has longer to answer where all are slow', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  world.patience = (limitMs) => 3 * limitMs;
  const slab = world.slabOwnedBy('a');
  const a = world.start('a', { patienceMs: 40 });
  announce(a, world.member('c'), slab, [0]);
  const answerAfter = (ms: number) => ({
    kind: 'ask' as const,
    handle: () => new Promise<unknown>((resolve) => setTimeout(() => resolve({}), ms)),
  });
  const complaint = { slab: wire(slab), piece: 0, holder: 'c', complaint: 'unreachable' as const };
  for (const { ms, decided } of [
    { ms: 70, decided: { from: 'c' } },
    { ms: 400, decided: { kind: 'leased' } },
  ]) {
    world.mesh.serve('c', { hello: answerAfter(ms) });
    a.service.complain(complaint, world.member('b').self);
    await a.background.close();
    expect(await allOf(acquire(a, world.member('b'), slab, [0]))).toMatchObject([decided]);
  }
  world.close();
});

test('a lie about a piece that is known is reported', () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('a');
  const a = world.member('a');
  announce(a, world.member('b'), slab, [0]);
  const held = [{ piece: 0, root: rootOf(1) }];
  a.service.tell({ slabs: [{ slab: wire(slab), held }] }, world.member('c').self);
  expect(a.refused).toEqual([{ member: 'c', slab: slab.key, pieces: [0] }]);
  world.close();
});

/** Time stands still: whoever waits is not done with waiting. */
function timelessWorld(): { world: TrackingWorld; slab: Slab } {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  world.now = () => 1_000_000;
  return { world, slab: world.slabOwnedBy('a', 'b') };
}

test('the second owner, asked because the first is slow to answer, waits for those whom the first has sent', async () => {
  const { world, slab } = timelessWorld();
  const b = world.member('b');
  announce(b, world.member('a'), slab, [200]);
  const asking = acquireWithout(['a'], b, world.member('d'), slab, 3);
  while (b.tracker.find(slab.key)?.waiting.size !== 1) await turn();
  const report = { piece: 3, source: 'origin', bytes: 1, waiting: false };
  b.service.progress({ slabs: [{ slab: wire(slab), pieces: [report] }] }, world.member('c').self);
  expect(await asking).toMatchObject([{ kind: 'held', from: 'c', arriving: true }]);
  world.close();
});

test("the first owner is in nobody's place, whoever else does not answer", async () => {
  const { world, slab } = timelessWorld();
  const a = world.member('a');
  announce(a, world.member('b'), slab, [200]);
  expect(await acquireWithout(['b'], a, world.member('d'), slab, 3)).toMatchObject([{ kind: 'leased' }]);
  world.close();
});
