// Which copies of pieces a tracker lets go.
import { expect, test } from 'vitest';
import { SpareCalls } from '../../../src/mesh/spare-calls.ts';
import { testVersion } from '../../support/piece-content.ts';
import { TrackerWorld } from '../../support/tracker-world.ts';
import { TrackingWorld } from '../../support/tracking-world.ts';

test('of all who hold a piece and ask, one keeps it', () => {
  const world = new TrackerWorld();
  const ids = ['a', 'b', 'c'];
  for (const id of ids) world.announce(id, [0, 1]);
  const spare = (id: string) => world.tracker.spare(world.slab.key, world.member(id), [0]);
  expect(ids.map(spare)).toEqual([[0], [0], []]);
  expect(ids.map(spare)).toEqual([[0], [0], []]);
  expect(world.askOne('reader', 0)).toMatchObject({ from: 'c' });
  expect(world.tracker.find(world.slab.key)?.holds('a', 1)).toBe(true);
});

test('whoever held it and told so again counts again', () => {
  const world = new TrackerWorld();
  for (const id of ['a', 'b']) world.announce(id, [0]);
  expect(world.tracker.spare(world.slab.key, world.member('a'), [0])).toEqual([0]);
  world.announce('a', [0]);
  expect(world.tracker.spare(world.slab.key, world.member('b'), [0])).toEqual([0]);
});

test('who is gone, or under suspicion, is no other holder', () => {
  const world = new TrackerWorld();
  for (const id of ['a', 'b', 'c']) world.announce(id, [0]);
  world.tracker.gone('b');
  world.tracker.complain(world.slab.key, world.member('d'), 'c', 0, 'unreachable');
  expect(world.tracker.spare(world.slab.key, world.member('a'), [0])).toEqual([]);
  world.tracker.cleared('c');
  expect(world.tracker.spare(world.slab.key, world.member('a'), [0])).toEqual([0]);
});

test('the first owner of a slab decides, the second is told; without an answer nothing is spare', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd']);
  const slab = world.slabOwnedBy('a', 'b');
  const held = [{ piece: 3, root: '0'.repeat(64) }];
  const wire = { key: slab.key, ownerKey: slab.ownerKey, pieces: slab.pieces };
  for (const tracker of ['a', 'b']) {
    for (const holder of ['c', 'd']) {
      world.member(tracker).service.tell({ slabs: [{ slab: wire, held }] }, world.member(holder).self);
    }
  }
  const piece = { version: testVersion('k', 4096 * 256 * 4096, 4096), index: slab.first + 3 };
  const askAs = (id: string) => {
    const { self, client: trackers, service: local } = world.member(id);
    const calls = { note: () => undefined, answered: () => undefined };
    const client = world.mesh.client(self);
    const asking = new SpareCalls({ self, client, local, trackers, calls }, { patienceMs: 1_000 });
    return asking.ask([{ piece, slab }], new AbortController().signal);
  };
  world.mesh.down.add('a');
  expect(await askAs('c')).toEqual([]);
  world.mesh.down.delete('a');
  expect(await askAs('c')).toEqual([piece]);
  expect(await askAs('d')).toEqual([]);
  await expect.poll(() => world.member('b').tracker.find(slab.key)?.holds('c', 3)).toBe(false);
  world.close();
});
