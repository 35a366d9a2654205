// What readers and writers of several gateways see of one name: the promises of docs/SEMANTICS.md on read after write
// and on freshness, over a mesh in memory and a clock that the test moves.
import { expect, test } from 'vitest';
import { settled } from '../support/fake-clock.ts';
import { EVER, MINUTE, NAMES_OPTIONS, NamesWorld, NOW, type TestGateway } from '../support/names-world.ts';

const KEY = 'k';
const IDS = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1'];

function openWorld(options = {}) {
  const world = new NamesWorld(IDS, options);
  world.origin.values.set(KEY, 'first');
  const [rank1, rank2, other, another, third] = world.ranked(KEY) as [
    TestGateway,
    TestGateway,
    TestGateway,
    TestGateway,
    TestGateway,
  ];
  return { world, rank1, rank2, other, another, third };
}

test('a cold herd of gateways asks the origin once when freshness exceeds its spread, and once at freshness 0', async () => {
  for (const freshness of [MINUTE, NOW, EVER]) {
    const { world } = openWorld();
    const herd = [...world.gateways.values()].flatMap((gateway) => [gateway, gateway, gateway]);
    const read = await world.run(Promise.all(herd.map((gateway) => gateway.read(KEY, freshness))));
    expect(new Set(read)).toEqual(new Set(['first']));
    expect(world.origin.asked).toBe(1);
    expect(world.failures).toEqual([]);
  }
});

test('within its freshness a name is believed everywhere, renewed at its owner without the origin', async () => {
  const { world, other, another } = openWorld();
  await world.run(other.read(KEY, MINUTE));
  await world.run(another.read(KEY, MINUTE));
  const calls = () => world.mesh.calls.filter(({ call }) => call === 'name-open').length;
  const before = calls();
  for (let ms = 0; ms < 2_000; ms += 100) {
    await world.clock.advance(100);
    await world.run(another.read(KEY, MINUTE));
  }
  // By its name lease: not a call.
  expect(calls()).toBe(before);
  for (let ms = 0; ms < 50_000; ms += 1_000) {
    await world.clock.advance(1_000);
    await world.run(another.read(KEY, MINUTE));
  }
  expect(world.origin.asked).toBe(1);
  await world.clock.advance(10_000);
  await world.run(another.read(KEY, MINUTE));
  expect(world.origin.asked).toBe(2);
});

test('a change made directly at the origin is seen within freshness by every gateway', async () => {
  const { world, rank1, other } = openWorld();
  await world.run(rank1.read(KEY, MINUTE));
  await world.clock.advance(55_000);
  expect(await world.run(other.read(KEY, MINUTE))).toBe('first');
  world.origin.values.set(KEY, 'behind the back');
  await world.clock.advance(5_001);
  expect(await world.run(other.read(KEY, MINUTE))).toBe('behind the back');
  expect(await world.run(rank1.read(KEY, MINUTE))).toBe('behind the back');
});

test('that there is no such key is believed for missingFreshness, and a write ends it at once', async () => {
  const { world, rank1, other, another } = openWorld();
  world.origin.values.delete(KEY);
  await world.run(other.read(KEY, MINUTE));
  expect(await world.run(another.read(KEY, MINUTE))).toBeUndefined();
  expect(world.origin.asked).toBe(1);
  await world.run(rank1.write(KEY, 'second'));
  expect(await world.run(another.read(KEY, MINUTE))).toBe('second');
  await world.run(another.write(KEY, undefined));
  const { asked } = world.origin;
  expect(await world.run(other.read(KEY, MINUTE))).toBeUndefined();
  // The delete itself has told what there is to know.
  expect(world.origin.asked).toBe(asked);
});

for (const [name, freshness] of Object.entries({ NOW, MINUTE, EVER })) {
  test(`after a write was acknowledged every gateway reads it, whoever wrote and whatever was believed (${name})`, async () => {
    const { world } = openWorld();
    for (const [index, writer] of [...world.gateways.values()].entries()) {
      for (const reader of world.gateways.values()) await world.run(reader.read(KEY, freshness));
      const value = `value ${index}`;
      const sent = world.clock.now();
      await world.run(writer.write(KEY, value));
      // Those who believed were told; nobody waited for a lease.
      expect(world.clock.now() - sent).toBeLessThan(100);
      for (const reader of world.gateways.values()) expect(await world.run(reader.read(KEY, freshness))).toBe(value);
    }
    expect(world.failures).toEqual([]);
  });
}

