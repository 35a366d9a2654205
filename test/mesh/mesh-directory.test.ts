// How often trackers hear of what is on its way to a gateway.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MeshDirectory } from '../../src/mesh/mesh-directory.ts';
import type { PieceClaimDeps } from '../../src/mesh/piece-claim.ts';
import { slabOf } from '../../src/mesh/slab.ts';
import { BLOCK, ExchangeWorld, PIECE } from '../support/exchange-world.ts';

const PROGRESS_MS = 500;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open() {
  const reports: string[] = [];
  const gateway = new ExchangeWorld().gateway('self');
  const deps = {
    trackers: { tell: () => undefined, progress: (_: unknown, __: unknown, to: string) => reports.push(to) },
    proofs: gateway.proofs,
    store: gateway.store,
    now: () => performance.now(),
    alone: () => true,
  };
  const directory = new MeshDirectory(deps as unknown as PieceClaimDeps, {
    slabOf: (piece) => slabOf(piece, BLOCK),
    lease: 'origin',
    maxSources: 8,
    progressMs: PROGRESS_MS,
  });
  const begin = () => directory.adopted(PIECE, { bytes: 0, urgency: 'demand' });
  return {
    directory,
    begin,
    /** Said at once, and in the two seconds after it. */
    async reportsOfTwoSeconds() {
      reports.length = 0;
      const claim = begin();
      await vi.advanceTimersByTimeAsync(2_000);
      await claim.end();
      return reports;
    },
    async takes(ms: number) {
      for (let piece = 0; piece < 8; piece += 1) {
        const claim = begin();
        await vi.advanceTimersByTimeAsync(ms);
        await claim.end();
      }
    },
  };
}

test('who decides hears of it at each interval, whoever may have to decide at every second', async () => {
  const world = open();
  expect(await world.reportsOfTwoSeconds()).toEqual(['all', 'first', 'all', 'first', 'all']);
  world.directory.close();
});

test('where pieces take long to come, all hear of it at every second interval', async () => {
  const world = open();
  await world.takes(20_000);
  expect(await world.reportsOfTwoSeconds()).toEqual(['all', 'all', 'all']);
  await world.takes(1_000);
  expect((await world.reportsOfTwoSeconds()).filter((to) => to === 'first').length).toBe(2);
  world.directory.close();
});
