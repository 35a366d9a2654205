import { expect, test } from 'vitest';
import type { Slab } from '../../src/mesh/slab.ts';
import { wire } from '../../src/mesh/tracker/tell-together.ts';
import { parseProgress, writeProgress } from '../../src/mesh/tracker/tracker-wire.ts';
import { MeshError } from '../../src/mesh/transport.ts';
import { rootOf } from '../support/tracker-world.ts';
import { TrackingWorld } from '../support/tracking-world.ts';

const { signal } = new AbortController();

function wish(slab: Slab, piece: number, more: { avoid?: string[]; signal?: AbortSignal } = {}) {
  return { slab, piece, avoid: more.avoid ?? [], signal: more.signal ?? signal };
}

/** Lets everything that is ready run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What was told waits a moment for more; all of it has then come. */
async function told(world: TrackingWorld): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10));
  for (const { background } of world.members.values()) await background.close();
}

test('the first owner of a slab is asked', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('b');
  expect(await world.member('a').client.acquire(wish(slab, 0))).toMatchObject({ kind: 'leased' });
  expect(world.mesh.count('acquire', 'b')).toBe(1);
  expect(await world.member('c').client.acquire(wish(slab, 0))).toMatchObject({ kind: 'held', from: 'a' });
  world.close();
});

test('what is wanted at once of one slab goes in one call', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('b');
  world.member('b').tracker.announce(
    slab,
    world.member('c').self,
    [0, 1, 2].map((piece) => ({ piece, root: rootOf(piece) })),
  );
  const decided = await Promise.all([0, 1, 2].map((piece) => world.member('a').client.acquire(wish(slab, piece))));
  expect(decided.map((decision) => decision !== 'alone' && decision.piece)).toEqual([0, 1, 2]);
  expect(world.mesh.count('acquire')).toBe(1);
  world.close();
});

test('two who want the same piece at once are both told', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('b');
  const both = [wish(slab, 0), wish(slab, 0)].map((each) => world.member('a').client.acquire(each));
  expect(await Promise.all(both)).toMatchObject([{ kind: 'leased' }, { kind: 'leased' }]);
  world.close();
});

test('the second owner is asked when the first does not answer, and knows what is on its way', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('b', 'c');
  const [a, d] = [world.member('a').client, world.member('d').client];
  expect(await a.acquire(wish(slab, 0))).toMatchObject({ kind: 'leased' });
  a.progress([{ slab, pieces: [{ piece: 0, source: 'origin', bytes: 1, waiting: false }] }], () => undefined, 'all');
  await world.member('a').background.close();
  world.mesh.down.add('b');
  expect(await d.acquire(wish(slab, 0))).toMatchObject({ kind: 'held', from: 'a', arriving: true });
  // And not tried again for the next one.
  await d.acquire(wish(slab, 1));
  expect(world.mesh.calls.filter(({ from, to, call }) => from === 'd' && to === 'b' && call === 'acquire').length).toBe(
    1,
  );
  world.close();
});

test('what one report says of pieces arrives as it was said, at whoever decides or at all who may have to', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('b', 'c');
  const proof = { root: rootOf(1), readerKeys: ['key'] };
  const pieces = [
    { piece: 0, source: 'origin', bytes: 7, waiting: true, proof },
    { piece: 1, source: 'd', bytes: 1 << 30, waiting: false },
    { piece: 255, source: 'origin', bytes: 0, waiting: false },
  ];
  const { client, background } = world.member('a');
  const known = (id: string) =>
    [...(world.member(id).tracker.find(slab.key)?.allReceivers() ?? [])].map(
      ([piece, { member, source, bytes, waiting }]) => ({ member, piece, source, bytes, waiting }),
    );
  const said = pieces.map(({ piece, source, bytes, waiting }) => ({ member: 'a', piece, source, bytes, waiting }));
  client.progress([{ slab, pieces }], () => undefined, 'first');
  await background.close();
  expect([known('b'), known('c')]).toEqual([said, []]);
  client.progress([{ slab, pieces }], () => undefined, 'all');
  await background.close();
  expect([known('b'), known('c')]).toEqual([said, said]);
  expect(parseProgress(writeProgress([{ slab: wire(slab), pieces }])).slabs).toMatchObject([{ pieces }]);
  world.close();
});