test('a reader may join a question while its answer has not begun to arrive, not after', async () => {
  const { world, rank1, other, another, third } = openWorld();
  const asks = other.read(KEY);
  await world.clock.advance(5);
  // Answered 40 ms after it was sent; the report is long on its way.
  world.mesh.latencyMs = (from, to) => (from === other.id && to === rank1.id ? 30 : 0.1);
  await world.clock.advance(25);
  expect(world.origin.asked).toBe(1);
  const joins = another.read(KEY);
  // Now the answer is there, and the owner has not heard of it.
  await world.clock.advance(20);
  world.origin.values.set(KEY, 'newer');
  const late = third.read(KEY);
  await world.clock.advance(5);
  expect(world.origin.asked).toBe(1);
  expect(await world.run(Promise.all([asks, joins, late]))).toEqual(['first', 'first', 'newer']);
  expect(world.origin.asked).toBe(2);
});

test('readers of one gateway share a question by the same rule', async () => {
  const { world, rank1, other } = openWorld();
  const asks = other.read(KEY);
  await world.clock.advance(5);
  world.mesh.latencyMs = (from, to) => (from === other.id && to === rank1.id ? 30 : 0.1);
  await world.clock.advance(25);
  const joins = other.read(KEY);
  await world.clock.advance(20);
  world.origin.values.set(KEY, 'newer');
  const late = other.read(KEY);
  expect(await world.run(Promise.all([asks, joins, late]))).toEqual(['first', 'first', 'newer']);
  expect(world.origin.asked).toBe(2);
});

test('who asks the origin and dies is replaced by the next who waits', async () => {
  const { world, other, another } = openWorld();
  const lost = other.read(KEY).catch(() => 'lost');
  await world.clock.advance(5);
  const waits = another.read(KEY);
  await world.clock.advance(5);
  expect(world.origin.asked).toBe(1);
  world.mesh.kill(other.id);
  await world.clock.advance(1);
  expect(world.origin.asked).toBe(2);
  expect(await world.run(waits)).toBe('first');
  await world.run(lost);
});

test('who asks the origin and is not heard of again is replaced when its time is up', async () => {
  const { world, other, another } = openWorld();
  let stuck = true;
  world.origin.toMs = () => (stuck ? 60_000 : 20);
  const asks = other.read(KEY);
  await world.clock.advance(5);
  stuck = false;
  const waits = another.read(KEY);
  await world.clock.advance(NAMES_OPTIONS.validatorTtlMs - 100);
  expect(world.origin.asked).toBe(1);
  await world.clock.advance(200);
  expect(await world.run(waits)).toBe('first');
  expect(world.origin.asked).toBe(2);
  // The late one answers its own reader, and changes nothing.
  world.origin.values.set(KEY, 'second');
  await world.run(asks);
});

test('the client of who asks leaves: the next who waits asks, without a delay', async () => {
  const { world, other, another } = openWorld();
  const client = new AbortController();
  const leaves = other.read(KEY, NOW, client.signal);
  await world.clock.advance(5);
  const waits = another.read(KEY);
  await world.clock.advance(5);
  client.abort(new Error('gone'));
  await expect(leaves).rejects.toThrow('gone');
  await world.clock.advance(1);
  expect(world.origin.asked).toBe(2);
  expect(await world.run(waits)).toBe('first');
});

test('when the origin does not answer one gateway, those who waited each ask it themselves, at once', async () => {
  const { world, other, another, third } = openWorld();
  world.origin.down = true;
  const reads = [other, another, third].map((gateway) => gateway.read(KEY));
  const began = world.clock.now();
  const results = await world.run(Promise.allSettled(reads));
  for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'Unavailable' } });
  expect(world.clock.now() - began).toBeLessThan(100);
});

test('the first piece that comes with the answer is known to the owner before those who wait are answered', async () => {
  const { world, rank1, other, another } = openWorld();
  const asks = other.read(KEY);
  const waits = another.read(KEY).then(() => world.arriving.map(({ owner, caller }) => ({ owner, caller })));
  await world.run(asks);
  expect(await world.run(waits)).toEqual([{ owner: rank1.id, caller: other.id }]);
  expect(world.arriving[0]?.arriving).toMatchObject({
    blockSize: 65_536,
    piece: { index: 0, version: { etag: 'first' } },
  });
});

