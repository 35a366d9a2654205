// The secrets of every kind of backend, and the gateway's own, while every origin refuses, fails and tells in its errors
// all that it was sent: none of them is in a log line, an answer, /status, /metrics or a printed configuration.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { secretsOf } from '../../src/config/backend-settings.ts';
import { BuiltCli } from '../support/built-cli.ts';
import { askGateway } from '../support/client-outcome.ts';
import { BACKEND_KINDS } from '../support/every-backend.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { LogLines } from '../support/log-lines.ts';
import { type Answer, MisbehavingServer } from '../support/misbehaving-server.ts';

const ADMIN_TOKEN = 'never-to-be-seen-admin-token';

/** Each tells what it is, so that a failure says which one came out. */
const SECRETS = {
  s3: { secretAccessKey: 'never-to-be-seen-s3-secret', sessionToken: 'never-to-be-seen-s3-token' },
  oss: { accessKeySecret: 'never-to-be-seen-oss-secret', stsToken: 'never-to-be-seen-oss-token' },
  obs: { secretAccessKey: 'never-to-be-seen-obs-secret', securityToken: 'never-to-be-seen-obs-token' },
  http: { headers: { 'x-api-key': 'never-to-be-seen-http-header' }, password: 'never-to-be-seen-http-password' },
  webhdfs: { delegationToken: 'never-to-be-seen-hdfs-token' },
} as const;

/** As it is sent. */
const BASIC = Buffer.from(`reader:${SECRETS.http.password}`).toString('base64');

const log = new LogLines();
let folder: string;
let server: MisbehavingServer;
let gateway: TestGateway;
let config: Record<string, unknown>;
/** Everything that a client or an operator was answered. */
let answered = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfstore-secrets-'));
  server = await MisbehavingServer.start(cut);
  config = { backends: backendsAt(server.url), buckets: buckets(), log: { level: 'trace', requests: true } };
  gateway = await startGateway({ log: log.logger, config: { ...config, admin: { token: ADMIN_TOKEN } } });
});
afterAll(async () => {
  await gateway.close();
  await server.close();
  await rm(folder, { recursive: true });
});

function backendsAt(endpoint: string): Record<string, unknown> {
  const limits = { idleTimeout: '300ms', connectTimeout: '300ms', retries: 0, failuresToOpen: 1_000 };
  const id = { accessKeyId: 'an-id-that-may-be-seen' };
  return {
    fs: { type: 'fs', root: join(folder, 'objects') },
    s3: { type: 's3', endpoint, pathStyle: true, ...id, ...SECRETS.s3, ...limits },
    // OSS names buckets in host names, and no such host is here: its failures are those of the network.
    oss: { type: 'oss', region: 'oss-test', endpoint: 'http://oss.invalid', ...id, ...SECRETS.oss, ...limits },
    obs: { type: 'obs', endpoint, signature: 'v2', ...id, ...SECRETS.obs, ...limits },
    http: { type: 'http', endpoint, username: 'reader', ...SECRETS.http, ...limits },
    webhdfs: { type: 'webhdfs', namenodes: [endpoint], namenodeTimeout: '300ms', ...SECRETS.webhdfs, ...limits },
  };
}

function buckets(): Record<string, unknown> {
  return Object.fromEntries(BACKEND_KINDS.map((kind) => [`bucket-${kind}`, { backend: kind }]));
}

const cut: Answer = (request) => request.socket.destroy();
const silent: Answer = () => undefined;

/** All that was sent, in the way each kind of origin tells errors. */
const talkative =
  (status: number, code: string): Answer =>
  (request, response) => {
    const sent = `${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`;
    const isHdfs = request.url?.startsWith('/webhdfs/') === true;
    const body = isHdfs
      ? JSON.stringify({ RemoteException: { exception: 'SecurityException', message: `Refused: ${sent}` } })
      : `<Error><Code>${code}</Code><Message>Refused: ${escapeXml(sent)}</Message><CanonicalRequest>${escapeXml(sent)}</CanonicalRequest></Error>`;
    const type = isHdfs ? 'application/json' : 'application/xml';
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'x-sent': encodeURI(sent),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

async function askEverything(): Promise<void> {
  const told = await Promise.all(BACKEND_KINDS.map((kind) => askBucket(`/bucket-${kind}`)));
  answered += told.join('');
  const authorization = `Bearer ${ADMIN_TOKEN}`;
  for (const [path, headers] of [
    ['/status', { authorization }],
    ['/metrics', { authorization }],
    ['/status', { authorization: 'Bearer wrong' }],
    ['/readyz', {}],
  ] as const) {
    answered += await (await fetch(`${gateway.adminUrl}${path}`, { headers })).text();
  }
}

async function askBucket(bucket: string): Promise<string> {
  let told = '';
  for (const [method, path, body] of [
    ['GET', `${bucket}/key`, ''],
    ['HEAD', `${bucket}/key`, ''],
    ['PUT', `${bucket}/key`, 'bytes'],
    ['GET', `${bucket}?list-type=2`, ''],
    ['POST', `${bucket}/key?uploads`, ''],
    ['DELETE', `${bucket}/key`, ''],
  ] as const) {
    const outcome = await askGateway(gateway, { method, path, body });
    told += `${JSON.stringify(outcome.headers)} ${outcome.body.toString('latin1')}\n`;
  }
  return told;
}

function secretsIn(text: string): string[] {
  const found = text.match(/never-to-be-seen-[a-z0-9-]+/g) ?? [];
  return [...new Set([...found, ...[BASIC, gateway.secretAccessKey].filter((secret) => text.includes(secret))])];
}

test('every setting that is marked as a secret is among those looked for', () => {
  for (const [kind, secrets] of Object.entries(SECRETS)) {
    expect(Object.keys(secrets).sort()).toEqual([...secretsOf(kind as keyof typeof SECRETS)].sort());
  }
  expect(secretsOf('fs')).toEqual([]);
});

test.each([
  ['cut connections', cut],
  ['say nothing', silent],
  ['reject the keys, repeating all they were sent', talkative(403, 'SignatureDoesNotMatch')],
  ['refuse, repeating all they were sent', talkative(403, 'AccessDenied')],
  ['fail, repeating all they were sent', talkative(500, 'InternalError')],
  ['do not understand, repeating all they were sent', talkative(400, 'InvalidArgument')],
] satisfies [string, Answer][])('no secret is logged or answered while origins %s', async (_, answer) => {
  server.answer = answer;
  const linesBefore = log.lines.length;
  const sentBefore = server.requests.length;
  await askEverything();
  // It was really asked, with secrets, and it was really logged.
  expect(secretsIn(JSON.stringify(server.requests.slice(sentBefore)))).not.toEqual([]);
  expect(log.lines.length - linesBefore).toBeGreaterThan(BACKEND_KINDS.length);
  expect({ logged: secretsIn(log.text), answered: secretsIn(answered) }).toEqual({ logged: [], answered: [] });
});

test('a printed configuration has every backend and none of its secrets', async () => {
  const file = join(folder, 'dfstore.yaml');
  const own = {
    admin: { token: ADMIN_TOKEN },
    auth: { credentials: [{ accessKeyId: 'a', secretAccessKey: gateway.secretAccessKey }] },
  };
  await writeFile(file, stringify({ ...config, ...own }));
  const cli = await BuiltCli.start(['config', '--config', file]);
  expect(await cli.ended).toBe(0);
  for (const kind of BACKEND_KINDS) expect(cli.stdout).toContain(`type: ${kind}`);
  expect(secretsIn(cli.stdout + cli.stderr)).toEqual([]);
  expect(cli.stdout).toContain('(redacted)');
});
