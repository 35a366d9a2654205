// The pipeline on the wire when something goes wrong: clients that leave, bodies nobody reads, origins that fail.
import { once } from 'node:events';
import { Agent, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { CopyObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, expect, test } from 'vitest';
import { BackendError, type Copied, type ObjectRead, type ObjectRef } from '../../backends/backend.ts';
import { MemoryBackend } from '../support/memory-backend.ts';
import { TestGateway } from '../support/s3-gateway.ts';
import { sendRaw, signedHeaders } from '../support/signed-request.ts';

const gateways: TestGateway[] = [];

afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});

async function start(options: Parameters<typeof TestGateway.start>[0] = {}): Promise<TestGateway> {
  const gateway = await TestGateway.start(options);
  gateways.push(gateway);
  await sendRaw(gateway.port, { method: 'PUT', path: '/bucket' });
  return gateway;
}

/** Reads give the info of the stored object with the body a test supplies. */
class ScriptedBackend extends MemoryBackend {
  body: ((read: ObjectRead) => Readable) | undefined;
  copying: Promise<Copied> | undefined;
  failure: BackendError | undefined;

  override async read(...args: Parameters<MemoryBackend['read']>): Promise<ObjectRead> {
    if (this.failure !== undefined) throw this.failure;
    const read = await super.read(...args);
    return this.body === undefined ? read : { ...read, body: this.body(read) };
  }

  override async copy(...args: Parameters<MemoryBackend['copy']>): Promise<Copied> {
    return this.copying ?? super.copy(...args);
  }
}

async function scripted(options: Parameters<typeof TestGateway.start>[0] = {}) {
  const backend = new ScriptedBackend();
  const gateway = await start({ ...options, backend });
  await sendRaw(gateway.port, { method: 'PUT', path: '/bucket/key', body: 'x'.repeat(200_000) });
  return { backend, gateway };
}

async function* then(first: Buffer, rest: () => Promise<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield await rest();
}

test('a body that breaks off under way is cut, never ended cleanly', async () => {
  const { backend, gateway } = await scripted();
  backend.body = () =>
    Readable.from(then(Buffer.alloc(100_000), () => Promise.reject(new BackendError('Unavailable', 'gone'))));
  await expect(sendRaw(gateway.port, { path: '/bucket/key' })).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(gateway.log.map((line) => line.level)).toEqual(['warn']);
});

test('a body of another size than was promised is cut', async () => {
  const { backend, gateway } = await scripted();
  for (const sizeBytes of [199_999, 200_001]) {
    backend.body = () => Readable.from([Buffer.alloc(100_000), Buffer.alloc(sizeBytes - 100_000)]);
    await expect(sendRaw(gateway.port, { path: '/bucket/key' })).rejects.toMatchObject({ code: 'ECONNRESET' });
  }
});

test('a body that fails before its first byte is answered with a status', async () => {
  const { backend, gateway } = await scripted();
  backend.body = () =>
    new Readable({
      read() {
        this.destroy(new BackendError('Timeout', 'silent'));
      },
    });
  const answer = await sendRaw(gateway.port, { path: '/bucket/key' });
  expect([answer.status, answer.element('Code')]).toEqual([503, 'ServiceUnavailable']);
});

test('a client that leaves ends the read of the origin', async () => {
  const { backend, gateway } = await scripted();
  const stalled = new Readable({ read() {} });
  stalled.push(Buffer.alloc(1000));
  backend.body = () => stalled;
  const path = '/bucket/key';
  const outgoing = request({ port: gateway.port, path, headers: signedHeaders({ path }, `127.0.0.1:${gateway.port}`) });
  outgoing.on('error', () => undefined).end();
  await once(outgoing, 'response');
  outgoing.destroy();
  await new Promise((resolve) => stalled.once('close', resolve));
  await gateway.finished((event) => event.operation === 'GetObject');
  expect([gateway.inFlight, gateway.log]).toEqual([0, []]);
});

test('a client that leaves in the middle of its upload stores nothing', async () => {
  const gateway = await start();
  const path = '/bucket/half';
  const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '1000000' };
  const signed = signedHeaders({ method: 'PUT', path, headers }, `127.0.0.1:${gateway.port}`);
  const outgoing = request({ port: gateway.port, method: 'PUT', path, headers: signed });
  outgoing.on('error', () => undefined);
  await new Promise<void>((resolve) => outgoing.write(Buffer.alloc(300_000), () => resolve()));
  outgoing.destroy();
  await gateway.finished((event) => event.operation === 'PutObject');
  expect((await sendRaw(gateway.port, { path })).status).toBe(404);
  expect(gateway.inFlight).toBe(0);
});

