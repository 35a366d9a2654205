// Gateways that ask their zone first: what leaves the origin, what crosses borders, and who hears of it.
import { expect, test } from 'vitest';
import { PieceLocator } from '../../src/mesh/piece-locator.ts';
import { nameKey, type Slab, slabOf, zoneKey, zoneSlab } from '../../src/mesh/slab.ts';
import { slabOwners, TrackerView } from '../../src/mesh/slab-owners.ts';
import { BLOCK, BLOCKS, CONTENT, PIECE, pushBlocks } from '../support/exchange-world.ts';
import { readAll, shelve } from '../support/piece-content.ts';
import { type ZonedGateway, type ZonedPlace, ZonedWorld } from '../support/zoned-world.ts';

const { signal } = new AbortController();
const SLAB = slabOf(PIECE, BLOCK);

function placesOf(zones: readonly string[], each: number, more: Omit<ZonedPlace, 'id'> = {}): ZonedPlace[] {
  return zones.flatMap((zone) =>
    Array.from({ length: each }, (_, index) => ({ id: `${zone}${index}:1`, zone, ...more })),
  );
}

/** Who answers for the piece in this zone. */
function zoneOwners(world: ZonedWorld, zone: string): readonly string[] {
  return slabOwners(zoneSlab(SLAB, zoneKey(zone)), new TrackerView(world.trackers, (id) => world.about(id)?.zone));
}

async function expectRight(gateways: readonly ZonedGateway[]): Promise<void> {
  for (const { store } of gateways) expect(await readAll(store, PIECE)).toEqual(CONTENT);
}

async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { timeout: 10_000, interval: 5 }).toBe(true);
}

/** Those who hold the piece by the word of this slab's trackers. */
async function holdersOf(by: ZonedGateway, slab: Slab): Promise<Set<string>> {
  const answers = await by.pieces.trackers.peek(slab, signal);
  return new Set(answers.flatMap(({ rows }) => rows.map(({ member }) => member)));
}

/** Until the trackers have heard that all of these hold it. */
async function known(holders: readonly ZonedGateway[], slab: Slab): Promise<void> {
  const [by] = holders;
  const ids = holders.map(({ self }) => self.id).toSorted();
  await expect
    .poll(async () => by && [...(await holdersOf(by, slab))].toSorted(), { timeout: 10_000, interval: 5 })
    .toEqual(ids);
}

const inZone = (zone: string) => zoneSlab(SLAB, zoneKey(zone));

test('three zones, cold: the piece leaves the origin once and comes into each further zone once', async () => {
  const world = new ZonedWorld(placesOf(['a', 'b', 'c'], 5, { options: { uploadSlots: 2 } }));
  await Promise.all(world.all.map((gateway) => gateway.read()));
  await expectRight(world.all);
  expect({ originReads: world.originReads, crossings: world.crossings }).toEqual({ originReads: 1, crossings: 2 });
  expect(world.errors).toEqual([]);
  await world.close();
});

test('while it still arrives from the origin, a piece is passed on through another zone, proved by who reads it', async () => {
  const world = new ZonedWorld(placesOf(['a', 'b'], 3));
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  world.origin = async (_, feed, first) => {
    world.originReads += 1;
    feed.from('origin');
    await pushBlocks(feed, first, 2);
    await held;
    await pushBlocks(feed, 2, BLOCKS);
  };
  const reads = world.all.map((gateway) => gateway.read());
  await until(() => world.all.every(({ store }) => store.blocks(PIECE).has(1)));
  expect(world.all.some(({ store }) => store.blocks(PIECE).has(2))).toBe(false);
  goOn();
  await Promise.all(reads);
  await expectRight(world.all);
  expect({ originReads: world.originReads, crossings: world.crossings }).toEqual({ originReads: 1, crossings: 1 });
  await world.close();
});

test('who brings it into the zone fails half way: another brings the rest', async () => {
  const world = new ZonedWorld(placesOf(['a', 'b'], 3));
  let fail: (error: Error) => void = () => undefined;
  const broken = new Promise<void>((_, reject) => {
    fail = reject;
  });
  world.origin = async (_, feed, first) => {
    world.originReads += 1;
    feed.from('origin');
    if (world.originReads > 1) return pushBlocks(feed, first, BLOCKS);
    await pushBlocks(feed, first, 2);
    await broken;
  };
  const [reader, ...others] = world.all;
  const failing = expect(reader?.read()).rejects.toThrow('The client has left.');
  await until(() => reader?.store.blocks(PIECE).has(1) === true);
  const reads = others.map((gateway) => gateway.read());
  await until(() => others.every(({ store }) => store.blocks(PIECE).has(1)));
  fail(new Error('The client has left.'));
  await failing;
  await Promise.all(reads);
  await expectRight(others);
  expect(world.originReads).toBe(2);
  await world.close();
});

