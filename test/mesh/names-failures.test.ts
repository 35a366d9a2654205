// Read after write when owners, writers and readers fail in the middle of a write, and when the list of trackers does.
import { expect, test } from 'vitest';
import { MINUTE, NAMES_OPTIONS, NamesWorld, NOW, type TestGateway } from '../support/names-world.ts';

const KEY = 'k';
const REF = { bucket: 'b', key: KEY };
const WRITTEN = { kind: 'written' } as const;
const { nameLeaseMs, patienceMs, markTtlMs, settleMs } = NAMES_OPTIONS;

function openWorld(ids = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1']) {
  const world = new NamesWorld(ids);
  world.origin.values.set(KEY, 'first');
  const [rank1, rank2, writer, reader, third] = world.ranked(KEY) as [
    TestGateway,
    TestGateway,
    TestGateway,
    TestGateway,
    TestGateway,
  ];
  return { world, rank1, rank2, writer, reader, third };
}

async function took(world: NamesWorld, work: () => Promise<unknown>): Promise<number> {
  const began = world.clock.now();
  await world.run(work());
  return world.clock.now() - began;
}

for (const rank of ['rank1', 'rank2'] as const) {
  test(`the ${rank} owner is killed between begin and commit: no older value after the write`, async () => {
    const opened = openWorld();
    const { world, writer, reader } = opened;
    await world.run(reader.read(KEY, MINUTE));
    const mark = await world.run(writer.versions.begin(REF));
    world.kill(opened[rank].id);
    expect(await world.run(reader.read(KEY, MINUTE))).toBe('first');
    await world.run(world.origin.commit(KEY, 'second'));
    await world.run(writer.versions.end(mark, WRITTEN));
    expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
  });

  test(`the ${rank} owner is killed and comes back without its mark before the commit: no older value after it`, async () => {
    const opened = openWorld();
    const { world, writer, reader, third } = opened;
    const mark = await world.run(writer.versions.begin(REF));
    world.kill(opened[rank].id);
    const again = world.restart(opened[rank].id);
    await world.clock.advance(settleMs + 1);
    // It knows of no write, and lets everybody believe what it was told.
    for (const gateway of [reader, third, again]) expect(await world.run(gateway.read(KEY, MINUTE))).toBe('first');
    await world.run(world.origin.commit(KEY, 'second'));
    await world.run(writer.versions.end(mark, WRITTEN));
    for (const gateway of [reader, third, again]) expect(await world.run(gateway.read(KEY, MINUTE))).toBe('second');
  });
}

test('a writer killed between commit and end: what it wrote is read at once, and believed again once its mark lapsed', async () => {
  const { world, writer, reader, third } = openWorld();
  await world.run(reader.read(KEY, MINUTE));
  await world.run(writer.versions.begin(REF));
  await world.run(world.origin.commit(KEY, 'second'));
  world.kill(writer.id);
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
  const { asked } = world.origin;
  expect(await world.run(third.read(KEY, MINUTE))).toBe('second');
  // While the mark is open nobody believes anybody.
  expect(world.origin.asked).toBe(asked + 1);
  await world.clock.advance(markTtlMs);
  await world.run(reader.read(KEY, MINUTE));
  await world.run(third.read(KEY, MINUTE));
  expect(world.origin.asked).toBe(asked + 2);
});

test('what a killed writer sent arrives when its next run believes the name: a later write is read there at once', async () => {
  const { world, rank1, writer, reader } = openWorld();
  world.mesh.latencyMs = (from, to) => (from === writer.id && to === rank1.id ? 200 : 0.1);
  const dies = writer.versions.begin(REF);
  world.mesh.latencyMs = () => 0.1;
  world.kill(writer.id);
  const again = world.restart(writer.id);
  expect(await world.run(again.read(KEY, MINUTE))).toBe('first');
  await world.clock.advance(200);
  await world.run(reader.write(KEY, 'second'));
  expect(await world.run(again.read(KEY, MINUTE))).toBe('second');
  await world.run(dies);
});

test('a mark lapses before the commit: what was believed meanwhile is revoked when the write ends', async () => {
  const { world, writer, reader, third } = openWorld();
  const mark = await world.run(writer.versions.begin(REF));
  await world.clock.advance(markTtlMs + 1);
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('first');
  expect(await world.run(third.read(KEY, MINUTE))).toBe('first');
  await world.run(world.origin.commit(KEY, 'second'));
  await world.run(writer.versions.end(mark, WRITTEN));
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
  expect(await world.run(third.read(KEY, MINUTE))).toBe('second');
});