test('a report of a source that is not listed is refused', () => {
  const slab = { key: `${'0'.repeat(40)}.4096.1`, ownerKey: 'owner', pieces: 8 };
  const slabs = [{ slab, sources: ['origin'], pieces: [[0, 1, 7, 0]] }];
  expect(() => parseProgress({ slabs })).toThrow(MeshError);
  expect(() => parseProgress({ slabs: [{ slab, sources: ['origin'], pieces: [[0, 0, 7, 2]] }] })).toThrow(MeshError);
});

test('what a dying owner has not decided is asked of the next', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('b', 'c');
  world.member('b').tracker.acquire({ slab, pieces: [7], avoid: [] }, world.member('d').self, () => undefined);
  const [first, second] = [0, 1].map((piece) => world.member('a').client.acquire(wish(slab, piece)));
  expect(await first).toMatchObject({ kind: 'leased', piece: 0 });
  world.mesh.down.add('b');
  world.member('b').service.close();
  expect(await second).toMatchObject({ kind: 'leased', piece: 1 });
  expect(world.mesh.count('acquire', 'c')).toBe(1);
  world.close();
});

test('where no owner answers the gateway is alone', async () => {
  const world = new TrackingWorld(['b', 'c']);
  const slab = world.slabOwnedBy('b', 'c');
  const { client } = world.start('a');
  world.mesh.down.add('b');
  world.mesh.down.add('c');
  expect(await client.acquire(wish(slab, 0))).toBe('alone');
  world.close();
});

test('those who reach neither owner find each other at the next in rank', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd', 'e']);
  const slab = world.slabOwnedBy('b', 'c');
  world.mesh.down.add('b');
  world.mesh.down.add('c');
  const [a, d] = [world.member('a').client, world.member('d').client];
  expect(await a.acquire(wish(slab, 0))).toMatchObject({ kind: 'leased' });
  expect(await d.acquire(wish(slab, 0))).toMatchObject({ kind: 'held', from: 'a' });
  world.close();
});

test('whoever has left is let go at once, though others of the same call still wait', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('b');
  world.member('b').tracker.acquire({ slab, pieces: [7], avoid: [] }, world.member('c').self, () => undefined);
  const leaving = new AbortController();
  const { client } = world.member('a');
  const [first, second, third] = [0, 1, 2].map((piece) =>
    client.acquire(wish(slab, piece, { signal: piece === 1 ? leaving.signal : signal })),
  );
  expect(await first).toMatchObject({ kind: 'leased' });
  leaving.abort();
  expect(await second).toBe('alone');
  // What is decided for it later is given back.
  world.member('b').tracker.announce(slab, world.member('a').self, [{ piece: 0, root: rootOf(0) }]);
  expect(await third).toMatchObject({ kind: 'leased', piece: 2 });
  await told(world);
  expect(world.member('b').tracker.find(slab.key)?.receivers(1)).toBeUndefined();
  world.close();
});

test("a caller's own deadline is not taken for its owner's silence", async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('b');
  world.mesh.hung.add('b');
  const { client } = world.member('a');
  expect(await client.acquire(wish(slab, 0, { signal: AbortSignal.timeout(5) }))).toBe('alone');
  await turn();
  world.mesh.hung.clear();
  expect(await client.acquire(wish(slab, 0))).toMatchObject({ kind: 'leased' });
  expect(world.mesh.count('acquire', 'b')).toBe(2);
  world.close();
});

test('both owners hear what is held, in as few calls as it takes', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('b', 'c');
  for (let piece = 0; piece < 256; piece += 1) {
    world.member('a').client.tell(slab, { held: [{ piece, root: rootOf(piece) }] });
  }
  await told(world);
  expect(world.mesh.count('announce', 'b')).toBe(1);
  for (const owner of ['b', 'c'])
    expect(world.member(owner).tracker.find(slab.key)?.holders.get('a')?.isFull).toBe(true);
  world.close();
});

