// What is different for a tracker where the slab is a zone's: its leases are to bring pieces in, not to read the origin.
import { expect, test } from 'vitest';
import { zoneKey, zoneSlab } from '../../../src/mesh/slab.ts';
import type { Decision, Proof } from '../../../src/mesh/tracker/slab-state.ts';
import type { Decided } from '../../../src/mesh/tracker/tracker-wire.ts';
import { rootOf, TrackerWorld } from '../../support/tracker-world.ts';
import { TrackingWorld } from '../../support/tracking-world.ts';

const { signal } = new AbortController();

class ZoneTracker extends TrackerWorld {
  override readonly slab = zoneSlab({ key: `${'0'.repeat(40)}.1.0`, ownerKey: '', pieces: 256 }, zoneKey('a'));

  /** It brings the piece in, from wherever, proved by this. */
  brings(id: string, piece: number, proof: Proof): void {
    const report = { piece, source: 'origin', bytes: 1, waiting: false, proof };
    this.tracker.progress(this.slab, this.member(id), [report]);
  }
}

function proofs(decided: ReadonlyMap<number, Decision>): unknown[] {
  return [...decided.values()].map((decision) => decision.kind === 'held' && decision.proof);
}

test('one gateway of a zone gets the lease, and the others wait until it says by what the piece is proved', () => {
  const world = new ZoneTracker();
  expect(world.askOne('a', 0)).toEqual({ kind: 'leased' });
  const { decided } = world.ask('b', [0]);
  world.progress('a', 0, 0);
  world.pass(500, () => world.progress('a', 0, 0));
  expect(decided.size).toBe(0);
  world.brings('a', 0, { readerKeys: ['the reader’s'] });
  expect(decided.get(0)).toMatchObject({ from: 'a', arriving: true });
  expect(proofs(decided)).toEqual([{ root: undefined, readerKeys: ['the reader’s'] }]);
});

test('all who have read it from the origin are named, and its root as soon as that is known', () => {
  const world = new ZoneTracker();
  world.askOne('a', 0);
  world.brings('a', 0, { readerKeys: ['one'] });
  world.brings('a', 0, { readerKeys: ['two', 'one'] });
  expect(proofs(world.ask('b', [0]).decided)).toEqual([{ root: undefined, readerKeys: ['two', 'one'] }]);
  world.brings('a', 0, { root: rootOf(0), readerKeys: [] });
  expect(proofs(world.ask('c', [0]).decided)).toEqual([{ root: rootOf(0), readerKeys: ['two', 'one'] }]);
});

test('only who brings a piece into a zone says by what it is proved', () => {
  const world = new ZoneTracker();
  world.askOne('a', 0);
  world.brings('a', 0, { readerKeys: ['right'] });
  world.ask('b', [0]);
  const lie = { piece: 0, source: 'a', bytes: 1, waiting: false, proof: { readerKeys: ['wrong'] } };
  world.tracker.progress(world.slab, world.member('b'), [lie]);
  expect(proofs(world.ask('c', [0]).decided)).toEqual([{ root: undefined, readerKeys: ['right'] }]);

  const mesh = new TrackerWorld();
  mesh.askOne('a', 0);
  const report = { piece: 0, source: 'origin', bytes: 1, waiting: false, proof: { readerKeys: ['another'] } };
  mesh.tracker.progress(mesh.slab, mesh.member('a'), [report]);
  expect(proofs(mesh.ask('b', [0]).decided)).toEqual([{ root: undefined, readerKeys: ['key of a'] }]);
});

test("a zone's lease goes as any lease does, and what was said of the piece with the last who gets it", () => {
  const world = new ZoneTracker();
  world.askOne('a', 0);
  world.brings('a', 0, { readerKeys: ['old'] });
  world.pass(2_000);
  expect(world.suspected).toEqual(['a']);
  world.tracker.gone('a');
  expect(world.askOne('b', 0)).toEqual({ kind: 'leased' });
  expect(world.tracker.find(world.slab.key)?.brought(0)).toBeUndefined();
});

test('the first few who hold a piece of a zone speak for it, also when they say it again', () => {
  const world = new ZoneTracker();
  for (const id of ['a', 'b', 'c', 'd', 'e']) world.announce(id, [0]);
  const speakers = () => ['a', 'b', 'c', 'd', 'e'].filter((id) => world.tracker.find(world.slab.key)?.speaksFor(id, 0));
  expect(speakers()).toEqual(['a', 'b', 'c']);
  world.tracker.withdraw(world.slab.key, 'b', [0]);
  expect(speakers()).toEqual(['a', 'c', 'd']);
  const mesh = new TrackerWorld();
  mesh.announce('a', [0]);
  expect(mesh.tracker.find(mesh.slab.key)?.speaksFor('a', 0)).toBe(false);
});

test("what a gateway says to its zone it tells the mesh's trackers too, when it is one of the few", async () => {
  const zones: Readonly<Record<string, string>> = { a: 'near', b: 'near', c: 'far', d: 'far' };
  const world = new TrackingWorld(Object.keys(zones), (id) => zones[id]);
  const slab = world.slabOwnedBy('c');
  world.member('a').client.tell(zoneSlab(slab, zoneKey('near')), { held: [{ piece: 5, root: rootOf(5), bytes: 1 }] });
  await expect.poll(() => world.member('c').tracker.find(slab.key)?.holds('a', 5)).toBe(true);
  expect(world.errors).toEqual([]);
  world.close();
});

test('another tracker of the zone learns by what a piece is proved that is on its way', async () => {
  const world = new TrackingWorld(['a', 'b', 'c', 'd'], () => 'near');
  const slab = zoneSlab({ ...world.slabOwnedBy('a') }, zoneKey('near'));
  const [first, second, third] = world.ownersOf(slab).map((id) => world.member(id));
  if (first === undefined || second === undefined || third === undefined) throw new Error('Too few.');
  const { key, ownerKey, pieces } = slab;
  const ofWire = { key, ownerKey, pieces };
  const proof = { readerKeys: ['the reader’s'] };
  const report = { piece: 0, source: 'origin', bytes: 1, waiting: false, proof };
  first.service.progress({ slabs: [{ slab: ofWire, pieces: [report] }] }, third.self);
  const lines = second.service.acquire({ slab: ofWire, pieces: [0], avoid: [] }, first.self, signal);
  const { value } = await lines.next();
  expect((value as Decided & { kind: 'held' }).proof.readerKeys).toEqual(['the reader’s']);
  expect(value).toMatchObject({ kind: 'held', from: third.self.id, arriving: true });
  await lines.return();
  world.close();
});
