// The list of trackers in a real Redis: who joins is on it, who leaves or dies is not, and one that is gone, hangs or
// has lost its memory leaves the list as it was.
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RedisMembers, type RedisMembersOptions } from '../../src/mesh/providers/redis-members.ts';
import { freePort } from '../support/free-port.ts';
import { hasRedis, type Redis, startRedis } from '../support/redis.ts';

const never = new AbortController().signal;

async function redis(options: Parameters<typeof startRedis>[0] = {}): Promise<Redis> {
  const started = await startRedis(options);
  onTestFinished(() => started.close());
  return started;
}

function provider(url: string, options: Partial<RedisMembersOptions> = {}): RedisMembers {
  const members = new RedisMembers({
    url,
    key: 'dfstore:trackers',
    ttlMs: 60_000,
    connectTimeoutMs: 2_000,
    ...options,
  });
  onTestFinished(() => members.close());
  return members;
}

async function problemOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => {
      throw new Error('It should have failed.');
    },
    (error: unknown) => error as Error,
  );
}

describe.skipIf(!hasRedis())('with redis-server', () => {
  test('whoever joined is on the list until it leaves, and who only reads is not', async () => {
    const { url } = await redis();
    const [a, b, reader] = [provider(url), provider(url), provider(url)];
    expect(await reader.read(never)).toEqual([]);
    await a.join('10.0.0.7:9002', never);
    await b.join('[fd00::8]:9002', never);
    await a.join('10.0.0.7:9002', never);
    expect(new Set(await reader.read(never))).toEqual(new Set(['10.0.0.7:9002', '[fd00::8]:9002']));
    await a.leave('10.0.0.7:9002', never);
    expect(await a.read(never)).toEqual(['[fd00::8]:9002']);
  });

  test('whoever does not tell again lapses by the clock of Redis, and others clear it away', async () => {
    const { url } = await redis();
    const [dead, living] = [provider(url, { ttlMs: 1 }), provider(url)];
    await dead.join('dead:1', never);
    await living.join('living:1', never);
    await expect.poll(() => living.read(never)).toEqual(['living:1']);
    await living.join('living:1', never);
    const late = provider(url, { ttlMs: 1 });
    await late.join('late:1', never);
    expect(await living.read(never)).not.toContain('dead:1');
  });

  test('meshes with different keys do not see each other', async () => {
    const { url } = await redis();
    const [one, other] = [provider(url), provider(url, { key: 'staging' })];
    await one.join('a:1', never);
    await other.join('b:1', never);
    expect(await one.read(never)).toEqual(['a:1']);
    expect(await other.read(never)).toEqual(['b:1']);
  });

  test('a Redis that is gone is told of, and asked again on a new connection when it is back', async () => {
    const first = await redis();
    const members = provider(first.url);
    await members.join('a:1', never);
    await first.close();
    const problem = await problemOf(members.read(never));
    expect(problem.message).toBe(
      `The list of gateways in Redis at 127.0.0.1:${first.port} cannot be had (mesh.members.redis).`,
    );
    await redis({ port: first.port });
    await members.join('a:1', never);
  });

  test('a Redis that has lost the list is not believed until the others can have told it again', async () => {
    const first = await redis();
    const members = provider(first.url, { ttlMs: 4_000 });
    await members.join('a:1', never);
    await first.close();
    await redis({ port: first.port });
    const other = provider(first.url);
    // On the connection to the one that is gone, where that is not noticed yet.
    await members.join('a:1', never).catch(() => members.join('a:1', never));
    expect(inspect(await problemOf(members.read(never)))).toContain('It has lost the list');
    await other.join('b:1', never);
    const asRead = () => members.read(never).catch(() => []);
    await expect.poll(asRead, { timeout: 10_000 }).toContain('b:1');
  });

  test('a Redis that hangs is given up with the caller, and asked again on a new connection', async () => {
    const server = await redis();
    const members = provider(server.url);
    await members.join('a:1', never);
    server.pause();
    onTestFinished(() => server.resume());
    const problem = await problemOf(members.read(AbortSignal.timeout(100)));
    expect((problem.cause as Error).name).toBe('TimeoutError');
    server.resume();
    expect(await members.read(never)).toEqual(['a:1']);
  });

  test('a password is used, and is in nothing that is said', async () => {
    const server = await redis({ password: 'hidden-password' });
    await provider(server.url).join('a:1', never);
    const wrong = provider(server.url.replace('hidden-password', 'wrong-password'));
    const problem = inspect(await problemOf(wrong.read(never)), { depth: 10 });
    expect(problem).toContain('WRONGPASS');
    expect(problem).not.toContain('wrong-password');
  });
});

test('nobody at the address is a failure at once', async () => {
  const members = provider(`redis://:hidden-password@127.0.0.1:${await freePort()}`);
  const problem = inspect(await problemOf(members.read(never)), { depth: 10 });
  expect(problem).toContain('ECONNREFUSED');
  expect(problem).not.toContain('hidden-password');
});