test('a hung gateway that believes the name holds a write up until its lease has run out, and no longer', async () => {
  const { world, writer, reader, third } = openWorld();
  await world.run(third.read(KEY, MINUTE));
  await world.run(reader.read(KEY, MINUTE));
  await world.clock.advance(1_000);
  world.mesh.hang(reader.id);
  const ms = await took(world, () => writer.write(KEY, 'second'));
  expect(ms).toBeGreaterThan(nameLeaseMs - 1_100);
  expect(ms).toBeLessThan(nameLeaseMs);
  // Nobody could tell it, and nobody needed to.
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
});

test('a dead owner costs the first write a name lease at most, and later ones nothing', async () => {
  const { world, rank1, rank2, writer, reader } = openWorld();
  await world.clock.advance(nameLeaseMs);
  await world.run(reader.read(KEY, MINUTE));
  world.kill(rank1.id);
  const first = await took(world, () => writer.write(KEY, 'second'));
  expect(first).toBeGreaterThan(nameLeaseMs / 2);
  expect(first).toBeLessThan(nameLeaseMs + patienceMs);
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
  const second = await took(world, () => writer.write(KEY, 'third'));
  expect(second).toBeLessThan(100);
  expect(await world.run(rank2.read(KEY, MINUTE))).toBe('third');
});

test('an owner that a writer cannot reach, though readers can, hears of the write from the other owner', async () => {
  const { world, rank1, writer, reader, third } = openWorld();
  await world.run(reader.read(KEY, MINUTE));
  world.mesh.cut(writer.id, rank1.id);
  const write = writer.write(KEY, 'second');
  // The owner is kept in touch with its fellow by those who read, all the while.
  let acknowledged = false;
  const ends = write.then(() => {
    acknowledged = true;
  });
  while (!acknowledged) {
    await world.run(third.read(KEY, MINUTE));
    await world.clock.advance(100);
  }
  await ends;
  expect(await world.run(rank1.read(KEY, MINUTE))).toBe('second');
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
  expect(await world.run(third.read(KEY, MINUTE))).toBe('second');
});

for (const fate of ['knows of it', 'has forgotten it'] as const) {
  test(`owners that never met: a write went past one of them, and the other ${fate}; the delete before it is not believed`, async () => {
    const { world, rank1, rank2, writer, reader } = openWorld();
    await world.run(writer.write(KEY, undefined));
    world.mesh.cut(rank1.id, rank2.id);
    await world.run(rank2.write(KEY, 'second'));
    world.mesh.heal();
    if (fate === 'has forgotten it') {
      world.kill(rank2.id);
      world.restart(rank2.id);
    }
    expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
  });
}

test('an owner that slept through a write believes nothing of before it', async () => {
  const { world, rank1, writer, reader } = openWorld();
  await world.run(reader.read(KEY, MINUTE));
  world.mesh.hang(rank1.id);
  await world.run(writer.write(KEY, 'second'));
  world.mesh.wake(rank1.id);
  await world.clock.advance(1_000);
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
  expect(await world.run(rank1.read(KEY, MINUTE))).toBe('second');
});

test('owners that cannot reach each other let nobody believe what they know', async () => {
  const { world, rank1, rank2, writer, reader, third } = openWorld();
  world.mesh.cut(rank1.id, rank2.id);
  world.mesh.cut(writer.id, rank1.id);
  world.mesh.cut(reader.id, rank2.id);
  await world.clock.advance(nameLeaseMs);
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('first');
  await world.run(writer.write(KEY, 'second'));
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
  expect(await world.run(third.read(KEY, MINUTE))).toBe('second');
});

test('a gateway that reaches nobody reads from the origin, writes through at once, and others see it within freshness', async () => {
  const { world, rank1, rank2, writer, reader } = openWorld();
  await world.run(reader.read(KEY, MINUTE));
  for (const owner of [rank1, rank2]) world.mesh.cut(writer.id, owner.id);
  expect(await world.run(writer.read(KEY, MINUTE))).toBe('first');
  expect(await took(world, () => writer.write(KEY, 'second'))).toBeLessThan(100);
  expect(await world.run(writer.read(KEY, MINUTE))).toBe('second');
  await world.clock.advance(MINUTE.freshMs);
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
});

test('overlapping writes leave the name unknown: what the origin has counts, whichever ended last', async () => {
  const { world, writer, reader, third, rank2 } = openWorld();
  const one = await world.run(writer.versions.begin(REF));
  const two = await world.run(reader.versions.begin(REF));
  await world.run(world.origin.commit(KEY, undefined));
  await world.run(world.origin.commit(KEY, 'second'));
  await world.run(writer.versions.end(one, WRITTEN));
  // One write is still open.
  expect(await world.run(third.read(KEY, MINUTE))).toBe('second');
  await world.run(reader.versions.end(two, { kind: 'missing' }));
  for (const gateway of [third, rank2, writer]) expect(await world.run(gateway.read(KEY, MINUTE))).toBe('second');
});

