// What a gateway finds out of the pieces that will go next, and how far it looks.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../../src/concurrency/background.ts';
import { LastCopies } from '../../src/mesh/last-copies.ts';
import { BitSet } from '../../src/pieces/bit-set.ts';
import type { DepartureListeners } from '../../src/pieces/departures.ts';
import type { Piece } from '../../src/pieces/piece.ts';
import { testVersion } from '../support/piece-content.ts';

const PIECE = 4096;
const COUNT = 1_000;
const version = testVersion('k', COUNT * PIECE, PIECE);

class World {
  /** Indices of pieces, as they will go. */
  readonly order: readonly number[] = Array.from({ length: COUNT }, (_, index) => index);
  readonly spare = new Set<number>();
  readonly asked: number[] = [];
  readonly dropped: number[] = [];
  readonly told: number[] = [];
  alone = false;
  near = true;
  arrivedBytes = 0;
  listeners: DepartureListeners | undefined;
  readonly lastCopies: LastCopies;

  /** `isShared`: whether others hold it too. */
  constructor(keepsLast: boolean, isShared: (index: number) => boolean) {
    const world = this;
    const departures = {
      listen: (listeners: DepartureListeners) => {
        world.listeners = listeners;
      },
      get areNear() {
        return world.near;
      },
      candidates: COUNT,
      get arrivedBytes() {
        return world.arrivedBytes;
      },
      upcoming: async function* () {
        for (const index of world.order) if (!world.spare.has(index)) yield { version, index };
      },
      spare: ({ index }: Piece) => void world.spare.add(index),
      keep: ({ index }: Piece) => void world.spare.delete(index),
    };
    const calls = {
      ask: async (asked: readonly { piece: Piece }[]) => {
        world.asked.push(...asked.map(({ piece }) => piece.index));
        return asked.map(({ piece }) => piece).filter(({ index }) => isShared(index));
      },
    };
    this.lastCopies = new LastCopies(
      {
        departures,
        store: { blockSize: PIECE, blocks: () => BitSet.full(1) },
        calls,
        dropped: ({ index }) => void world.dropped.push(index),
        tellHeld: async ({ index }) => void world.told.push(index),
        alone: () => world.alone,
        background: new Background({ failed: (_, error) => expect.unreachable(String(error)) }),
        now: () => performance.now(),
      },
      { keepsLast },
    );
  }

  /** A byte comes in, and the look that it causes ends. */
  async arrive(): Promise<void> {
    this.arrivedBytes += 1;
    this.listeners?.arrived();
    await vi.advanceTimersByTimeAsync(250);
  }
}

let world: World;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  world.lastCopies.close();
  vi.useRealTimers();
});

const SHARED_FROM = 900;

test('a seed looks through all it holds until it finds what others hold too', async () => {
  world = new World(true, (index) => index >= SHARED_FROM);
  for (let looks = 0; looks < 4; looks += 1) await world.arrive();
  expect(world.asked).toHaveLength(COUNT);
  expect(Math.min(...world.spare)).toBe(SHARED_FROM);
  expect(world.spare.size).toBe(COUNT - SHARED_FROM);
});

test('who is no seed looks only at what is about to go', async () => {
  world = new World(false, (index) => index >= SHARED_FROM || index === 50);
  for (let looks = 0; looks < 4; looks += 1) await world.arrive();
  expect(Math.max(...world.asked)).toBe(100);
  expect([...world.spare]).toEqual([50]);
});

test('it asks for no more than it may need, nothing while nothing comes in, nothing far from full, nothing alone', async () => {
  world = new World(true, () => true);
  await world.arrive();
  const { length } = world.asked;
  expect(length).toBe(256);
  await world.arrive();
  expect(world.asked).toHaveLength(length);
  for (const [index] of [...world.spare].entries()) world.listeners?.evicted({ version, index });
  world.near = false;
  await world.arrive();
  world.near = true;
  world.alone = true;
  await world.arrive();
  expect(world.asked).toHaveLength(length);
  world.alone = false;
  await vi.advanceTimersByTimeAsync(250);
  expect(world.asked.length).toBeGreaterThan(length);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(world.asked).toHaveLength(2 * length);
});

test('what was evicted is told, also what nobody had asked about', async () => {
  world = new World(false, () => false);
  world.listeners?.evicted({ version, index: 300 });
  expect(world.dropped).toEqual([300]);
});

test('what was not needed for long is held as before, and told again', async () => {
  world = new World(true, (index) => index === 7);
  await world.arrive();
  expect([...world.spare]).toEqual([7]);
  await vi.advanceTimersByTimeAsync(29_000);
  expect([...world.spare]).toEqual([7]);
  await vi.advanceTimersByTimeAsync(1_500);
  expect([...world.spare]).toEqual([]);
  expect(world.told).toEqual([7]);
});
