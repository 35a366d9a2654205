// Whoever gets at the mesh port of real gateways: strangers are refused, members that lie or dawdle are gone around, all
// of it is logged and counted, and no client ever sees a wrong byte.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeFrame } from '../../src/mesh/exchange/frames.ts';
import { decodePieceRequest } from '../../src/mesh/exchange/piece-request.ts';
import { slabOf } from '../../src/mesh/slab.ts';
import { parseRows } from '../../src/mesh/tracker/tracker-wire.ts';
import type { Handlers } from '../../src/mesh/transport.ts';
import { objectVersion } from '../../src/pieces/piece.ts';
import { type HostileMember, startHostileMember } from '../support/hostile-member.ts';
import { makeAuthority } from '../support/mesh-certificates.ts';
import { MESH_SECRET, type MeshGateway, MeshGateways } from '../support/mesh-gateways.ts';
import { BUCKET, ORIGIN } from '../support/mesh-origin.ts';
import { anySignal, CLIENT, makeClient, memberAt, problemOf, sendRaw } from '../support/mesh-wire.ts';
import { receivedBytes } from '../support/received-bytes.ts';

const MIB = 1024 * 1024;
const BLOCK = 256 * 1024;
const PIECES = 4;
const refusedAs = (gateway: MeshGateway, reason: string) =>
  gateway.metric('dfstore_mesh_refused_total', `reason="${reason}"`);

test('members that lie about what they hold, give other bytes, or give them slowly, change no byte that clients get', {
  timeout: 90_000,
}, async () => {
  await using mesh = await MeshGateways.start({ count: 3 });
  const { origin } = mesh;
  const bytes = await origin.set('k', PIECES * MIB);
  const [tracker, second] = mesh.ownersOf('k');
  await mesh.settled('k');
  expect((await second.get('k')).body.equals(bytes)).toBe(true);
  const [victim] = mesh.othersThan(tracker, second);
  if (victim === undefined) throw new Error('Three gateways are needed.');

  const asked = { liar: 0, sloth: 0 };
  const liar = await startHostileMember(
    MESH_SECRET,
    piecesBy(async (body, out) => {
      asked.liar += 1;
      const { blocks } = decodePieceRequest(body);
      const wrong = Buffer.alloc((blocks.end - blocks.first) * BLOCK, 'wrong');
      await out.write(encodeFrame({ kind: 'digests', bytes: Buffer.alloc(blocks.end * 32) }));
      await out.write(encodeFrame({ kind: 'run', block: blocks.first, lengthBytes: wrong.length }));
      await out.write(wrong);
    }),
  );
  const sloth = await startHostileMember(
    MESH_SECRET,
    piecesBy(async (_body, out, signal) => {
      asked.sloth += 1;
      while (!signal.aborted) {
        await out.write(encodeFrame({ kind: 'waiting' }));
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }),
  );

  const slab = slabOfVersion('k', bytes.length, await etagOf(second));
  const { roots } = parseRows(await liar.client.ask(tracker.id, 'peek', { slab }, anySignal()));
  expect(roots).toHaveLength(PIECES);
  // Other bytes than those that are known: not believed.
  const others = roots.map(({ piece }) => ({ piece, root: 'f'.repeat(64) }));
  for (const owner of [tracker, second]) {
    await announce(liar, owner, { slab, held: others });
    expect(await owner.metric('dfstore_mesh_refused_announcements_total')).toBe(PIECES);
    await expect.poll(() => owner.log).toContain('it is not believed');
  }
  // The right names of bytes that it does not have, from many, so that they are asked as well.
  for (const owner of [tracker, second]) {
    for (const member of [liar, sloth]) await announce(member, owner, { slab, held: roots });
  }
  await second.terminate();
  await tracker.metric('dfstore_mesh_refused_total');
  origin.reset();
  const { status, cut, body } = await victim.get('k');
  expect({ status, cut }).toEqual({ status: 200, cut: false });
  expect(body.equals(bytes)).toBe(true);
  expect(asked.liar).toBeGreaterThan(0);
  expect(asked.sloth).toBeGreaterThan(0);
  expect(await victim.metric('dfstore_piece_verification_failures_total', 'source="peer"')).toBe(asked.liar);
  await expect.poll(() => victim.log).toContain('sent what is not proved');
  expect(origin.bodyBytes / bytes.length).toBeLessThanOrEqual(1);
});

test('strangers at the mesh port are refused, logged and counted, and get no byte; members get none by tricks', {
  timeout: 60_000,
}, async () => {
  await using mesh = await MeshGateways.start({ count: 2 });
  const bytes = await mesh.origin.set('k', MIB);
  await mesh.settled('k');
  expect((await mesh.at(0).get('k')).body.equals(bytes)).toBe(true);
  const gateway = mesh.at(0);
  const request = { ...pieceFields('k', bytes.length, await etagOf(gateway)), first: 0, end: 1 };

  const stranger = makeClient({ secret: 'not the secret of this mesh' });
  expect(await problemOf(receivedBytes(stranger.client, gateway.id, 'piece', request, anySignal()))).toContain(
    'Refused',
  );
  expect(await refusedAs(gateway, 'proof')).toBe(1);
  expect((await sendRaw(gateway.meshPort, { path: '/mesh/v1/piece', body: JSON.stringify(request) })).status).toBe(400);
  for (const path of ['/mesh/v1/../../data/cache', '/mesh/v1/%2e%2e/piece', '//mesh/v1/piece']) {
    const { status, text } = await sendRaw(gateway.meshPort, { path });
    expect([path, status]).toEqual([path, 400]);
    expect(text).not.toContain(bytes.subarray(0, 16).toString('latin1'));
  }

  const member = await startHostileMember(MESH_SECRET, {});
  const ask = (body: unknown) => problemOf(collected(member, gateway, body));
  expect(await ask(request)).toBe('no problem: 262144');
  const tricks: Record<string, object> = {
    'a key with a path in it': { key: '../../../etc/passwd' },
    'another bucket': { bucket: '../models' },
    'a version that is none': { etag: '' },
    'an index past the end': { index: 1 },
    'an index below 0': { index: -1 },
    'blocks past the end': { end: 5 },
    'a size that is none': { size: -1 },
    'pieces of no bytes': { pieceSize: 0 },
    'a block size that is none': { blockSize: 0 },
    'fields of other types': { index: '0', key: { $ne: '' } },
  };
  for (const [trick, fields] of Object.entries(tricks)) {
    expect([trick, await ask({ ...request, ...fields })]).toEqual([
      trick,
      expect.stringMatching(/^(Malformed|NotHeld): /),
    ]);
  }
  expect(await problemOf(member.client.ask(gateway.id, 'announce', 'x'.repeat(2 * MIB), anySignal()))).toMatch(
    /^(Malformed|Unreachable): /,
  );
  expect(await refusedAs(gateway, 'body')).toBe(1);
  await expect.poll(() => gateway.log).toContain('"reason":"proof"');
  expect((await gateway.get('k')).body.equals(bytes)).toBe(true);
});

test('with certificates nobody gets in by another one, and nobody speaks for another host', {
  timeout: 60_000,
}, async () => {
  const [own, other] = await Promise.all([makeAuthority('mesh'), makeAuthority('elsewhere')]);
  const certificate = await own.issue(['127.0.0.1']);
  await using mesh = await MeshGateways.start({
    count: 2,
    mesh: { secret: undefined },
    prepare: async (folder) => {
      const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), ca: join(folder, 'ca.pem') };
      for (const name of ['cert', 'key', 'ca'] as const) await writeFile(files[name], certificate[name]);
      return { tls: files };
    },
  });
  const bytes = await mesh.origin.set('k', MIB);
  await mesh.settled('k');
  for (const gateway of mesh.all) expect((await gateway.get('k')).body.equals(bytes)).toBe(true);
  expect(mesh.origin.bodyBytes).toBe(bytes.length);

  const gateway = mesh.at(0);
  const say = { slabs: [], leaving: true };
  const outsider = makeClient({ ...CLIENT, secret: undefined, tls: await other.issue(['127.0.0.1']) });
  expect(await problemOf(outsider.client.ask(gateway.id, 'announce', say, anySignal()))).toMatch(/^Refused: /);
  const elsewhere = await own.issue(['10.9.9.9']);
  const impostor = makeClient(
    { ...CLIENT, secret: undefined, tls: { ...elsewhere } },
    { self: memberAt(mesh.at(1).meshPort) },
  );
  expect(await problemOf(impostor.client.ask(gateway.id, 'announce', say, anySignal()))).toMatch(/^Refused: /);
  // Each of them once; a handshake is given up by both sides, a moment apart.
  await expect.poll(() => refusedAs(gateway, 'certificate')).toBe(2);
});