test('a list that changes between begin and end: the write is made known to the new owners before it is acknowledged', async () => {
  const { world, rank1, rank2, writer, reader, third } = openWorld();
  await world.run(reader.read(KEY, MINUTE));
  const mark = await world.run(writer.versions.begin(REF));
  world.trackers = [reader.id, third.id];
  for (const gateway of [rank1, rank2, reader, third]) await gateway.list.refresh();
  await world.clock.advance(settleMs + 1);
  // The new owners have never heard of the write.
  expect(await world.run(third.read(KEY, MINUTE))).toBe('first');
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('first');
  await world.run(world.origin.commit(KEY, 'second'));
  await world.run(writer.versions.end(mark, WRITTEN));
  expect(writer.list.hash).toBe(reader.list.hash);
  for (const gateway of [third, reader, writer]) expect(await world.run(gateway.read(KEY, MINUTE))).toBe('second');
});

test('a list that changed and changed back: what owners knew before is not believed', async () => {
  const { world, rank1, writer, reader } = openWorld();
  await world.run(reader.read(KEY, MINUTE));
  const all = world.trackers;
  const refresh = () => Promise.all([...world.gateways.values()].map(({ list }) => list.refresh()));
  world.trackers = all.filter((id) => id !== rank1.id);
  await refresh();
  await world.run(writer.write(KEY, 'second'));
  world.trackers = all;
  await refresh();
  await world.clock.advance(settleMs + 1);
  expect(await world.run(reader.read(KEY, MINUTE))).toBe('second');
});

test('an owner whose list has just changed lets nobody believe, and holds writes back, until everybody has heard of it', async () => {
  const { world, writer, reader, third } = openWorld();
  for (const gateway of world.gateways.values()) gateway.list.changedAtMs = world.clock.now();
  await world.run(Promise.all([reader.read(KEY, MINUTE), third.read(KEY, MINUTE)]));
  expect(world.origin.asked).toBe(2);
  const ms = await took(world, () => writer.write(KEY, 'second'));
  expect(ms).toBeGreaterThan(settleMs - 200);
  expect(ms).toBeLessThan(settleMs + 200);
  expect(await took(world, () => writer.write(KEY, 'third'))).toBeLessThan(100);
});

test('who asks while nobody may have his answer is told so, the first as well: its bytes would come again', async () => {
  const { world, rank1 } = openWorld();
  rank1.list.changedAtMs = world.clock.now();
  const { names } = rank1.opened;
  const want = { ...NOW, complete: false };
  const { signal } = new AbortController();
  const opened = await world.run(
    Promise.all([1, 2].map(() => names.open({ origin: 'origin', bucket: 'b', key: KEY }, want, signal))),
  );
  const crowded = opened.map((answer) => answer.kind === 'validate' && answer.ticket.crowded);
  expect(crowded).toEqual([true, true]);
});

test('one gateway with itself as the only owner goes by the same rules, without a call', async () => {
  const { world } = openWorld(['a:1']);
  const alone = world.at('a:1');
  expect(await world.run(Promise.all([alone.read(KEY, NOW), alone.read(KEY, NOW)]))).toEqual(['first', 'first']);
  await world.run(alone.read(KEY, MINUTE));
  await world.run(alone.read(KEY, MINUTE));
  expect(world.origin.asked).toBe(1);
  await world.run(alone.write(KEY, 'second'));
  expect(await world.run(alone.read(KEY, MINUTE))).toBe('second');
  expect(world.mesh.calls).toEqual([]);
});

test('what an owner remembers is bounded, and what it forgot it does not hand out twice', async () => {
  const ids = ['a:1', 'b:1', 'c:1'];
  const world = new NamesWorld(ids, { maxIdle: 5 });
  for (let index = 0; index < 50; index += 1) world.origin.values.set(`k${index}`, 'first');
  const [reader, writer] = [world.at('a:1'), world.at('b:1')];
  for (let index = 0; index < 50; index += 1) await world.run(reader.read(`k${index}`, MINUTE));
  for (const gateway of world.gateways.values()) expect(gateway.opened.owned()).toBeLessThanOrEqual(5);
  // The owners have forgotten that the reader believes these; the write waits for as long as it may.
  for (const key of ['k0', 'k1', 'k2', 'k3']) await world.run(writer.write(key, 'second'));
  for (const key of ['k0', 'k1', 'k2', 'k3']) expect(await world.run(reader.read(key, MINUTE))).toBe('second');
});
