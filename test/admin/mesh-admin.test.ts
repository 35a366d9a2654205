// What the admin port tells of a mesh, and has it do: three gateways in this process before one origin.
import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { askGateway } from '../support/client-outcome.ts';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/gateway.ts';
import { askAdmin, BUCKET, cachedConfig, MeshedGateways, postAdmin } from '../support/meshed-gateways.ts';
import { TestGateway as OriginServer } from '../support/s3-gateway.ts';

const MIB = 1024 * 1024;
const SIZE = 2.5 * MIB;

test('the status of one gateway shows all of the mesh, and whom nobody reaches', async () => {
  await using mesh = await MeshedGateways.start([{ zone: 'a' }, { role: 'seed', zone: 'b' }, { role: 'peer' }]);
  const adminUrl = mesh.gateway(0).adminUrl;
  // A peer is on no list: it is known once it has asked for something.
  await askAdmin(mesh.gateway(2).adminUrl, '/status');
  const { body } = await askAdmin(adminUrl, '/status');
  expect(body.mesh.self).toEqual({ id: mesh.ids[0], role: 'tracker', zone: 'a' });
  expect(body.mesh).toMatchObject({ trackers: 2, unasked: 0, listHash: expect.stringMatching(/^\S+$/) });
  const shown = body.mesh.members.map((member: Record<string, unknown>) => [member.id, member.role, member.zone]);
  expect(shown.toSorted()).toEqual(
    [
      [mesh.ids[0], 'tracker', 'a'],
      [mesh.ids[1], 'seed', 'b'],
      [mesh.ids[2], 'peer', null],
    ].toSorted(),
  );
  expect(body.mesh.members[0]).toMatchObject({ id: mesh.ids[0], answers: true, report: { pieces: 0, uploads: 0 } });
  await mesh.gateway(1).close();
  const after = await askAdmin(adminUrl, '/status');
  const gone = after.body.mesh.members.find(({ id }: { id: string }) => id === mesh.ids[1]);
  expect(gone).toMatchObject({ listed: true, answers: false, problem: expect.stringContaining(String(mesh.ids[1])) });
  expect(gone.report).toBeUndefined();
});

test('a gateway is not ready before its mesh was looked for, and is when that took too long', async () => {
  const origin = await OriginServer.start();
  onTestFinished(() => origin.close());
  const mesh = {
    listen: '127.0.0.1:0',
    members: { redis: `redis://127.0.0.1:${await freePort()}` },
    secret: 'sixteen letters!',
    firstContact: '700ms',
  };
  const gateway = await startGateway({ config: { ...cachedConfig(origin.url), mesh } });
  onTestFinished(() => gateway.close());
  const ready = () => askAdmin(gateway.adminUrl, '/readyz');
  await expect
    .poll(async () => (await ready()).body, { interval: 10 })
    .toEqual({ status: 'not ready', reason: 'The list of gateways has not been read yet.' });
  await expect.poll(async () => (await ready()).status).toBe(200);
});

test('a preheat of all reads each piece from the origin once, and where tells what everybody holds', async () => {
  await using mesh = await MeshedGateways.start([{ zone: 'a' }, { zone: 'b' }, { role: 'seed', zone: 'b' }]);
  const bytes = randomBytes(SIZE);
  for (const key of ['prod/one', 'prod/two']) await mesh.put(key, bytes);
  await mesh.put('other', bytes);
  const { adminUrl } = mesh.gateway(0);
  const { status, lines } = await postAdmin(adminUrl, `/preheat?bucket=${BUCKET}&prefix=prod/&all=true`);
  expect(status).toBe(200);
  expect(lines[0]).toMatchObject({ type: 'begun', gateways: [{ id: mesh.ids[2], role: 'seed' }, {}, {}] });
  expect(lines.at(-1)).toMatchObject({
    type: 'summary',
    gateways: 3,
    objects: 2,
    warmed: 6,
    failed: 0,
    uncached: 0,
    lost: 0,
    bytes: 6 * SIZE,
  });
  expect(await mesh.originBytes()).toBe(2 * SIZE);
  for (const gateway of mesh.gateways) {
    expect((await askGateway(gateway, { path: `/${BUCKET}/prod/one` })).body.equals(bytes)).toBe(true);
  }
  expect(await mesh.originBytes()).toBe(2 * SIZE);

  const where = () => askAdmin(mesh.gateway(1).adminUrl, `/where?bucket=${BUCKET}&key=prod/one`);
  const held = async () => {
    const { body } = await where();
    return body.holders.map(({ id, held }: { id: string; held: number }) => `${id} ${held}`).toSorted();
  };
  await expect.poll(held).toEqual(mesh.ids.map((id) => `${id} 3`).toSorted());
  const { body } = await where();
  expect(body).toMatchObject({ bucket: BUCKET, key: 'prod/one', sizeBytes: SIZE, pieceSize: MIB, pieces: 3 });
  expect(body.unknownPieces).toBe(0);
  expect(body.owners).toHaveLength(2);
  for (const owner of body.owners) expect(mesh.ids).toContain(owner);
  const zones = new Map(body.holders.map(({ id, zone }: { id: string; zone: string }) => [id, zone]));
  expect(mesh.ids.map((id) => zones.get(id))).toEqual(['a', 'b', 'b']);
});

