import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { expect, onTestFinished, test } from 'vitest';
import type { Tracker } from '../../../src/mesh/tracker/tracker.ts';
import { TrackerDb } from '../../../src/mesh/tracker/tracker-db.ts';
import { rootOf, TrackerWorld } from '../../support/tracker-world.ts';

async function openLevel(): Promise<Level> {
  const folder = await mkdtemp(join(tmpdir(), 'dfstore-tracker-'));
  const level = new Level(join(folder, 'level'));
  await level.open();
  onTestFinished(async () => {
    await level.close();
    await rm(folder, { recursive: true });
  });
  return level;
}

function open(database: Level, tracker: Pick<Tracker, 'find'>, options: { maxSlabs?: number } = {}) {
  const errors: unknown[] = [];
  const db = new TrackerDb(
    { database, find: (slab) => tracker.find(slab), failed: (error) => errors.push(error) },
    { maxSlabs: options.maxSlabs ?? 100, writeEveryMs: 60_000 },
  );
  return { db, errors };
}

/** Announces and has it written down. */
function hold(world: TrackerWorld, db: TrackerDb, member: string, slab: typeof world.slab, pieces: readonly number[]) {
  world.tracker.announce(
    slab,
    world.member(member),
    pieces.map((piece) => ({ piece, root: rootOf(piece) })),
  );
  db.changed(slab.key, member);
}

function slabAt(index: number) {
  return { key: `${'3'.repeat(40)}.4096.${index}`, pieces: 256 };
}

test('who holds which pieces, and their roots, survive a restart', async () => {
  const level = await openLevel();
  const world = new TrackerWorld();
  const { db } = open(level, world.tracker);
  hold(world, db, 'a:9002', slabAt(0), [0, 7, 255]);
  hold(world, db, 'b:9002', slabAt(0), [7]);
  hold(world, db, 'a:9002', slabAt(1), [1]);
  await db.close();

  const after = open(level, new TrackerWorld().tracker);
  const { roots, rows } = await after.db.holdings(slabAt(0).key);
  expect(rows.map(({ member, held }) => [member, [...held]])).toEqual([
    ['a:9002', [0, 7, 255]],
    ['b:9002', [7]],
  ]);
  expect([...roots].toSorted(([left], [right]) => left - right)).toEqual(
    [0, 7, 255].map((piece) => [piece, rootOf(piece)]),
  );
  expect((await after.db.holdings(slabAt(2).key)).rows).toEqual([]);
  await after.db.close();
});

test('what is no longer held is no longer written down', async () => {
  const level = await openLevel();
  const world = new TrackerWorld();
  const { db } = open(level, world.tracker);
  hold(world, db, 'a', slabAt(0), [0, 1]);
  hold(world, db, 'b', slabAt(0), [1]);
  await db.close();
  const again = open(level, world.tracker);
  world.tracker.withdraw(slabAt(0).key, 'a', [0, 1]);
  again.db.changed(slabAt(0).key, 'a');
  await again.db.close();
  const { rows, roots } = await open(level, world.tracker).db.holdings(slabAt(0).key);
  expect(rows.map(({ member, held }) => [member, [...held]])).toEqual([['b', [1]]]);
  expect([...roots.keys()]).toEqual([1]);
});

test('beyond the limit the slabs that were asked about longest ago are forgotten', async () => {
  const level = await openLevel();
  const world = new TrackerWorld();
  const { db } = open(level, world.tracker);
  for (let index = 0; index < 10; index += 1) hold(world, db, 'a', slabAt(index), [index]);
  await db.close();

  const small = open(level, world.tracker, { maxSlabs: 4 });
  expect((await small.db.holdings(slabAt(2).key)).rows.length).toBe(1);
  hold(world, small.db, 'a', slabAt(11), [1]);
  await small.db.close();
  const after = open(level, world.tracker);
  const kept = [];
  for (let index = 0; index < 12; index += 1) {
    if ((await after.db.holdings(slabAt(index).key)).rows.length > 0) kept.push(index);
  }
  expect(kept).toEqual([2, 8, 9, 11]);
  await after.db.close();
});

test('a slab that the tracker has forgotten meanwhile is left as it was written', async () => {
  const level = await openLevel();
  const world = new TrackerWorld();
  const { db } = open(level, world.tracker);
  hold(world, db, 'a', slabAt(0), [0]);
  await db.close();
  const again = open(level, { find: () => undefined });
  again.db.changed(slabAt(0).key, 'a');
  await again.db.close();
  expect((await open(level, world.tracker).db.holdings(slabAt(0).key)).rows.length).toBe(1);
});

test('where LevelDB fails nothing is known, and the failure is reported', async () => {
  const level = await openLevel();
  const world = new TrackerWorld();
  const first = open(level, world.tracker);
  hold(world, first.db, 'a', slabAt(0), [0]);
  await first.db.close();
  const { db, errors } = open(level, world.tracker);
  expect((await db.holdings(slabAt(0).key)).rows.length).toBe(1);
  await level.close();
  expect((await db.holdings(slabAt(0).key)).rows).toEqual([]);
  db.changed(slabAt(0).key, 'a');
  await db.close();
  expect(errors.length).toBe(2);
});
