// Twenty kills of the long run (npm run test:kill).
import { expect, test } from 'vitest';
import { killRounds } from './write-rounds.ts';

test('a process killed at any instant loses no acknowledged object and leaves no half one', {
  timeout: 300_000,
}, async () => {
  const report = await killRounds({ kills: 20, seed: 20 });
  expect(report.kills).toBe(20);
  expect(report.acknowledged).toBeGreaterThan(100);
  expect(report.interrupted).toBeGreaterThan(5);
});