test('a preheat goes to the seed alone, unless told otherwise, and to a zone', async () => {
  await using mesh = await MeshedGateways.start([{ zone: 'a' }, { role: 'seed', zone: 'b' }]);
  await mesh.put('k', randomBytes(SIZE));
  const { adminUrl } = mesh.gateway(0);
  const preheated = async (aim: string) => {
    const { lines } = await postAdmin(adminUrl, `/preheat?bucket=${BUCKET}&prefix=k${aim}`);
    expect(lines.at(-1)).toMatchObject({ type: 'summary', warmed: 1 });
    const { gateways } = lines[0] as { gateways: { id: string }[] };
    return gateways.map(({ id }) => id);
  };
  const holders = async () =>
    (await askAdmin(adminUrl, `/where?bucket=${BUCKET}&key=k`)).body.holders.map(({ id }: { id: string }) => id);
  expect(await preheated('')).toEqual([mesh.ids[1]]);
  await expect.poll(holders).toEqual([mesh.ids[1]]);
  expect(await preheated('&zone=a')).toEqual([mesh.ids[0]]);
  await expect.poll(async () => (await holders()).length).toBe(2);
});

test('gateways that do not answer are left out of a preheat, and a prefix without objects is said to be one', async () => {
  await using mesh = await MeshedGateways.start([{}, {}]);
  await mesh.put('k', randomBytes(SIZE));
  await mesh.put('l', randomBytes(SIZE));
  await mesh.gateway(1).close();
  const { lines } = await postAdmin(mesh.gateway(0).adminUrl, `/preheat?bucket=${BUCKET}&all=true`);
  expect(lines.at(-1)).toMatchObject({ type: 'summary', gateways: 1, warmed: 2 });
  const missing = await postAdmin(mesh.gateway(0).adminUrl, `/preheat?bucket=${BUCKET}&prefix=none`);
  expect(missing.lines.at(-1)).toEqual({
    type: 'failed',
    error: `There is no object under 'none' in bucket '${BUCKET}'.`,
  });
});

test('with wait=false the answer is that it has begun, and the status shows that it is done', async () => {
  await using mesh = await MeshedGateways.start([{}, {}]);
  await mesh.put('k', randomBytes(SIZE));
  const { adminUrl } = mesh.gateway(0);
  const { lines } = await postAdmin(adminUrl, `/preheat?bucket=${BUCKET}&prefix=k&all=true&wait=false`);
  expect(lines[0]?.type).toBe('begun');
  await expect
    .poll(async () => (await askAdmin(adminUrl, '/status')).body.preheat)
    .toMatchObject({ type: 'summary', warmed: 2 });
});

test('what is asked for wrongly, or is not there, is refused in a sentence', async () => {
  await using mesh = await MeshedGateways.start([{}]);
  const { adminUrl } = mesh.gateway(0);
  const refused = async (path: string) => (await askAdmin(adminUrl, path)).body.error;
  expect(await refused(`/where?bucket=${BUCKET}&key=none`)).toBe(`There is no object 'none' in bucket '${BUCKET}'.`);
  expect(await refused('/where?bucket=b')).toBe('bucket and key must name one object.');
  for (const [query, problem] of [
    ['', 'bucket must name the bucket.'],
    ['?bucket=b&to=0', 'to must be a whole number from 1 up.'],
    ['?bucket=b&all=yes', 'all must be true or false.'],
    ['?bucket=b&all=true&zone=a', 'all excludes to and zone.'],
    ['?bucket=b&zone=a&zone=b', 'zone must name one zone.'],
  ]) {
    expect(await postAdmin(adminUrl, `/preheat${query}`)).toEqual({ status: 400, lines: [{ error: problem }] });
  }
});

test('a gateway without a mesh heats itself, and says that there is nowhere else to look', async () => {
  const origin = await OriginServer.start();
  onTestFinished(() => origin.close());
  const gateway = await startGateway({ config: cachedConfig(origin.url) });
  onTestFinished(() => gateway.close());
  await askGateway(gateway, { method: 'PUT', path: `/${BUCKET}` });
  await askGateway(gateway, { method: 'PUT', path: `/${BUCKET}/k`, body: randomBytes(1_000) });
  const { lines } = await postAdmin(gateway.adminUrl, `/preheat?bucket=${BUCKET}&all=true`);
  expect(lines.at(-1)).toMatchObject({ type: 'summary', gateways: 1, warmed: 1, bytes: 1_000 });
  const { status, body } = await askAdmin(gateway.adminUrl, `/where?bucket=${BUCKET}&key=k`);
  expect({ status, error: body.error }).toEqual({
    status: 409,
    error: 'This gateway has no mesh (mesh.listen): whatever is cached, it has by itself.',
  });
  expect((await askAdmin(gateway.adminUrl, '/status')).body.mesh).toBeNull();
});

test('a gateway that caches nothing has nothing to heat', async () => {
  const gateway = await startGateway({ config: { cache: { enabled: false } } });
  onTestFinished(() => gateway.close());
  expect(await postAdmin(gateway.adminUrl, '/preheat?bucket=b')).toEqual({
    status: 409,
    lines: [{ error: 'This gateway caches nothing: cache.enabled is false.' }],
  });
});
