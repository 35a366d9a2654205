// Small runs of the simulation (npm run sim): the product's tracker and rendezvous on a virtual clock.
import { expect, test } from 'vitest';
import {
  crash,
  crowd,
  DEFAULTS,
  type Outcome,
  readings,
  rollingRestart,
  type Scenario,
  simulate,
  some,
} from '../../bench/sim/scenarios.ts';

const MINUTE = 60_000;

function run(settings: Scenario['settings'], plan: Scenario['plan'], peers = 200): Promise<Outcome> {
  return simulate({ name: 'small', peers, settings: { trackers: 16, pieces: 4, ...settings }, plan }, 7);
}

test('two hundred cold gateways read each piece from the origin once', async () => {
  const outcome = await run({ pieces: 16 }, (world) => crowd(world, 200));
  expect(outcome).toMatchObject({ distinctPieces: 16, originReads: 16, finished: 200, lost: 0 });
});

test('with zones first each piece is read once and crosses each border once', async () => {
  const settings = { trackers: 80, zones: 5, levels: 2 as const };
  const outcome = await run(settings, (world) => crowd(world, 200), 400);
  expect(outcome).toMatchObject({ originReads: 4, crossedZones: 4 * 4, finished: 400, lost: 0 });
});

test('a rolling restart of all trackers costs no more than 5 % of the origin reads, and nobody waits in vain', async () => {
  const settings = { objects: 50, pieces: 2, staleMs: 2_000, reannounces: false };
  const outcome = await run(settings, (world) => {
    rollingRestart(world, { everyMs: 6_000, downMs: 3_000, finding: false });
    return readings(world, 2_500, 2 * MINUTE);
  });
  expect(outcome.lost).toBe(0);
  expect(outcome.originReads / outcome.distinctPieces).toBeLessThanOrEqual(1.05);
});

test('nobody waits in vain when a tenth of the members crash amid a crowd', async () => {
  const network = { ...DEFAULTS.network, originBytesPerMs: 50_000 };
  const outcome = await run({ pieces: 32, network }, (world) => {
    crash(world, some(world, 0.1), 500, (id) => (id.length % 2 === 0 ? 'silent' : 'refused'), 5_000);
    return crowd(world, 400);
  });
  expect(outcome.lost).toBe(0);
  expect(outcome.originReads).toBeLessThanOrEqual(32 + 20 * 4);
});

test('however slow the origin is, each piece is read from it once', async () => {
  const network = { ...DEFAULTS.network, originFirstByteMs: 20_000, originBytesPerMs: 2_000 };
  const outcome = await run({ network }, (world) => crowd(world, 1_000));
  expect(outcome).toMatchObject({ originReads: 4, finished: 200, lost: 0 });
});

test('over many objects no tracker has twice the calls of the others', async () => {
  const settings = { objects: 1_000, pieces: 1 };
  const outcome = await run(settings, (world) => readings(world, 2_000, MINUTE));
  expect(outcome).toMatchObject({ lost: 0, finished: 2_000 });
  expect(outcome.originReads).toBe(outcome.distinctPieces);
  expect(outcome.busiest).toBeLessThan(2);
});

test('the same seed gives the same run', async () => {
  const one = () => run({}, (world) => crowd(world, 200));
  const { tookMs: _, ...first } = await one();
  const { tookMs: __, ...second } = await one();
  expect(second).toEqual(first);
});

test('a zone that is lost takes nothing with it of which others hold the pieces', async () => {
  const settings = { trackers: 24, zones: 3, objects: 50, pieces: 2 };
  const outcome = await run(settings, (world) => {
    const gone = world.ids.filter((id) => world.peer(id).zone === 'z1');
    crash(world, gone, MINUTE, () => 'silent', 15_000);
    return readings(world, 4_000, 2 * MINUTE);
  });
  expect(outcome).toMatchObject({ distinctPieces: 100, originReads: 100, lost: 0 });
});