test('of a zone with many holders the mesh hears of a few, and whoever looks finds all', async () => {
  const world = new ZonedWorld(placesOf(['a', 'b'], 12));
  await Promise.all(world.all.map((gateway) => gateway.read()));
  const at = world.at('a0:1');
  for (const zone of ['a', 'b']) {
    await known(world.in(zone), inZone(zone));
    const speaking = async () => {
      const holders = await holdersOf(at, SLAB);
      return [...holders].filter((id) => world.about(id)?.zone === zone).length;
    };
    await expect.poll(speaking).toBeGreaterThanOrEqual(3);
    // Each of the zone's two trackers has three speak, and who brought it in speaks for itself.
    expect(await speaking()).toBeLessThanOrEqual(7);
  }
  const members = { self: at.self, trackers: () => world.trackers, about: (id: string) => world.about(id) };
  const { trackers, zones } = at.pieces;
  const located = await new PieceLocator({ members, trackers, zones, store: at.store }).locate(PIECE.version, signal);
  expect(located.holders.map(({ id }) => id).toSorted()).toEqual(world.all.map(({ self }) => self.id).toSorted());
  await world.close();
});

test('what was written through one gateway is read in every zone without the origin', async () => {
  const world = new ZonedWorld(placesOf(['a', 'b'], 3));
  const writer = world.at('a1:1');
  await shelve(writer.store, PIECE);
  writer.pieces.directory.announce([PIECE]);
  await known([writer], SLAB);
  await known([writer], inZone('a'));
  const others = world.all.filter((gateway) => gateway !== writer);
  await Promise.all(others.map((gateway) => gateway.read()));
  await expectRight(others);
  expect({ originReads: world.originReads, crossings: world.crossings }).toEqual({ originReads: 0, crossings: 1 });
  await world.close();
});

test('a holder in the zone has lost it: the zone is told, and it comes from another', async () => {
  const world = new ZonedWorld(placesOf(['a', 'b'], 3));
  const [first, second, third] = world.in('a');
  await first?.read();
  await second?.read();
  await known(
    [first, second].filter((holder) => holder !== undefined),
    inZone('a'),
  );
  await first?.store.forget(PIECE);
  await third?.read();
  expect(world.originReads).toBe(1);
  expect(world.crossings).toBe(0);
  await world.close();
});

test('a zone whose trackers are all gone asks the mesh', async () => {
  const peers = placesOf(['b'], 3, { role: 'peer' }).map(({ id, ...place }) => ({ id: `peer ${id}`, ...place }));
  const world = new ZonedWorld([...placesOf(['a', 'b'], 3), ...peers]);
  for (const { self } of world.in('b')) if (self.role === 'tracker') world.mesh.down.add(self.id);
  const readers = world.all.filter(({ self }) => self.zone === 'a' || self.role === 'peer');
  await Promise.all(readers.map((gateway) => gateway.read()));
  await expectRight(readers);
  expect(world.originReads).toBe(1);
  await world.close();
});

test('the first tracker of a zone is gone: the next knows enough', async () => {
  const world = new ZonedWorld(placesOf(['a', 'b'], 5, { options: { uploadSlots: 2 } }));
  const gone = zoneOwners(world, 'b')[0] ?? '';
  world.mesh.down.add(gone);
  const readers = world.all.filter(({ self }) => self.id !== gone);
  await Promise.all(readers.map((gateway) => gateway.read()));
  await expectRight(readers);
  expect({ originReads: world.originReads, crossings: world.crossings }).toEqual({ originReads: 1, crossings: 1 });
  await world.close();
});

test('gateways that do not agree whether to ask the zone first read the origin once all the same', async () => {
  const places = placesOf(['a', 'b'], 4).map((place, index) => ({
    ...place,
    options: { zoneLevel: index % 2 === 0 ? ('on' as const) : ('off' as const) },
  }));
  const world = new ZonedWorld(places);
  await Promise.all(world.all.map((gateway) => gateway.read()));
  await expectRight(world.all);
  expect(world.originReads).toBe(1);
  await world.close();
});

test('few trackers, or all in one zone, or a gateway in no zone: the mesh is asked as ever', async () => {
  const acquired = async (places: readonly ZonedPlace[], by = places[0]?.id ?? '') => {
    const world = new ZonedWorld(places);
    await world.at(by).read();
    await world.close();
    const asked = world.mesh.calls.filter(({ call }) => call === 'acquire').map(({ to }) => to);
    return { asked, world };
  };
  for (const places of [
    placesOf(['a', 'b'], 4, { options: { zoneLevel: 'auto' } }),
    placesOf(['a'], 4),
    [{ id: 'nowhere:1' }, ...placesOf(['a', 'b'], 4)],
  ]) {
    const { asked, world } = await acquired(places);
    const mesh = slabOwners({ key: SLAB.key, ownerKey: nameKey(PIECE.version) }, new TrackerView(world.trackers));
    expect(asked.every((id) => id === mesh[0])).toBe(true);
  }
});
