// A preheat at an origin that gives one answer at a time: clients go first, also where they join what it has begun.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ObjectWarmer } from '../../src/objects/object-warmer.ts';
import { cacheWorld, MIB } from '../support/cache-world.ts';

const { signal } = new AbortController();

function world() {
  const cache = cacheWorld({ limits: { maxInFlight: 1 }, freshness: { freshMs: Number.POSITIVE_INFINITY } });
  const { origin, objects } = cache;
  const asked: string[] = [];
  const read = origin.read.bind(origin);
  origin.read = (ref, options, until) => {
    asked.push(
      `${ref.key} ${options.range !== undefined && 'start' in options.range ? options.range.start / MIB : ''}`,
    );
    return read(ref, options, until);
  };
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  origin.beforeChunk = async () => {
    await gate;
    // Slower than whoever reads it.
    await nextTurn();
  };
  const shelf = { accepting: true };
  const warmer = new ObjectWarmer({ objects, isCached: () => true, shelf, now: () => 0 }, { atOnce: 3 });
  const warm = async (...keys: string[]) => {
    const warmed: string[] = [];
    for await (const told of warmer.warm('b', keys, signal)) if (told.kind === 'warm') warmed.push(told.key);
    return warmed;
  };
  return { ...cache, asked, open, warm };
}

test('while a preheat waits for its origin, a client is answered before all that is left of it', async () => {
  const { origin, asked, open, warm, bytes, close } = world();
  for (const key of ['one', 'two', 'three', 'wanted']) origin.set(key, 3 * MIB);
  const preheat = warm('one', 'two', 'three');
  await expect.poll(() => asked).toEqual(['one 0']);
  const client = bytes('wanted');
  await nextTurn();
  open();
  expect((await client).length).toBe(3 * MIB);
  expect(await preheat).toHaveLength(3);
  expect(asked.slice(0, 4)).toEqual(['one 0', 'wanted 0', 'wanted 1', 'wanted 2']);
  expect(asked).toHaveLength(12);
  await close();
});

test('a client who wants what a preheat has asked for in vain so far makes it urgent', async () => {
  const { origin, asked, open, warm, bytes, close } = world();
  for (const key of ['one', 'two', 'three']) origin.set(key, MIB);
  const preheat = warm('one', 'two', 'three');
  await expect.poll(() => asked).toEqual(['one 0']);
  const client = bytes('three');
  await nextTurn();
  open();
  expect((await client).length).toBe(MIB);
  expect(await preheat).toHaveLength(3);
  expect(asked).toEqual(['one 0', 'three 0', 'two 0']);
  await close();
});