test('a refusal reaches a client that is still sending its body', async () => {
  const gateway = await start();
  const body = Buffer.alloc(8 * 1024 * 1024);
  const answer = await sendRaw(gateway.port, { method: 'PUT', path: '/absent-bucket/key', body });
  expect([answer.status, answer.element('Code'), answer.headers.connection]).toEqual([404, 'NoSuchBucket', 'close']);
});

test('a small body that nobody read leaves the connection to the next request', async () => {
  const gateway = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (const status of [404, 404, 200]) {
    const [method, path] = status === 404 ? ['PUT', '/absent-bucket/key'] : ['GET', '/bucket'];
    const body = status === 404 ? 'not read by anyone' : '';
    const headers = signedHeaders({ method, path, body }, `127.0.0.1:${gateway.port}`);
    const outgoing = request({ port: gateway.port, method, path, headers, agent }).end(body);
    const [response] = await once(outgoing, 'response');
    await buffer(response);
    expect(response.statusCode).toBe(status);
    ports.add(outgoing.socket?.localPort);
  }
  agent.destroy();
  expect(ports.size).toBe(1);
});

/** What comes back on a bare connection until it falls silent for the word that is awaited. */
async function conversation(gateway: TestGateway, head: string, until: RegExp, more?: string): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1');
  let heard = '';
  socket.setEncoding('latin1').write(head, 'latin1');
  for await (const chunk of socket) {
    heard += chunk;
    if (more !== undefined && heard.includes('100 Continue')) {
      socket.write(more);
      more = undefined;
    }
    if (until.test(heard)) break;
  }
  socket.destroy();
  return heard;
}

