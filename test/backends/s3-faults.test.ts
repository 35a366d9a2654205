// What the s3 backend makes of an origin that misbehaves: which error, within which time, and that no whole body ever
// reached an origin for a request that failed.
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { generate } from 'selfsigned';
import { afterEach, expect, test } from 'vitest';
import { type Backend, BackendError, type UploadBody } from '../../backends/backend.ts';
import { openS3Backend, type S3BackendOptions } from '../../backends/s3.ts';
import { FaultyServer, s3Error } from '../support/faulty-server.ts';

const REF = { bucket: 'bucket', key: 'key' };
const NOTHING = { headers: {}, metadata: {} };
const IDLE_MS = 300;
/** The idle limit, its granularity, and a slow machine. */
const SOON_MS = 3_000;
const { signal } = new AbortController();

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function world(options: S3BackendOptions & { tls?: { key: string; cert: string } } = {}) {
  const { tls, ...backendOptions } = options;
  const origin = await FaultyServer.start({ tls });
  opened.push(origin);
  const backend = open({ endpoint: origin.endpoint, ...backendOptions });
  return { origin, backend };
}

function open(options: S3BackendOptions): Backend {
  const keys = { accessKeyId: 'AKID', secretAccessKey: 'a-secret', sessionToken: 'a-token' };
  const backend = openS3Backend({
    ...keys,
    pathStyle: true,
    idleTimeoutMs: IDLE_MS,
    connectTimeoutMs: 500,
    ...options,
  });
  opened.push(backend);
  return backend;
}

function objectHead(sizeBytes: number): string[] {
  return [
    'HTTP/1.1 200 OK',
    'ETag: "5d41402abc4b2a76b9719d911017c592"',
    'Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT',
    `Content-Length: ${sizeBytes}`,
  ];
}

function upload(stream: Readable, sizeBytes: number): UploadBody {
  return { sizeBytes, stream, declared: {}, digests: () => ({}) };
}

/** As large as it is asked to be, and never quite given out at once. */
function bytes(sizeBytes: number): UploadBody {
  const chunk = Buffer.alloc(64 * 1024);
  let left = sizeBytes;
  const stream = new Readable({
    read() {
      this.push(left === 0 ? null : chunk.subarray(0, Math.min(left, chunk.length)));
      left -= Math.min(left, chunk.length);
    },
  });
  return upload(stream, sizeBytes);
}

async function put(backend: Backend, body: UploadBody, until = signal): Promise<unknown> {
  return backend.put?.(REF, body, NOTHING, until);
}

async function failure(work: Promise<unknown>): Promise<BackendError> {
  const startedAt = performance.now();
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
  if (!(error instanceof BackendError)) throw new Error(`Expected a BackendError, got ${String(error)}.`);
  return error;
}

test('an origin that takes a request and says nothing is a Timeout after the idle limit', async () => {
  const { backend } = await world();
  expect(await failure(backend.head(REF, {}, signal))).toMatchObject({ code: 'Timeout' });
  expect(await failure(backend.read(REF, {}, signal))).toMatchObject({ code: 'Timeout' });
  expect(await failure(put(backend, bytes(1_000)))).toMatchObject({ code: 'Timeout' });
});

test('an origin that stalls in the middle of a body ends the read with a Timeout after the idle limit', async () => {
  const { origin, backend } = await world();
  origin.behave({ kind: 'stall-mid-body', head: objectHead(1_000), body: Buffer.alloc(400) });
  const { body } = await backend.read(REF, {}, signal);
  expect(await failure(buffer(body))).toMatchObject({ code: 'Timeout' });
});

test('an origin that cuts a body ends the read with an error, never as a short clean end', async () => {
  for (const reset of [true, false]) {
    const { origin, backend } = await world();
    origin.behave({ kind: 'cut-mid-body', head: objectHead(1_000), body: Buffer.alloc(400), reset });
    const { body } = await backend.read(REF, {}, signal);
    expect(await failure(buffer(body))).toMatchObject({ code: 'Unavailable' });
  }
});

