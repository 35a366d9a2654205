// What an origin can do wrong, to OSS and OBS alike: what comes of it, and that nothing partial is stored.
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { type Backend, BackendError, type UploadBody } from '../../backends/backend.ts';
import { openObsBackend } from '../../backends/obs.ts';
import { openOssBackend } from '../../backends/oss.ts';
import { ProtocolServer } from '../support/object-protocol/protocol-server.ts';
import { brokenBody, stalledBody, uploadBody } from '../support/upload-body.ts';

const BUCKET = 'faults';
const REF = { bucket: BUCKET, key: 'object' };
const PLAIN = { headers: {}, metadata: {} };
const IDLE_MS = 1_000;
const MIB = 1024 * 1024;

interface Opened {
  readonly server: ProtocolServer;
  readonly backend: Backend;
}

const opened: Opened[] = [];
afterEach(async () => {
  for (const { backend, server } of opened.splice(0)) {
    await backend.close();
    await server.close();
  }
});

async function open(flavour: 'oss' | 'obs', wrong: { secret?: string; accessKeyId?: string; token?: string } = {}) {
  const server = await ProtocolServer.start({ flavour });
  server.bucket(BUCKET);
  const { accessKeyId, secret } = { ...server.credentials, ...wrong };
  const net = { lookup: server.lookup, idleTimeoutMs: IDLE_MS, endpoint: server.endpoint, accessKeyId };
  const backend =
    flavour === 'oss'
      ? await openOssBackend({ ...net, region: `oss-${server.region}`, accessKeySecret: secret, stsToken: wrong.token })
      : await openObsBackend({ ...net, secretAccessKey: secret, securityToken: wrong.token });
  opened.push({ server, backend });
  return { server, backend };
}

function put(backend: Backend, body: UploadBody, signal = AbortSignal.timeout(10_000)) {
  if (backend.put === undefined) throw new Error('The backend cannot put.');
  return backend.put(REF, body, PLAIN, signal);
}

async function nothingStored({ server }: Opened): Promise<void> {
  await server.settled();
  expect([...server.bucket(BUCKET).objects.keys()]).toEqual([]);
}

async function stored({ backend }: Opened, bytes: Buffer) {
  await put(backend, uploadBody(bytes));
  return () => backend.read(REF, {}, AbortSignal.timeout(10_000));
}

const code = (expected: string) => expect.objectContaining({ name: 'BackendError', code: expected });

