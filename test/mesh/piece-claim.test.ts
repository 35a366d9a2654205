// One piece on its way here: what its source hears of how urgent it is.
import { expect, test } from 'vitest';
import type { Urgency } from '../../src/concurrency/haste.ts';
import type { Loan } from '../../src/mesh/exchange/piece-borrower.ts';
import { PieceClaim, type PieceClaimDeps } from '../../src/mesh/piece-claim.ts';
import { slabOf } from '../../src/mesh/slab.ts';
import { BLOCK, ExchangeWorld, PIECE } from '../support/exchange-world.ts';

function open(arriving: boolean) {
  const progress = { bytes: 0, urgency: 'preheat' as Urgency };
  const loans: Urgency[] = [];
  let latest: Loan | undefined;
  const detours: string[] = [];
  const gateway = new ExchangeWorld().gateway('self');
  const decided = { kind: 'held', piece: 0, from: 'other', arriving, proof: { readerKeys: [] } };
  const deps = {
    trackers: { acquire: async () => decided, progress: () => undefined, tell: () => undefined },
    borrower: {
      borrow: (_piece: unknown, _end: number, _feed: unknown, loan: Loan, signal: AbortSignal) => {
        loans.push(loan.urgency);
        latest = loan;
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    },
    proofs: gateway.proofs,
    store: gateway.store,
    now: () => 0,
    detoured: (reason: string) => detours.push(reason),
  };
  const claim = new PieceClaim(deps as unknown as PieceClaimDeps, PIECE, progress, {
    slabOf: (piece) => slabOf(piece, BLOCK),
    lease: 'origin',
    maxSources: 8,
    changed: () => undefined,
    ended: () => undefined,
  });
  const { signal } = new AbortController();
  const bring = async () => {
    const where = await claim.acquire(signal);
    if (where.kind === 'held') await where.bring(gateway.receive(), 1, signal);
  };
  return { claim, progress, loans, detours, bring, loan: () => latest };
}

test('a client who joins what a preheat gets from another is heard of there', async () => {
  const { claim, progress, loans, detours, bring } = open(true);
  const first = bring();
  await expect.poll(() => loans).toEqual(['preheat']);
  claim.hurry();
  progress.urgency = 'demand';
  claim.hurry();
  await first;
  void bring();
  await expect.poll(() => loans).toEqual(['preheat', 'demand']);
  claim.hurry();
  expect(loans).toHaveLength(2);
  expect(detours).toEqual([]);
});

test('who has all of the piece waits for nobody, and is not asked twice', async () => {
  const { claim, progress, loans, bring } = open(false);
  let ended = false;
  void bring().finally(() => {
    ended = true;
  });
  await expect.poll(() => loans).toEqual(['preheat']);
  progress.urgency = 'demand';
  claim.hurry();
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
});

test('a piece is moved between two blocks, and not again at once', async () => {
  const { claim, detours, bring, loan } = open(true);
  const first = bring();
  await expect.poll(loan).toBeDefined();
  loan()?.waiting(false);
  claim.move();
  await new Promise((resolve) => setImmediate(resolve));
  expect(detours).toEqual([]);
  loan()?.waiting(true);
  await first;
  expect(detours).toEqual(['slow']);
  void bring();
  await new Promise((resolve) => setImmediate(resolve));
  claim.move();
  await new Promise((resolve) => setImmediate(resolve));
  expect(detours).toEqual(['slow']);
});

test('a block that does not come keeps no piece from being moved', async () => {
  const { claim, detours, bring, loan } = open(true);
  const first = bring();
  await expect.poll(loan).toBeDefined();
  loan()?.waiting(false);
  claim.move();
  await first;
  expect(detours).toEqual(['slow']);
});
