// What crosses the border of a zone, where zones keep track of their pieces themselves (mesh.zoneLevel): each byte leaves
// the origin once, and comes into each further zone once, however many gateways there ask for it.
import { expect, test } from 'vitest';
import { nameKey, zoneKey, zoneSlab } from '../../src/mesh/slab.ts';
import { slabOwners, TrackerView } from '../../src/mesh/slab-owners.ts';
import { AS_DELIVERED, type MeshGateway, MeshGateways } from '../support/mesh-gateways.ts';
import { BUCKET, ORIGIN } from '../support/mesh-origin.ts';

const MIB = 1024 * 1024;
const SIZE = 16 * MIB;
const SMALL = 10 * 1024;
const ZONES = ['a', 'b'];

/** Each gives one piece at once: without the zone's rules most would come from wherever there is room. */
function startInZones(mesh = {}): Promise<MeshGateways> {
  return MeshGateways.start({
    count: 6,
    mesh: { uploadSlots: 1, ...mesh },
    meshOf: (index) => ({ zone: ZONES[index % ZONES.length], zoneLevel: 'on' }),
  });
}

/** Those that a zone asks about the first pieces of an object, the first first. */
function zoneOwners(mesh: MeshGateways, zone: string, key: string): MeshGateway[] {
  const ids = mesh.all.map(({ id }) => id);
  const view = new TrackerView(ids, (id) => ZONES[ids.indexOf(id) % ZONES.length]);
  const ofMesh = { key, ownerKey: nameKey({ origin: ORIGIN, bucket: BUCKET, key }) };
  return slabOwners(zoneSlab(ofMesh, zoneKey(zone)), view).flatMap((id) => mesh.all.filter((each) => each.id === id));
}

/** An object, and who is asked first about it in a zone; not one that answers for its name, which is another story. */
function keyWithTracker(mesh: MeshGateways): { key: string; tracker: MeshGateway } {
  for (let index = 0; ; index += 1) {
    const key = `object-${index}`;
    for (const zone of ZONES) {
      const [tracker] = zoneOwners(mesh, zone, key);
      if (tracker !== undefined && !mesh.ownersOf(key).includes(tracker)) return { key, tracker };
    }
  }
}

async function crossedBytes(gateways: readonly MeshGateway[]): Promise<number> {
  const counts = await Promise.all(gateways.map((gateway) => gateway.metric('dfstore_peer_far_read_bytes_total')));
  return counts.reduce((sum, bytes) => sum + bytes, 0);
}

/** All of these at once, each right. Answers the longest time for which one of them got nothing. */
async function readAll(gateways: readonly MeshGateway[], key: string, bytes: Buffer): Promise<number> {
  const reads = await Promise.all(gateways.map((gateway) => gateway.get(key)));
  for (const { status, cut, body } of reads) {
    expect({ status, cut }).toEqual({ status: 200, cut: false });
    expect(body.equals(bytes)).toBe(true);
  }
  return Math.max(...reads.map(({ longestSilenceMs }) => longestSilenceMs));
}

test('two zones: each byte leaves the origin once and crosses once, also after a tracker of a zone was killed', {
  timeout: 90_000,
}, async () => {
  await using mesh = await startInZones();
  const { origin } = mesh;
  const first = await origin.set('first', SIZE);
  const { key, tracker } = keyWithTracker(mesh);
  const second = await origin.set(key, SIZE);
  const small = await origin.set('small', SMALL);
  await mesh.settled('first', key, 'small');
  await readAll(mesh.all, 'small', small);
  expect({ requests: origin.requests, bodyBytes: origin.bodyBytes }).toEqual({ requests: 1, bodyBytes: SMALL });
  origin.reset();
  await readAll(mesh.all, 'first', first);
  const crossed = (await crossedBytes(mesh.all)) - SMALL;
  expect({ origin: origin.bodyBytes / SIZE, crossed: crossed / SIZE }).toEqual({ origin: 1, crossed: 1 });

  const left = mesh.othersThan(tracker);
  const before = await crossedBytes(left);
  await tracker.kill();
  origin.reset();
  await readAll(left, key, second);
  const again = (await crossedBytes(left)) - before;
  expect({ origin: origin.bodyBytes / SIZE, crossed: again / SIZE }).toEqual({ origin: 1, crossed: 1 });
});

test('the first tracker of a zone hangs: no read stalls over a second, and each byte leaves the origin once', {
  timeout: 90_000,
  // This machine does other things too.
  retry: 2,
}, async () => {
  await using mesh = await startInZones({ ...AS_DELIVERED, uploadSlots: 32 });
  const { origin } = mesh;
  const { key, tracker } = keyWithTracker(mesh);
  const bytes = await origin.set(key, SIZE);
  await mesh.settled(key);
  tracker.hang();
  try {
    expect(await readAll(mesh.othersThan(tracker), key, bytes)).toBeLessThan(1_000);
    expect(origin.bodyBytes / SIZE).toBe(1);
  } finally {
    tracker.goOn();
  }
});