test('an origin that is slow but alive is waited for', async () => {
  const { origin, backend } = await world();
  origin.behave({ kind: 'slow', head: objectHead(40), body: Buffer.alloc(40, 's'), pieceBytes: 10, everyMs: 100 });
  const { body } = await backend.read(REF, {}, signal);
  expect((await buffer(body)).toString()).toBe('s'.repeat(40));
});

test.each([
  [500, 'InternalError', 'Internal'],
  [503, 'SlowDown', 'SlowDown'],
  [503, 'ServiceUnavailable', 'SlowDown'],
  [403, 'AccessDenied', 'AccessDenied'],
  [403, 'SignatureDoesNotMatch', 'Misconfigured'],
  [403, 'InvalidAccessKeyId', 'Misconfigured'],
  [400, 'ExpiredToken', 'Misconfigured'],
  [403, 'RequestTimeTooSkewed', 'Misconfigured'],
  [301, 'PermanentRedirect', 'Misconfigured'],
  [404, 'NoSuchBucket', 'NoSuchBucket'],
  [599, 'Whatever', 'Unavailable'],
] as const)('an answer of %i %s is %s', async (status, code, expected) => {
  const { origin, backend } = await world();
  origin.behave(s3Error(status, code));
  expect(await failure(backend.read(REF, {}, signal))).toMatchObject({ code: expected });
  expect(await failure(put(backend, bytes(10)))).toMatchObject({ code: expected });
});

test('a refusal in the middle of an upload ends it with the refusal, and the rest is not sent', async () => {
  const { origin, backend } = await world();
  origin.behave(s3Error(403, 'AccessDenied'));
  const body = bytes(64 * 1024 * 1024);
  expect(await failure(put(backend, body))).toMatchObject({ code: 'AccessDenied' });
  expect(body.stream.readableEnded).toBe(false);
  expect(origin.wholeBodies).toBe(0);
});

test('an origin that stops reading ends the upload with a Timeout after the idle limit', async () => {
  const { origin, backend } = await world();
  origin.behave({ kind: 'stop-reading', takeBytes: 1_000 });
  expect(await failure(put(backend, bytes(64 * 1024 * 1024)))).toMatchObject({ code: 'Timeout' });
  expect(origin.wholeBodies).toBe(0);
});

test('an acknowledgement that comes before the body was sent is not believed', async () => {
  const { origin, backend } = await world();
  origin.behave({ kind: 'answer', head: ['HTTP/1.1 200 OK', 'ETag: "x"', 'Content-Length: 0'] });
  expect(await failure(put(backend, bytes(64 * 1024 * 1024)))).toMatchObject({ code: 'Unavailable' });
});

test('an acknowledgement that is quicker than the end of its body is waited for, and the end believed', async () => {
  const { origin, backend } = await world({ idleTimeoutMs: 60_000 });
  origin.behave({ kind: 'answer', head: ['HTTP/1.1 200 OK', 'ETag: "e"', 'Content-Length: 0'] });
  for (const broken of [undefined, new Error('the digest is wrong')]) {
    const stream = new PassThrough();
    stream.write(Buffer.alloc(100));
    const before = origin.wholeBodies;
    const putting = put(backend, upload(stream, 100)).catch((error: unknown) => error);
    await expect.poll(() => origin.wholeBodies).toBe(before + 1);
    if (broken === undefined) stream.end();
    else stream.destroy(broken);
    if (broken === undefined) expect(await putting).toMatchObject({ etag: 'e' });
    else expect(await putting).toBe(broken);
  }
});

test('a body that breaks ends the upload at once with its own error, and no origin has it whole', async () => {
  const { origin, backend } = await world({ idleTimeoutMs: 60_000 });
  const stream = new PassThrough();
  const broken = new Error('the digest is wrong');
  stream.write(Buffer.alloc(999), () => stream.destroy(broken));
  await expect(put(backend, upload(stream, 1_000))).rejects.toBe(broken);
  expect(origin.wholeBodies).toBe(0);
});

