// Where a file server as an origin differs from an S3 one in what clients get of its faults.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askGateway } from '../support/client-outcome.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { ERROR, LogLines, WARN } from '../support/log-lines.ts';
import { type Answer, MisbehavingServer } from '../support/misbehaving-server.ts';

const BYTES = Buffer.alloc(600_000, 'f');
const IDLE_MS = 400;
/** The first answer, a fill's three attempts, and a busy machine. */
const WITHIN_MS = 4 * IDLE_MS + 3_000;

const log = new LogLines();
let server: MisbehavingServer;
let gateway: TestGateway;
let near: string;
let keys = 0;

beforeAll(async () => {
  server = await MisbehavingServer.start(sound);
  near = await mkdtemp(join(tmpdir(), 'dfstore-near-'));
  const files = {
    type: 'http',
    endpoint: server.url,
    idleTimeout: `${IDLE_MS}ms`,
    retryDelay: '10ms',
    failuresToOpen: 1_000,
  };
  gateway = await startGateway({
    log: log.logger,
    config: {
      backends: {
        files,
        authorised: { ...files, username: 'reader', password: 'not-the-password' },
        near: { type: 'fs', root: near },
      },
      buckets: { files: { backend: 'files' }, authorised: { backend: 'authorised' }, '*': { backend: 'near' } },
      admin: { checkInterval: '1h' },
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await server.close();
  await rm(near, { recursive: true });
});

function sound(...[request, response]: Parameters<Answer>): void {
  const { method, headers } = request;
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const [start, end] = [Number(from), to === '' ? BYTES.length : Math.min(Number(to) + 1, BYTES.length)];
  const range = headers.range === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${BYTES.length}` };
  response.writeHead(headers.range === undefined ? 200 : 206, {
    etag: '"one"',
    'content-length': end - start,
    ...range,
  });
  response.end(method === 'HEAD' ? undefined : BYTES.subarray(start, end));
}

const status =
  (code: number, headers = {}): Answer =>
  (_, response) =>
    void response.writeHead(code, headers).end();

/** Half of the file is promised and sent; then it ends as it is told. */
const half =
  (then: (response: Parameters<Answer>[1]) => void): Answer =>
  (request, response) => {
    if (request.method === 'HEAD') return sound(request, response);
    response.writeHead(200, { etag: '"one"', 'content-length': BYTES.length });
    response.write(BYTES.subarray(0, BYTES.length / 2), () => then(response));
  };

async function ask(bucket: string, answer: Answer) {
  keys += 1;
  const key = `key-${keys}`;
  server.answer = answer;
  const outcome = await askGateway(gateway, { path: `/${bucket}/${key}` });
  server.answer = sound;
  expect(outcome.elapsedMs).toBeLessThan(WITHIN_MS);
  return { outcome, logged: log.of(key) };
}

test.each([
  ['401 without credentials configured', 'files', status(401), 403, 'AccessDenied', WARN],
  ['401 to the credentials configured', 'authorised', status(401), 500, 'InternalError', ERROR],
  ['403', 'files', status(403), 403, 'AccessDenied', WARN],
  [
    'a redirect to a host that nobody named',
    'files',
    status(302, { location: 'http://elsewhere.invalid/x' }),
    500,
    'InternalError',
    ERROR,
  ],
  ['500', 'files', status(500), 500, 'InternalError', ERROR],
  ['503', 'files', status(503), 503, 'SlowDown', WARN],
  ['429', 'files', status(429), 503, 'SlowDown', WARN],
  ['502', 'files', status(502), 503, 'ServiceUnavailable', WARN],
  ['nothing', 'files', () => undefined, 503, 'ServiceUnavailable', WARN],
  ['by cutting the connection', 'files', (request) => request.socket.destroy(), 503, 'ServiceUnavailable', WARN],
] satisfies [string, string, Answer, number, string, number][])(
  'a file server that answers %s',
  async (_, bucket, answer, expected, code, level) => {
    const { outcome, logged } = await ask(bucket, answer);
    expect(outcome).toMatchObject({ status: expected, code });
    expect(logged).toMatchObject([{ level, backend: bucket }]);
  },
);

test.each([
  ['cuts', half((response) => response.destroy())],
  ['stalls', half(() => undefined)],
] satisfies [string, Answer][])(
  'a file server that %s in the middle of every body ends the read short',
  async (_, answer) => {
    const { outcome } = await ask('files', answer);
    expect(outcome).toMatchObject({ status: 200, cut: true });
    expect(outcome.body.equals(BYTES.subarray(0, outcome.body.length))).toBe(true);
    expect((await ask('files', sound)).outcome).toMatchObject({ status: 200, cut: false });
  },
);

test('a write is not implemented, and nothing is asked of the file server for it', async () => {
  server.requests.length = 0;
  const outcome = await askGateway(gateway, { method: 'PUT', path: '/files/new', body: 'x' });
  expect(outcome).toMatchObject({ status: 501, code: 'NotImplemented' });
  expect(server.requests).toEqual([]);
});
