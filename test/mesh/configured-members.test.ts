// The membership as the configuration says: each kind of list, in whole meshes that two gateways see alike; what is
// logged and counted of it; and the files of its certificates.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Metrics } from '../../src/admin/metrics.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Config } from '../../src/config.ts';
import { openMembers, ownMemberId } from '../../src/gateway/members.ts';
import { meshClientOptions, meshServerOptions } from '../../src/gateway/mesh-limits.ts';
import type { Role } from '../../src/mesh/member.ts';
import { METRICS } from '../../src/metrics.ts';
import { LogLines, WARN } from '../support/log-lines.ts';
import { loopsMulticast } from '../support/multicast.ts';
import { hasRedis, startRedis } from '../support/redis.ts';

const never = new AbortController().signal;
const ONE = '127.0.0.1:9002';
const OTHER = '127.0.0.2:9002';

async function configOf(mesh: Record<string, unknown>): Promise<Config> {
  const folder = await mkdtemp(join(tmpdir(), 'dfstore-members-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'dfstore.yaml');
  await writeFile(file, JSON.stringify({ mesh: { listen: ONE, secret: 'sixteen letters!', ...mesh } }));
  return loadConfig({ file, env: {} }).config;
}

async function open(config: Config, id = ownMemberId(config, 9002), role: Role = 'tracker') {
  const log = new LogLines();
  const metrics = new Metrics(METRICS);
  const self = { id, role, zone: undefined, incarnation: '1', key: 'A'.repeat(43) };
  const members = await openMembers(config, { self, tls: undefined, log: log.logger, metrics });
  onTestFinished(() => members.close());
  return { members, log, metrics };
}

test('a gateway is called what is advertised, else where it listens, with the port that was taken', async () => {
  const lan = { members: { lan: true } };
  expect(ownMemberId(await configOf({ ...lan, advertise: '10.0.0.7:9002' }), 1)).toBe('10.0.0.7:9002');
  expect(ownMemberId(await configOf({ ...lan, listen: '127.0.0.1:0' }), 4711)).toBe('127.0.0.1:4711');
  expect(ownMemberId(await configOf({ ...lan, listen: '[::1]:0' }), 4711)).toBe('[::1]:4711');
});

test('a static list is the same for all that are on it', async () => {
  const config = await configOf({ members: { static: [OTHER, ONE] } });
  const [one, other] = [await open(config), await open(config, OTHER)];
  for (const { members } of [one, other]) {
    members.start();
    await members.ready;
    expect(members.trackers()).toEqual([ONE, OTHER]);
  }
  expect(one.members.hash).toBe(other.members.hash);
  expect(await one.metrics.render()).toMatch(/^dfstore_mesh_trackers 2$/m);
});

test('a name of the DNS is a list', async () => {
  const { members } = await open(await configOf({ members: { dns: 'localhost:9002' } }), OTHER);
  await members.refresh(never);
  expect(members.trackers()).toEqual([ONE, OTHER]);
});

test.skipIf(!hasRedis())('in Redis two gateways and a peer see one list, and what leaves goes from it', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const config = await configOf({ members: { redis: redis.url } });
  const [one, other, peer] = [await open(config), await open(config, OTHER), await open(config, '127.0.0.3:1', 'peer')];
  for (const { members } of [one, other, peer, one]) await members.refresh(never);
  for (const { members } of [one, other, peer]) expect(members.trackers()).toEqual([ONE, OTHER]);
  await other.members.leave(never);
  await one.members.refresh(never);
  expect(one.members.trackers()).toEqual([ONE]);
});

test.skipIf(!hasRedis())('an outage of Redis is one line of the log, and each failure is counted', async () => {
  const redis = await startRedis();
  const config = await configOf({ members: { redis: redis.url.replace('//', '//:hidden@') } });
  await redis.close();
  const { members, log, metrics } = await open(config);
  await members.refresh(never);
  await members.refresh(never);
  expect(log.lines.filter(({ level }) => level === WARN).map(({ msg }) => msg)).toEqual([
    'The list of gateways cannot be read; the last one is used until it can (mesh.members).',
  ]);
  expect(log.text).not.toContain('hidden');
  expect(await metrics.render()).toMatch(/^dfstore_mesh_membership_failures_total 2$/m);
});

test.skipIf(!(await loopsMulticast()))('on the local network, gateways with one secret see one list', async () => {
  // Of this test alone, for the network is everybody's.
  const secret = randomBytes(16).toString('hex');
  const [one, other] = [ONE, '127.0.0.1:9003'];
  const config = await configOf({ members: { lan: true }, secret });
  const gateways = [await open(config, one), await open(config, other)];
  for (const { members } of gateways) members.start();
  for (const { members } of gateways) {
    await expect.poll(() => members.trackers(), { timeout: 10_000 }).toEqual([one, other]);
  }
  await gateways[0]?.members.leave(never);
  await expect.poll(() => gateways[1]?.members.trackers(), { timeout: 10_000 }).toEqual([other]);
});

test('the limits of both sides of the mesh port come from their settings', async () => {
  const config = await configOf({ members: { lan: true }, requestsPerMember: 7, skew: '5s', connectTimeout: '50ms' });
  const server = meshServerOptions(config, undefined);
  expect(server).toMatchObject({ host: '127.0.0.1', port: 9002, maxRequestsPerMember: 7, skewMs: 5_000 });
  expect(meshClientOptions(config, undefined)).toMatchObject({ maxCallsPerMember: 7, connectTimeoutMs: 50 });
});
