// The admin port over HTTP: what it answers, to whom, and that it says nothing of secrets.
import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { AdminServer } from '../../src/admin/admin-server.ts';
import { Metrics } from '../../src/admin/metrics.ts';
import { METRICS } from '../../src/metrics.ts';

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function serve(
  options: {
    token?: string;
    notReady?: () => string | undefined;
    status?: () => Promise<Record<string, unknown>>;
  } = {},
) {
  const metrics = new Metrics(METRICS);
  const { notReady = () => undefined, status = async () => ({ version: '1' }), token } = options;
  const log = { error: () => undefined, warn: () => undefined, info: () => undefined };
  const where = async () => 'Nothing is known.';
  const server = await AdminServer.open(
    { notReady, status, metrics, where, log },
    { host: '127.0.0.1', port: 0, token },
  );
  onTestFinished(() => server.close());
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Reply>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port: server.port, path, method, headers }, async (res) => {
        let text = '';
        for await (const chunk of res) text += chunk;
        resolve({ status: res.statusCode ?? 0, type: String(res.headers['content-type']), text });
      });
      asked.on('error', reject).end();
    });
  return { metrics, ask };
}

test('health is told to anybody, readiness with its reason', async () => {
  let reason: string | undefined = 'The gateway is starting.';
  const { ask } = await serve({ token: 'right', notReady: () => reason });
  expect(await ask('/healthz', { host: 'anything.example' })).toMatchObject({ status: 200, text: '{"status":"ok"}' });
  expect(await ask('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('is starting') });
  reason = undefined;
  expect(await ask('/readyz')).toMatchObject({ status: 200, text: '{"status":"ready"}' });
});

test('status and metrics need the token where there is one', async () => {
  const { ask } = await serve({ token: 'right' });
  for (const path of ['/status', '/metrics', '/nothing', '/healthz/..%2fstatus']) {
    expect(await ask(path)).toMatchObject({ status: 401, type: expect.stringContaining('json') });
  }
  expect(await ask('/status', { authorization: 'Bearer right' })).toMatchObject({
    status: 200,
    text: '{"version":"1","preheat":null}',
  });
});

test('a page that reaches the port by a name of its own reads nothing', async () => {
  const { ask } = await serve();
  expect(await ask('/status', { host: 'rebound.example.com' })).toMatchObject({ status: 403 });
  expect(await ask('/status', { host: 'localhost:1' })).toMatchObject({ status: 200 });
});

test('everything else is 404 in JSON, and nothing can be written', async () => {
  const { ask } = await serve();
  expect(await ask('/nothing?x')).toMatchObject({
    status: 404,
    text: '{"error":"There is no GET /nothing on the admin port."}',
  });
  expect(await ask('/status', {}, 'POST')).toMatchObject({ status: 404, type: expect.stringContaining('json') });
  expect(await ask('/%zz')).toMatchObject({ status: 400, type: expect.stringContaining('json') });
});

test('a status that cannot be told is an error in JSON, not a silence', async () => {
  const { ask } = await serve({ status: () => Promise.reject(new Error('no metrics')) });
  expect(await ask('/status')).toMatchObject({ status: 500, text: '{"error":"no metrics"}' });
});

test('every metric of the table is exported with its help, and the process says how it does', async () => {
  const { ask, metrics } = await serve();
  metrics.count('dfstore_origin_requests_total', { operation: 'read' }, 3);
  metrics.sample('dfstore_s3_connections', () => 7);
  const { text, type } = await ask('/metrics');
  expect(type).toContain('text/plain');
  for (const [name, { help, type: kind }] of Object.entries(METRICS)) {
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
  }
  expect(text).toContain('dfstore_origin_requests_total{operation="read"} 3\n');
  expect(text).toContain('dfstore_s3_connections 7\n');
  expect(text).toContain('process_resident_memory_bytes ');
});

test('two gateways in one process count apart', async () => {
  const [one, other] = [new Metrics(METRICS), new Metrics(METRICS)];
  one.count('dfstore_served_bytes_total', { source: 'origin' }, 5);
  expect(await one.totals('dfstore_served_bytes_total', 'source')).toEqual({ origin: 5 });
  expect(await other.totals('dfstore_served_bytes_total', 'source')).toEqual({});
});