describe.each(['oss', 'obs'] as const)('%s', (flavour) => {
  test('a body that stalls on the way down ends as Timeout once the idle limit has passed', async () => {
    const world = await open(flavour);
    const read = await stored(world, Buffer.alloc(MIB, 1));
    world.server.fail({ kind: 'stall', afterBytes: 1_000 });
    const { body } = await read();
    await expect(buffer(body)).rejects.toEqual(code('Timeout'));
  });

  test('a body that is cut on the way down ends as an error, never as a short object', async () => {
    const world = await open(flavour);
    const read = await stored(world, Buffer.alloc(MIB, 1));
    world.server.fail({ kind: 'cut', afterBytes: 1_000 });
    const { body } = await read();
    await expect(buffer(body)).rejects.toEqual(code('Unavailable'));
  });

  test('a slow body arrives whole', async () => {
    const world = await open(flavour);
    const bytes = Buffer.alloc(MIB, 7);
    const read = await stored(world, bytes);
    world.server.fail({ kind: 'slow', pieces: 8, everyMs: 10 });
    expect((await buffer((await read()).body)).equals(bytes)).toBe(true);
  });

  test('an origin that never answers is Timeout, and one that cuts is Unavailable', async () => {
    const world = await open(flavour);
    world.server.fail({ kind: 'stall' });
    await expect(world.backend.head(REF, {}, AbortSignal.timeout(10_000))).rejects.toEqual(code('Timeout'));
    world.server.fail({ kind: 'cut' });
    await expect(world.backend.head(REF, {}, AbortSignal.timeout(10_000))).rejects.toEqual(code('Unavailable'));
  });

  test.each([
    [503, 'ServiceUnavailable', 'SlowDown'],
    [500, 'InternalError', 'Internal'],
    [403, 'AccessDenied', 'AccessDenied'],
    [403, 'RequestTimeTooSkewed', 'Misconfigured'],
    [307, 'TemporaryRedirect', 'Misconfigured'],
  ] as const)('an answer of %i %s is %s, to HEAD, GET and PUT alike', async (status, native, expected) => {
    const world = await open(flavour);
    const fault = { kind: 'refuse', status, code: native } as const;
    world.server.fail(fault, { times: 3 });
    await expect(world.backend.head(REF, {}, AbortSignal.timeout(10_000))).rejects.toEqual(code(expected));
    await expect(world.backend.read(REF, {}, AbortSignal.timeout(10_000))).rejects.toEqual(code(expected));
    await expect(put(world.backend, uploadBody(Buffer.from('x')))).rejects.toEqual(code(expected));
    await nothingStored(world);
  });

  test('a large put that is refused is not uploaded', async () => {
    const world = await open(flavour);
    world.server.fail({ kind: 'refuse', status: 403, code: 'AccessDenied' });
    await expect(put(world.backend, uploadBody(Buffer.alloc(32 * MIB)))).rejects.toEqual(code('AccessDenied'));
    await nothingStored(world);
    expect(world.server.seen.at(-1)?.headers.expect).toBe('100-continue');
    expect(world.server.seen.at(-1)?.socketBytes).toBeLessThan(64 * 1024);
  });

  test('a put that is refused while its client stalls ends with the refusal', async () => {
    const world = await open(flavour);
    world.server.fail({ kind: 'refuse', status: 503, code: 'ServiceUnavailable' });
    const { body } = stalledBody(Buffer.alloc(1_000), 10_000);
    await expect(put(world.backend, body)).rejects.toEqual(code('SlowDown'));
    expect(body.stream.destroyed).toBe(false);
    await nothingStored(world);
  });

  test('a put whose body is destroyed rejects with that very error and commits nothing', async () => {
    const world = await open(flavour);
    const error = new Error('the client went away');
    await expect(put(world.backend, brokenBody(Buffer.alloc(100_000), 200_000, error))).rejects.toBe(error);
    await expect(put(world.backend, brokenBody(Buffer.alloc(0), 0, error))).rejects.toBe(error);
    await nothingStored(world);
  });

  test('a put aborted in the middle rejects with the reason and commits nothing', async () => {
    const world = await open(flavour);
    const { body, stalled } = stalledBody(Buffer.alloc(100_000), 200_000);
    const abort = new AbortController();
    const outcome = put(world.backend, body, abort.signal);
    await stalled;
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(outcome).rejects.toBe(reason);
    await nothingStored(world);
  });

  test('bodies longer or shorter than they promised commit nothing', async () => {
    const world = await open(flavour);
    // A multiple of the chunks, so that the last byte promised is also the last of a chunk.
    const bytes = Buffer.alloc(2 * 65_536);
    const lying = (sizeBytes: number): UploadBody => ({ ...uploadBody(bytes), sizeBytes });
    await expect(put(world.backend, lying(bytes.length + 1))).rejects.toBeInstanceOf(BackendError);
    await expect(put(world.backend, lying(bytes.length - 1))).rejects.toBeInstanceOf(BackendError);
    await expect(put(world.backend, lying(65_536))).rejects.toBeInstanceOf(BackendError);
    await nothingStored(world);
  });

  test("a wrong secret, key id or session token is the operator's trouble and never AccessDenied", async () => {
    for (const wrong of [{ secret: 'not-the-secret' }, { accessKeyId: 'nobody' }, { token: 'expired' }]) {
      const world = await open(flavour, wrong);
      const { signal } = new AbortController();
      await expect(world.backend.check(signal)).rejects.toEqual(code('Misconfigured'));
      await expect(world.backend.head(REF, {}, signal)).rejects.toEqual(code('Misconfigured'));
      await expect(world.backend.read(REF, {}, signal)).rejects.toEqual(code('Misconfigured'));
      await expect(world.backend.headBucket(BUCKET, signal)).rejects.toEqual(code('Misconfigured'));
      await expect(put(world.backend, uploadBody(Buffer.from('x')))).rejects.toEqual(code('Misconfigured'));
      await nothingStored(world);
    }
  });

  test('keys and secrets are in no error', async () => {
    const world = await open(flavour, { secret: 'a-secret-to-look-for' });
    const error: unknown = await world.backend.check(new AbortController().signal).catch((caught: unknown) => caught);
    expect(String(error) + JSON.stringify(error)).not.toContain('a-secret-to-look-for');
  });
});