function putHead(gateway: TestGateway, path: string, credentialed: boolean): string {
  const fields = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
  const request = { method: 'PUT', path, headers: fields, ...(credentialed ? {} : { credential: null }) };
  const headers = signedHeaders(request, `127.0.0.1:${gateway.port}`);
  const lines = Object.entries({ ...headers, expect: '100-continue', 'content-length': '5' });
  return `PUT ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

test('trap 5: 100 Continue comes only once the request is authorised', async () => {
  const gateway = await start();
  const heard = await conversation(gateway, putHead(gateway, '/bucket/expect', true), /200 OK/, 'hello');
  expect(heard).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  expect((await sendRaw(gateway.port, { path: '/bucket/expect' })).text).toBe('hello');
  for (const [path, credentialed, status] of [
    ['/bucket/expect', false, 403],
    ['/absent-bucket/expect', true, 404],
  ] as const) {
    const refused = await conversation(gateway, putHead(gateway, path, credentialed), /<\/Error>/);
    expect(refused).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(refused).toMatch(/connection: close/i);
  }
});

test('trap 25: a copy that takes long begins its answer with spaces and tells its outcome at the end', async () => {
  const { backend, gateway } = await scripted({ lateAnswerMs: 5 });
  const outcomes: ((copying: Promise<Copied>) => void)[] = [];
  const late = async () => {
    backend.copying = new Promise((resolve) => outcomes.push(resolve));
    const path = '/bucket/copy';
    const headers = signedHeaders(
      { method: 'PUT', path, headers: { 'x-amz-copy-source': '/bucket/key' } },
      `127.0.0.1:${gateway.port}`,
    );
    const outgoing = request({
      port: gateway.port,
      method: 'PUT',
      path,
      headers: { ...headers, 'content-length': '0' },
    }).end();
    const [response] = await once(outgoing, 'response');
    expect(response.statusCode).toBe(200);
    return response;
  };
  const good = await late();
  outcomes[0]?.(Promise.resolve({ etag: 'abc', sizeBytes: 1, lastModified: new Date(0) }));
  const done = (await buffer(good)).toString();
  expect(done).toMatch(/^<\?xml [^>]*\?>\n *<CopyObjectResult .*<ETag>"abc"<\/ETag>.*<\/CopyObjectResult>$/);
  const bad = await late();
  outcomes[1]?.(Promise.reject(new BackendError('NoSuchKey', 'gone')));
  const failed = (await buffer(bad)).toString();
  expect(failed).toMatch(/^<\?xml [^>]*\?>\n *<Error><Code>NoSuchKey<\/Code>/);
  expect(failed).toContain(`<RequestId>${bad.headers['x-amz-request-id']}</RequestId>`);
});

test('trap 25: the SDK takes the error in a 200 for an error', async () => {
  const { backend, gateway } = await scripted({ lateAnswerMs: 5 });
  const responses: ServerResponse[] = [];
  gateway.server.on('request', (_request, response) => responses.push(response));
  const begun = async (): Promise<Copied> => {
    while (responses[0]?.headersSent !== true) await setImmediate();
    throw new BackendError('NoSuchKey', 'gone');
  };
  backend.copying = begun();
  const command = new CopyObjectCommand({ Bucket: 'bucket', Key: 'copy', CopySource: 'bucket/key' });
  await expect(gateway.client().send(command)).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('what is wrong between gateway and origin is told to the operator, not to the client', async () => {
  const { backend, gateway } = await scripted();
  const nativeCode = 'InvalidAccessKeyId';
  backend.failure = new BackendError('Misconfigured', 'The key AKIAORIGIN is unknown.', { nativeCode });
  const answer = await sendRaw(gateway.port, { path: '/bucket/key' });
  expect([answer.status, answer.element('Code')]).toEqual([500, 'InternalError']);
  expect(answer.text).not.toContain('AKIAORIGIN');
  expect(gateway.log).toMatchObject([
    { level: 'error', fields: { code: 'Misconfigured', nativeCode, bucket: 'bucket' } },
  ]);
});

test('an origin that is overloaded asks clients to slow down', async () => {
  const { backend, gateway } = await scripted();
  backend.failure = new BackendError('SlowDown', 'busy');
  const answer = await sendRaw(gateway.port, { path: '/bucket/key' });
  expect([answer.status, answer.element('Code'), answer.headers['retry-after']]).toEqual([503, 'SlowDown', '1']);
});

test('requests past the limit are told to slow down, and the limit is given back', async () => {
  const { backend, gateway } = await scripted({ maxRequests: 1 });
  const stalled = new Readable({ read() {} });
  stalled.push(Buffer.alloc(1000));
  backend.body = () => stalled;
  const path = '/bucket/key';
  const headers = signedHeaders({ path }, `127.0.0.1:${gateway.port}`);
  const outgoing = request({ port: gateway.port, path, headers })
    .on('error', () => undefined)
    .end();
  await once(outgoing, 'response');
  expect((await sendRaw(gateway.port, { path })).element('Code')).toBe('SlowDown');
  outgoing.destroy();
  await gateway.finished((event) => event.operation === 'GetObject');
  expect((await sendRaw(gateway.port, { path: '/bucket' })).status).toBe(200);
});

test('each request is told to the observer with its operation, status, key and traffic', async () => {
  const gateway = await start();
  await sendRaw(gateway.port, { method: 'PUT', path: '/bucket/seen', body: Buffer.alloc(50_000) });
  await sendRaw(gateway.port, { path: '/bucket/seen' });
  await sendRaw(gateway.port, { path: '/bucket/unseen' });
  const [, put, get, missing] = gateway.events;
  expect(put).toMatchObject({
    operation: 'PutObject',
    status: 200,
    bucket: 'bucket',
    key: 'seen',
    accessKeyId: 'AKIDOWNER',
  });
  expect(put?.bytesIn).toBeGreaterThan(50_000);
  expect(get).toMatchObject({ operation: 'GetObject', status: 200 });
  expect(get?.bytesOut).toBeGreaterThan(50_000);
  expect(missing).toMatchObject({ operation: 'GetObject', status: 404 });
});

test('a backend that refuses before it reads the body does not take the gateway down', async () => {
  class Full extends MemoryBackend {
    override async put(_ref: ObjectRef): Promise<never> {
      throw new BackendError('OutOfSpace', 'The disk is full.');
    }
  }
  const gateway = await start({ backend: new Full() });
  const put = { method: 'PUT', path: '/bucket/key', body: Buffer.alloc(1_000_000) };
  expect((await sendRaw(gateway.port, put)).status).toBe(500);
  expect((await sendRaw(gateway.port, { ...put, headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' } })).status).toBe(
    500,
  );
  expect((await sendRaw(gateway.port, { path: '/bucket' })).status).toBe(200);
});
