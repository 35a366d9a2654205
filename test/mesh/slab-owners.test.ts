import fc from 'fast-check';
import { expect, test } from 'vitest';
import { owners } from '../../src/mesh/rendezvous.ts';
import { meshSlab, zoneKey, zoneOfSlab, zoneSlab } from '../../src/mesh/slab.ts';
import { RANKS, slabOwners, TrackerView, ZONE_RANKS } from '../../src/mesh/slab-owners.ts';

const MEMBERS = Array.from({ length: 24 }, (_, index) => `10.0.0.${index}:9002`);
const ZONES = ['a', 'b', 'c'];
const zoneOf = (id: string) => ZONES[MEMBERS.indexOf(id) % ZONES.length];
const slabs = fc.nat().map((index) => slabAt(index));

function slabAt(index: number) {
  const key = `${'0'.repeat(40)}.4096.${index}`;
  return { key, ownerKey: key, first: 256 * index, pieces: 256 };
}

test('the first owner is the one that everybody finds; the second is in another zone', () => {
  const view = new TrackerView(MEMBERS, zoneOf);
  fc.assert(
    fc.property(slabs, (slab) => {
      const ranked = owners(slab.ownerKey, MEMBERS, RANKS);
      const [first, second, ...next] = slabOwners(slab, view);
      expect(first).toBe(ranked[0]);
      const zones = new Set(ranked.map(zoneOf));
      if (zones.size > 1) expect(zoneOf(second ?? '')).not.toBe(zoneOf(first ?? ''));
      expect([first, second, ...next].toSorted()).toEqual(ranked.toSorted());
    }),
  );
});

test('when a whole zone is gone, whoever decides from then on knew the slab', () => {
  const view = new TrackerView(MEMBERS, zoneOf);
  for (let index = 0; index < 500; index += 1) {
    const before = slabOwners(slabAt(index), view).slice(0, 2);
    for (const lost of ZONES) {
      const left = new TrackerView(
        MEMBERS.filter((id) => zoneOf(id) !== lost),
        zoneOf,
      );
      expect(before).toContain(slabOwners(slabAt(index), left)[0]);
    }
  }
});

test('where zones are not known, owners are those of the list', () => {
  fc.assert(
    fc.property(slabs, (slab) => {
      const ranked = owners(slab.ownerKey, MEMBERS, RANKS);
      expect(slabOwners(slab, new TrackerView(MEMBERS))).toEqual(ranked);
      const oneKnown = new TrackerView(MEMBERS, (id) => (id === ranked[0] ? 'a' : undefined));
      expect(slabOwners(slab, oneKnown)).toEqual(ranked);
    }),
  );
});

test('a slab of a zone has its owners among the trackers of that zone', () => {
  const view = new TrackerView(MEMBERS, zoneOf);
  for (const zone of ZONES) {
    const found = slabOwners(zoneSlab(slabAt(7), zoneKey(zone)), view);
    expect(found).toHaveLength(ZONE_RANKS);
    expect(new Set(found.map(zoneOf))).toEqual(new Set([zone]));
  }
  expect(slabOwners(zoneSlab(slabAt(7), zoneKey('elsewhere')), view)).toEqual([]);
});

test("a zone's slab names its zone and the mesh's slab", () => {
  const slab = slabAt(7);
  for (const zone of ['a', 'eu-central-1a/rack 7!', 'ö']) {
    const near = zoneSlab(slab, zoneKey(zone));
    expect(zoneOfSlab(near.key)).toBe(zoneKey(zone));
    expect(near.key).not.toBe(slab.key);
    expect(meshSlab(near)).toEqual(slab);
  }
  expect(zoneOfSlab(slab.key)).toBeUndefined();
  expect(meshSlab(slab)).toEqual(slab);
});

test('views are told apart by their trackers and by where these are', () => {
  const view = new TrackerView(MEMBERS, zoneOf);
  expect(new TrackerView(MEMBERS, zoneOf).hash).toBe(view.hash);
  expect(new TrackerView(MEMBERS).hash).not.toBe(view.hash);
  expect(new TrackerView(MEMBERS.slice(1), zoneOf).hash).not.toBe(view.hash);
});
