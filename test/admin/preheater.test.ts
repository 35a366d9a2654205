// A preheat at gateways that fail, leave and stop: what is told of it.
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { ListOptions } from '../../backends/backend.ts';
import { Preheater, type PreheaterDeps, type PreheatLine } from '../../src/admin/preheater.ts';
import type { Warm, Warmed } from '../../src/mesh/preheat-call.ts';

const REQUEST = { bucket: 'b', prefix: 'p', all: true };
const never = new AbortController().signal;

const good: Warm = async function* (_bucket, keys) {
  for (const key of keys) yield* [{ kind: 'bytes', bytes: 10 } as Warmed, { kind: 'warm', key } as Warmed];
};

/** An origin with so many objects, on pages as long as they are asked for. */
function preheater(objects: number, gateways: Readonly<Record<string, Warm>>): Preheater {
  const list = (async (_bucket: string, { prefix, token, maxEntries }: ListOptions) => {
    const from = Number(token ?? 0);
    const until = Math.min(objects, from + maxEntries);
    const keys = Array.from({ length: until - from }, (_, index) => ({ key: `${prefix}${from + index}` }));
    return { objects: keys, prefixes: [], nextToken: until < objects ? String(until) : undefined };
  }) as unknown as PreheaterDeps['objects']['list'];
  const members = Object.keys(gateways).map((id) => ({
    id,
    role: 'tracker' as const,
    zone: undefined,
    listed: true,
    answers: true,
  }));
  const look = async () => ({ members, unasked: 0 });
  const warmAt = (id: string) => gateways[id] as Warm;
  return new Preheater({ objects: { list }, look, warmAt, now: () => 0 }, { atOnce: 2, progressMs: 60_000 });
}

async function linesOf(lines: AsyncIterable<PreheatLine>): Promise<PreheatLine[]> {
  const all: PreheatLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

test('pages of any number are read at every gateway, a bounded number of keys at a time', async () => {
  const asked: number[] = [];
  const counting: Warm = (bucket, keys, signal) => {
    asked.push(keys.length);
    return good(bucket, keys, signal);
  };
  const lines = await linesOf(preheater(2_350, { a: counting, b: good, c: good }).run(REQUEST, never));
  expect(lines.at(-1)).toMatchObject({ type: 'summary', objects: 2_350, warmed: 7_050, bytes: 70_500, failed: 0 });
  expect(Math.max(...asked)).toBe(100);
  expect(asked.reduce((sum, keys) => sum + keys, 0)).toBe(2_350);
});

test('an object that cannot be read is named; the others are read', async () => {
  const failing: Warm = async function* (_bucket, keys) {
    for (const key of keys) yield key === 'p1' ? { kind: 'failed', key, error: 'no' } : { kind: 'uncached', key };
  };
  const lines = await linesOf(preheater(3, { a: failing }).run(REQUEST, never));
  expect(lines).toContainEqual({ type: 'unread', gateway: 'a', key: 'p1', error: 'no' });
  expect(lines.at(-1)).toMatchObject({ type: 'summary', warmed: 0, uncached: 2, failed: 1, lost: 0 });
});

test('a gateway that breaks off takes no further part; what it left open counts as not read', async () => {
  let calls = 0;
  const breaking: Warm = async function* (_bucket, keys) {
    calls += 1;
    yield { kind: 'warm', key: keys[0] ?? '' };
    throw new Error('It is gone.');
  };
  const lines = await linesOf(preheater(1_500, { a: good, b: breaking }).run(REQUEST, never));
  expect(lines.filter(({ type }) => type === 'lost')).toEqual([{ type: 'lost', gateway: 'b', error: 'It is gone.' }]);
  expect(lines.at(-1)).toMatchObject({ type: 'summary', gateways: 2, lost: 1, warmed: 1_501, failed: 999 });
  expect(calls).toBe(1);
});

test('one that ends without a word of some objects is lost as well', async () => {
  const short: Warm = async function* (bucket, keys, signal) {
    yield* good(bucket, keys.slice(1), signal);
  };
  await expect(linesOf(preheater(2, { a: short }).run(REQUEST, never))).rejects.toThrow('No gateway is left');
});

test('who stops listening ends the work at every gateway', async () => {
  const stop = new AbortController();
  const [started, ended]: [string[], string[]] = [[], []];
  const hangingAt = (id: string): Warm =>
    async function* (_bucket, _keys, signal) {
      started.push(id);
      yield { kind: 'bytes', bytes: 1 };
      if (!signal.aborted) await once(signal, 'abort');
      ended.push(id);
      signal.throwIfAborted();
    };
  const lines = linesOf(preheater(1, { a: hangingAt('a'), b: hangingAt('b') }).run(REQUEST, stop.signal));
  await expect.poll(() => started.length).toBe(2);
  stop.abort(new Error('Nobody waits.'));
  await expect(lines).rejects.toThrow('Nobody waits.');
  expect(ended).toEqual(['a', 'b']);
});