test('a reader who opened before the write began may get what was, one who opened after it does not', async () => {
  const { world, rank1, other, another, third } = openWorld();
  world.origin.toMs = () => 1;
  world.origin.backMs = () => 200;
  const before = other.read(KEY, MINUTE);
  await world.clock.advance(50);
  const write = rank1.write(KEY, 'second');
  await world.clock.advance(100);
  const during = another.read(KEY, MINUTE);
  expect(await world.run(before)).toBe('first');
  expect(await world.run(during)).toBe('second');
  await world.run(write);
  expect(await world.run(third.read(KEY, MINUTE))).toBe('second');
  expect(await world.run(other.read(KEY, MINUTE))).toBe('second');
});

test('a reader waiting since before a write shares its answer with none of its gateway who came after', async () => {
  const { world, rank1, other, another } = openWorld();
  world.origin.toMs = () => 1;
  world.origin.backMs = () => 500;
  const asks = another.read(KEY, NOW);
  await world.clock.advance(20);
  const waits = other.read(KEY, NOW);
  await world.clock.advance(20);
  world.origin.backMs = () => 1;
  await world.run(rank1.write(KEY, 'second'));
  expect(await world.run(other.read(KEY, NOW))).toBe('second');
  expect(await world.run(Promise.all([asks, waits]))).toEqual(['first', 'first']);
});

test('the second owner answers when the first is dead, and reads go on when both are', async () => {
  const { world, rank1, rank2, other } = openWorld();
  await world.run(other.read(KEY, MINUTE));
  world.mesh.kill(rank1.id);
  await world.clock.advance(NAMES_OPTIONS.nameLeaseMs);
  expect(await world.run(other.read(KEY, MINUTE))).toBe('first');
  expect(world.mesh.calls.at(-1)).toMatchObject({ to: rank2.id });
  world.mesh.kill(rank2.id);
  expect(await world.run(other.read(KEY, MINUTE))).toBe('first');
  expect(await world.run(other.read(KEY, EVER))).toBe('first');
});

test('an owner that hangs keeps a reader no longer than its patience, and the next reader not at all', async () => {
  const { world, rank1, other } = openWorld();
  world.mesh.hang(rank1.id);
  const began = world.clock.now();
  expect(await world.run(other.read(KEY))).toBe('first');
  expect(world.clock.now() - began).toBeLessThan(2 * NAMES_OPTIONS.patienceMs + 100);
  const again = world.clock.now();
  expect(await world.run(other.read(KEY))).toBe('first');
  expect(world.clock.now() - again).toBeLessThan(100);
});

test('a gateway that was suspended believes nothing it held before', async () => {
  const { world, rank1, other } = openWorld();
  await world.run(other.read(KEY, MINUTE));
  // It is cut off while it sleeps, so that nobody can tell it.
  world.clock.suspend(60_000);
  world.mesh.cut(rank1.id, other.id);
  world.origin.values.set(KEY, 'second');
  expect(await world.run(other.read(KEY, MINUTE))).toBe('second');
});

test('what comes from a peer is checked before it is believed', async () => {
  const { world, rank1, other } = openWorld();
  const { handlers } = rank1.opened;
  world.mesh.join(rank1.list.self, {
    ...handlers,
    'name-open': {
      kind: 'lines',
      handle: async function* () {
        const value = { etag: 'forged', sizeBytes: -1 };
        const answer = { kind: 'known', value, complete: true };
        yield { kind: 'answered', hash: rank1.list.hash, answer, ageMs: 0, leaseMs: 3_000, joinMs: 3_000 };
      },
    },
  });
  expect(await world.run(other.read(KEY, MINUTE))).toBe('first');
});

test('an owner that has just started asks the other what a name was, and nobody is sent bytes that the mesh has', async () => {
  const { world, rank1, rank2, other, another } = openWorld();
  await world.run(other.read(KEY, MINUTE));
  await world.clock.advance(100);
  world.kill(rank1.id);
  const restarted = world.restart(rank1.id);
  world.mesh.calls.length = 0;
  await world.clock.advance(NAMES_OPTIONS.settleMs + 1_000);
  expect(await world.run(another.read(KEY, MINUTE))).toBe('first');
  expect(world.origin).toMatchObject({ asked: 2, bodies: 1 });
  expect(recallsOf(world)).toEqual([{ from: restarted.id, to: rank2.id, call: 'name-recall' }]);
  expect(world.failures).toEqual([]);
});

