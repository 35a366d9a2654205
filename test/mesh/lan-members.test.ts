// The trackers on the local network: multicast over the loopback interface, on a port of the test's own.
import { createSocket } from 'node:dgram';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LanMembers, type LanMembersOptions } from '../../src/mesh/providers/lan-members.ts';
import { announce, announced } from '../../src/mesh/providers/lan-records.ts';
import { freePort } from '../support/free-port.ts';
import { loopsMulticast } from '../support/multicast.ts';

const never = new AbortController().signal;
const LOOPBACK = '127.0.0.1';

function provider(port: number, options: Partial<LanMembersOptions> = {}, now?: () => number): LanMembers {
  const given = { key: 'sixteen letters!', ttlMs: 60_000, interface: LOOPBACK, port, ...options };
  const members = new LanMembers(given, now);
  onTestFinished(() => members.close());
  return members;
}

describe.skipIf(!(await loopsMulticast()))('with multicast on the loopback interface', () => {
  test('who joined before is found by who starts, and the other way round', async () => {
    const port = await freePort();
    const [a, b, reader] = [provider(port), provider(port), provider(port)];
    await a.join('10.0.0.7:9002', never);
    await b.join('10.0.0.8:9002', never);
    expect(new Set(await b.read(never))).toEqual(new Set(['10.0.0.7:9002', '10.0.0.8:9002']));
    await expect.poll(async () => new Set(await a.read(never))).toEqual(new Set(['10.0.0.7:9002', '10.0.0.8:9002']));
    expect(new Set(await reader.read(never))).toEqual(new Set(['10.0.0.7:9002', '10.0.0.8:9002']));
  });

  test('who joins and who leaves is told at once', async () => {
    const port = await freePort();
    const [a, b] = [provider(port), provider(port)];
    expect(await a.read(never)).toEqual([]);
    const change = () => new Promise<void>((resolve) => a.watch(resolve));
    const joined = change();
    await b.join('b:1', never);
    await joined;
    expect(await a.read(never)).toEqual(['b:1']);
    const left = change();
    await b.leave('b:1', never);
    await left;
    expect(await a.read(never)).toEqual([]);
  });

  test('who is not heard of any more lapses', async () => {
    const port = await freePort();
    let nowMs = 0;
    const [a, b] = [provider(port, { ttlMs: 15_000 }, () => nowMs), provider(port)];
    await a.read(never);
    await b.join('b:1', never);
    await expect.poll(() => a.read(never)).toEqual(['b:1']);
    nowMs = 14_999;
    expect(await a.read(never)).toEqual(['b:1']);
    nowMs = 15_000;
    expect(await a.read(never)).toEqual([]);
  });

  test('a mesh with another secret is another mesh', async () => {
    const port = await freePort();
    const [a, b, stranger] = [provider(port), provider(port), provider(port, { key: 'another secret!!' })];
    await stranger.join('c:1', never);
    await b.join('b:1', never);
    expect(await a.read(never)).toEqual(['b:1']);
  });

  test('a port that cannot be had is told of, and tried again', async () => {
    const port = await freePort();
    const blocker = createSocket({ type: 'udp4' });
    await new Promise<void>((resolve) => blocker.bind({ port, address: '0.0.0.0', exclusive: true }, resolve));
    const members = provider(port);
    await expect(members.join('a:1', never)).rejects.toThrow('mesh.members.lan');
    await new Promise<void>((resolve) => blocker.close(() => resolve()));
    await members.join('a:1', never);
    expect(await members.read(never)).toEqual(['a:1']);
  });
});

test('only what proves that it knows the key is believed', () => {
  const answers = announce({ id: 'a:1', ttlMs: 15_000 }, 'key');
  expect(announced(answers, 'key')).toEqual([{ id: 'a:1', ttlMs: 15_000 }]);
  expect(announced(answers, 'other')).toEqual([]);
  const forged = answers.map((answer) =>
    answer.type === 'TXT' ? { ...answer, data: ['id=b:1', ...[answer.data].flat().slice(1)] } : answer,
  ) as typeof answers;
  expect(announced(forged, 'key')).toEqual([]);
  expect(announced(announce({ id: 'no address', ttlMs: 1 }, 'key'), 'key')).toEqual([]);
});
