// What a mesh of processes does when its gateways die, hang, lose what they hold or disagree: nobody reads a wrong byte,
// and the origin gives no more than what was lost.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AS_DELIVERED, type MeshGateway, MeshGateways } from '../support/mesh-gateways.ts';

const MIB = 1024 * 1024;
const PIECES = 16;
const SIZE = PIECES * MIB;
/** Leases that one gateway has at once (mesh.leases). */
const LEASES = 4;
/** So that a herd is under way for seconds. */
const SLOW = 8 * MIB;

test('the tracker is killed while a herd reads: at most a quarter leaves the origin again', {
  timeout: 60_000,
}, async () => {
  await using mesh = await MeshGateways.start({ count: 4 });
  const { ratio } = await herdWithout(mesh, mesh.ownersOf('k')[0]);
  expect(ratio).toBeGreaterThanOrEqual(1);
  expect(ratio).toBeLessThanOrEqual(1.25);
});

test('who reads the origin is killed while a herd reads: at most its leases leave the origin again', {
  timeout: 60_000,
}, async () => {
  await using mesh = await MeshGateways.start({ count: 4 });
  const [victim] = mesh.othersThan(...mesh.ownersOf('k'));
  if (victim === undefined) throw new Error('Everybody owns it.');
  const { ratio, readByVictim } = await herdWithout(mesh, victim);
  expect(readByVictim).toBeGreaterThan(MIB / 2);
  expect(ratio).toBeLessThanOrEqual(1 + LEASES / PIECES);
});

/** All read at once, and this one is killed when a third has left the origin. */
async function herdWithout(mesh: MeshGateways, victim: MeshGateway): Promise<{ ratio: number; readByVictim: number }> {
  const { origin } = mesh;
  const bytes = await origin.set('k', SIZE);
  await mesh.settled('k');
  origin.bytesPerSecond = SLOW;
  const survivors = mesh.othersThan(victim);
  const doomed = victim.get('k').catch(() => undefined);
  const reads = survivors.map((gateway) => gateway.get('k'));
  await origin.given(SIZE / 3);
  const readByVictim = await victim.metric('dfstore_origin_read_bytes_total');
  await victim.kill();
  await doomed;
  for (const { status, cut, body } of await Promise.all(reads)) {
    expect({ status, cut }).toEqual({ status: 200, cut: false });
    expect(body.equals(bytes)).toBe(true);
  }
  return { ratio: origin.bodyBytes / SIZE, readByVictim };
}

test('the tracker hangs: no read stalls over a second, cold or cached, and each byte leaves the origin once', {
  timeout: 60_000,
  // This machine does other things too.
  retry: 2,
}, async () => {
  await using mesh = await MeshGateways.start({ count: 4, mesh: AS_DELIVERED });
  const { origin } = mesh;
  const bytes = await origin.set('k', SIZE);
  const [tracker] = mesh.ownersOf('k');
  const others = mesh.othersThan(tracker);
  await mesh.settled('k');
  tracker.hang();
  try {
    for (const round of ['cold', 'cached']) {
      const reads = await Promise.all(others.map((gateway) => gateway.get('k')));
      for (const { status, cut, body, longestSilenceMs } of reads) {
        expect({ round, status, cut }).toEqual({ round, status: 200, cut: false });
        expect(body.equals(bytes)).toBe(true);
        expect(longestSilenceMs).toBeLessThan(1_000);
      }
    }
    expect(origin.bodyBytes / SIZE).toBe(1);
  } finally {
    tracker.goOn();
  }
});

test('holders lose what they held, and a tracker comes back with nothing: what one still holds leaves no origin again', {
  timeout: 60_000,
}, async () => {
  await using mesh = await MeshGateways.start({ count: 4, cache: { memory: 0 } });
  const { origin } = mesh;
  const bytes = await origin.set('k', SIZE);
  const [tracker, second] = mesh.ownersOf('k');
  const [holder, late] = mesh.othersThan(tracker, second);
  if (holder === undefined || late === undefined) throw new Error('Four gateways are needed.');
  await mesh.settled('k');
  for (const gateway of [tracker, second, holder]) expect((await gateway.get('k')).body.equals(bytes)).toBe(true);
  expect(origin.bodyBytes / SIZE).toBe(1);
  // Behind their backs: they still tell that they hold it.
  for (const gateway of [tracker, second]) await rm(join(gateway.home, 'data', 'cache'), { recursive: true });
  origin.reset();
  expect((await late.get('k')).body.equals(bytes)).toBe(true);
  expect(origin.bodyBytes / SIZE).toBe(0);

  // What its name stands for is asked once by somebody who still has the bytes; no body comes with that answer.
  await tracker.kill();
  await tracker.wipe();
  await tracker.start();
  await mesh.settled('k');
  expect((await late.get('k')).status).toBe(200);
  expect((await tracker.get('k')).body.equals(bytes)).toBe(true);
  expect(origin.bodyBytes / SIZE).toBe(0);
});

test('halves with lists of their own read each byte once each, and once they have one list nobody reads it again', {
  timeout: 60_000,
}, async () => {
  const half = (index: number) => (index < 2 ? [0, 2] : [2, 4]);
  await using mesh = await MeshGateways.start({
    count: 4,
    meshOf: (index, ids) => ({ members: { static: ids.slice(...half(index)) } }),
  });
  const { origin } = mesh;
  const bytes = await origin.set('k', SIZE);
  const [a, b, c, d] = [mesh.at(0), mesh.at(1), mesh.at(2), mesh.at(3)];
  for (const pair of [
    [a, b],
    [b, a],
    [c, d],
    [d, c],
  ] as const)
    await mesh.settledBetween(...pair);
  origin.reset();
  const reads = await Promise.all(mesh.all.map((gateway) => gateway.get('k')));
  for (const { body } of reads) expect(body.equals(bytes)).toBe(true);
  expect(origin.bodyBytes / SIZE).toBe(2);
  // Who is killed keeps what is on its shelf, and that comes after what it answers.
  for (const gateway of mesh.all) {
    await expect.poll(async () => (await gateway.holders('k')).get(gateway.id)).toBe(PIECES);
  }

  const members = { static: mesh.all.map(({ id }) => id) };
  await Promise.all(mesh.all.map((gateway) => gateway.kill()));
  await mesh.at(3).wipe();
  await Promise.all(mesh.all.map((gateway) => gateway.start({ mesh: { members } })));
  await mesh.settled('k');
  // What lies on shelves is told again in the background.
  await expect.poll(async () => (await c.holders('k')).get(a.id)).toBe(PIECES);
  // By somebody who has the bytes, the origin is asked whether they are still the same: no body comes with that answer.
  expect((await mesh.at(0).get('k')).status).toBe(200);
  expect((await mesh.at(3).get('k')).body.equals(bytes)).toBe(true);
  expect(origin.bodyBytes / SIZE).toBe(0);
});