test('the second owner knows what the first was told, and asks nobody for it', async () => {
  const { world, rank1, other, another } = openWorld();
  await world.run(other.read(KEY, MINUTE));
  await world.clock.advance(100);
  world.kill(rank1.id);
  const before = recallsOf(world).length;
  expect(await world.run(another.read(KEY, MINUTE))).toBe('first');
  expect(world.origin).toMatchObject({ asked: 2, bodies: 1 });
  expect(recallsOf(world).length).toBe(before);
});

test('an owner that hangs holds up one cold name for as long as a call may take, and others not at all', async () => {
  const { world, rank2, other } = openWorld();
  await world.run(other.read(KEY, MINUTE));
  const [first, second] = keysOwnedLike(world, KEY);
  for (const key of [first, second]) world.origin.values.set(key, 'there');
  world.mesh.hang(rank2.id);
  const tookMs = async (key: string) => {
    const before = world.clock.now();
    expect(await world.run(other.read(key, MINUTE))).toBe('there');
    return world.clock.now() - before;
  };
  expect(await tookMs(first)).toBeLessThan(NAMES_OPTIONS.patienceMs + 60);
  expect(await tookMs(second)).toBeLessThan(60);
  expect(recallsOf(world).length).toBe(2);
});

function recallsOf(world: NamesWorld) {
  return world.mesh.calls.filter(({ call }) => call === 'name-recall');
}

/** With the same owners. */
function keysOwnedLike(world: NamesWorld, key: string): [string, string] {
  const ownersOf = (name: string) =>
    world
      .ranked(name)
      .slice(0, 2)
      .map(({ id }) => id)
      .join(' ');
  const alike = Array.from({ length: 1_000 }, (_, index) => `key ${index}`).filter(
    (name) => ownersOf(name) === ownersOf(key),
  );
  const [first, second] = alike;
  if (first === undefined || second === undefined) throw new Error('There are no such keys.');
  return [first, second];
}

test('batches that are too large, and bodies of another shape, are refused', async () => {
  const { world, rank1, other } = openWorld();
  const client = world.mesh.client(other.list.self);
  const { signal } = new AbortController();
  const keys = Array.from({ length: 129 }, (_, index) => `key ${index}`);
  const bodies: [Parameters<typeof client.ask>[1], unknown][] = [
    ['name-begin', { hash: '', mark: 'm', keys }],
    ['name-end', { hash: '', mark: 'm', keys: ['k'], outcome: 'maybe' }],
    ['name-revoke', { keys }],
    ['name-report', { ticket: '', beganMs: -1 }],
    ['name-touch', 'hello'],
    ['name-tell', { names: keys.map((key) => ({ key, known: { kind: 'missing' } })) }],
    ['name-recall', { key: '' }],
    ['name-begin', null],
  ];
  for (const [call, body] of bodies) {
    const asked = client.ask(rank1.id, call, body, signal);
    await expect(world.run(asked)).rejects.toMatchObject({ code: 'Malformed' });
  }
  expect(rank1.opened.owned()).toBe(0);
});

test('a thousand keys deleted at once take a few calls to each owner', async () => {
  const { world, other, another } = openWorld();
  const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
  for (const key of keys) world.origin.values.set(key, 'there');
  for (const key of keys.slice(0, 20)) await world.run(another.read(key, MINUTE));
  world.mesh.calls.length = 0;
  const mark = await world.run(other.versions.begin(...keys.map((key) => ({ bucket: 'b', key }))));
  world.origin.values.clear();
  await world.run(other.versions.end(mark, { kind: 'unknown' }));
  expect(world.mesh.calls.filter(({ from }) => from === other.id).length).toBeLessThanOrEqual(2 * 4 * 5);
  expect(world.mesh.calls.filter(({ call }) => call === 'name-revoke').length).toBeLessThanOrEqual(20);
  for (const key of keys.slice(0, 20)) expect(await world.run(another.read(key, MINUTE))).toBeUndefined();
  await settled();
  expect(world.failures).toEqual([]);
});
