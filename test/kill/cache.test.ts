// Twenty kills of the long run (npm run test:kill -- --story cache).
import { expect, test } from 'vitest';
import { cacheKillRounds } from './cache-rounds.ts';

test('a gateway killed at any instant under load comes back clean, serves what it holds, wrong bytes never, and leaks none', {
  timeout: 300_000,
}, async () => {
  const report = await cacheKillRounds({ kills: 20, seed: 20 });
  expect(report.kills).toBe(20);
  expect(report.killedStarts).toBeLessThan(15);
  expect(report.cut).toBeGreaterThan(5);
  expect(report.reads).toBeGreaterThan(50);
  expect(report.writes).toBeGreaterThan(10);
  expect(report.soundPieces).toBeGreaterThan(50);
  // Two seconds on a machine with nothing else to do; other tests run beside this one.
  expect(report.startMs.median).toBeLessThan(20_000);
});