test('a body that broke while its request was being made ready rejects with its own error', async () => {
  const { origin, backend } = await world();
  for (const turns of [0, 1, 2, 5, 10, 20, 50]) {
    const stream = new PassThrough();
    const broken = new Error('the digest is wrong');
    const putting = put(backend, upload(stream, 100)).catch((error: unknown) => error);
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    stream.destroy(broken);
    expect(await putting).toBe(broken);
  }
  expect(origin.wholeBodies).toBe(0);
});

test('a body that ends short is an error at once, and no origin has it whole', async () => {
  const { origin, backend } = await world({ idleTimeoutMs: 60_000 });
  const error = await failure(put(backend, upload(Readable.from([Buffer.alloc(500)]), 1_000)));
  expect(error.message).toContain('nothing was stored');
  expect(origin.wholeBodies).toBe(0);
});

test('an abort ends an upload and a read with its reason, and lets go of the connection', async () => {
  const { origin, backend } = await world({ idleTimeoutMs: 60_000 });
  const reason = new Error('the client left');
  const leaving = new AbortController();
  const uploading = expect(put(backend, upload(new PassThrough(), 10), leaving.signal)).rejects.toBe(reason);
  const reading = expect(backend.read(REF, {}, leaving.signal)).rejects.toBe(reason);
  await expect.poll(() => origin.requests).toBeGreaterThan(0);
  leaving.abort(reason);
  await uploading;
  await reading;
  await expect.poll(() => origin.openSockets).toBe(0);
});

test('a name that does not resolve and a port where nothing listens are Unavailable, with a sentence', async () => {
  const nowhere = open({ endpoint: 'http://no-such-host.invalid' });
  expect((await failure(nowhere.head(REF, {}, signal))).code).toBe('Unavailable');
  const origin = await FaultyServer.start();
  const closed = open({ endpoint: origin.endpoint });
  await origin.close();
  const refused = await failure(closed.read(REF, {}, signal));
  expect(refused).toMatchObject({ code: 'Unavailable', nativeCode: 'ECONNREFUSED' });
  expect(refused.message).toContain('check its address');
});

test('a certificate that nobody vouches for is Unavailable, one by the configured authority is taken', async () => {
  const pems = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  const tls = { key: pems.private, cert: pems.cert };
  const untrusted = await world({ tls });
  const error = await failure(untrusted.backend.head(REF, {}, signal));
  expect(error).toMatchObject({ code: 'Unavailable', nativeCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const trusted = await world({ tls, ca: pems.cert });
  trusted.origin.behave({ kind: 'answer', head: objectHead(0) });
  expect((await trusted.backend.head(REF, {}, signal)).info.sizeBytes).toBe(0);
});

test('a server that does not speak TLS, or not HTTP, is Unavailable', async () => {
  const { origin } = await world();
  origin.behave({ kind: 'answer', head: ['220 smtp.example.org ESMTP'] });
  const plain = open({ endpoint: origin.endpoint });
  expect((await failure(plain.head(REF, {}, signal))).code).toBe('Unavailable');
  const secure = open({ endpoint: `https://127.0.0.1:${origin.port}` });
  expect(['Unavailable', 'Timeout']).toContain((await failure(secure.head(REF, {}, signal))).code);
});

test('neither keys nor signatures are in an error, down to its last cause', async () => {
  const { origin, backend } = await world();
  origin.behave(s3Error(403, 'SignatureDoesNotMatch'));
  const told = everythingOf(await failure(backend.read(REF, {}, signal)));
  expect(told).toContain('SignatureDoesNotMatch');
  for (const secret of ['a-secret', 'a-token', 'Signature=']) expect(told).not.toContain(secret);
});

/** Hidden properties included. */
function everythingOf(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (seen.has(value)) return '';
  seen.add(value);
  return Object.getOwnPropertyNames(value)
    .map((name) => `${name}: ${everythingOf(Reflect.get(value, name), seen)}`)
    .join('\n');
}