test('more than one call may carry is told in several', async () => {
  const world = new TrackingWorld(['a', 'b']);
  const slabs = Array.from({ length: 600 }, (_, index) => {
    const key = `${'2'.repeat(40)}.4096.${index}`;
    return { key, ownerKey: key, first: 0, pieces: 256 };
  });
  for (const slab of slabs) world.member('a').client.tell(slab, { held: [{ piece: 0, root: rootOf(0) }] });
  await told(world);
  const { tracker } = world.member('b');
  expect(world.errors).toEqual([]);
  expect(slabs.filter(({ key }) => tracker.knows(key)).length).toBe(100);
  expect(world.mesh.count('announce', 'b')).toBe(3);
  world.close();
});

test('what is told of one piece keeps its order', async () => {
  const world = new TrackingWorld(['a', 'b']);
  const slab = world.slabOwnedBy('b');
  const { client } = world.member('a');
  client.tell(slab, { held: [{ piece: 0, root: rootOf(0) }] });
  client.tell(slab, { dropped: [0] });
  client.tell(slab, { held: [{ piece: 1, root: rootOf(1) }] });
  client.tell(slab, { held: [{ piece: 0, root: rootOf(0) }] });
  await told(world);
  const state = world.member('b').tracker.find(slab.key);
  expect([...(state?.holders.get('a') ?? [])]).toEqual([0, 1]);
  world.close();
});

test('who leaves is not counted on by anybody any longer', async () => {
  const world = new TrackingWorld(['a', 'b', 'c']);
  const slab = world.slabOwnedBy('b');
  world.member('a').client.tell(slab, { held: [{ piece: 0, root: rootOf(0) }] });
  await world.member('a').client.leave(signal);
  expect(await world.member('c').client.acquire(wish(slab, 0))).toMatchObject({ kind: 'leased' });
  world.close();
});

test('who was waited for in vain is not waited for again by the next owner', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('b', 'c');
  world.mesh.hung.add('b');
  const { client, calls } = world.member('a');
  calls.note('b', new DOMException('b says nothing.', 'TimeoutError'));
  expect(await client.acquire(wish(slab, 0))).toMatchObject({ kind: 'leased' });
  expect(world.mesh.count('peek', 'b')).toBe(0);
  world.close();
});

test('an owner that could not be reached hears what is held when it can be again', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('b', 'c');
  world.mesh.down.add('b');
  world.member('a').client.tell(slab, { held: [{ piece: 0, root: rootOf(0) }], dropped: [1] });
  await told(world);
  // From now on the third in rank knows in its place.
  const third = world.member(world.ownersOf(slab)[2] ?? '').tracker;
  expect(third.find(slab.key)?.holds('a', 0)).toBeUndefined();
  world.member('a').client.tell(slab, { held: [{ piece: 1, root: rootOf(1) }] });
  await told(world);
  expect(third.find(slab.key)?.holds('a', 1)).toBe(true);
  world.mesh.down.clear();
  await expect.poll(() => world.member('b').tracker.find(slab.key)?.holders.get('a')?.count).toBe(2);
  world.close();
});

test('an owner that does not answer is told by one call at a time, so that what is read for it is not sent for again', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('b', 'c');
  const { client, calls } = world.member('a');
  const report = () =>
    client.progress(
      [{ slab, pieces: [{ piece: 0, source: 'origin', bytes: 1, waiting: false }] }],
      () => undefined,
      'all',
    );
  world.mesh.hung.add('b');
  calls.note('b', new DOMException('b says nothing.', 'TimeoutError'));
  for (let time = 0; time < 3; time += 1) report();
  expect(world.mesh.count('progress', 'b')).toBe(1);
  world.mesh.hung.clear();
  await expect
    .poll(() => {
      report();
      return world.member('b').tracker.find(slab.key)?.receivers(0)?.get('a')?.source;
    })
    .toBe('origin');
  expect(calls.isDown('b')).toBe(false);
  world.close();
});