type Give = Extract<NonNullable<Handlers['piece']>, { kind: 'bytes' }>['handle'];

function piecesBy(give: (body: unknown, out: Parameters<Give>[2], signal: AbortSignal) => Promise<void>): Handlers {
  return { piece: { kind: 'bytes', handle: (body, _caller, out, signal) => give(body, out, signal) } };
}

async function announce(member: HostileMember, owner: MeshGateway, told: object): Promise<void> {
  await member.client.ask(owner.id, 'announce', { slabs: [told] }, anySignal());
}

/** As S3 says it, without quotes. */
async function etagOf(gateway: MeshGateway): Promise<string> {
  const { headers } = await gateway.get('k');
  return String(headers.etag).replaceAll('"', '');
}

function pieceFields(key: string, size: number, etag: string) {
  const version = { origin: ORIGIN, bucket: BUCKET, key, etag, size, pieceSize: MIB };
  return { ...version, index: 0, blockSize: BLOCK, knowsRoot: true, knowsReaders: true };
}

function slabOfVersion(key: string, size: number, etag: string) {
  const { origin, bucket, pieceSize } = pieceFields(key, size, etag);
  const version = objectVersion({ origin, bucket, key, etag, size, pieceSize });
  const slab = slabOf({ version, index: 0 }, BLOCK);
  return { key: slab.key, ownerKey: slab.ownerKey, pieces: slab.pieces };
}

/** Bytes of blocks that came. */
async function collected(member: HostileMember, gateway: MeshGateway, body: unknown): Promise<number> {
  let bytes = 0;
  for await (const chunk of await receivedBytes(member.client, gateway.id, 'piece', body, anySignal()))
    bytes += chunk.length;
  return Math.floor(bytes / BLOCK) * BLOCK;
}
