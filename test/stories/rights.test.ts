// A whole gateway with a file of keys: each may do what its rules say, and what they say may change while it runs.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { LogLines } from '../support/log-lines.ts';
import { type RawRequest, sendRaw } from '../support/signed-request.ts';

const OWNER = key('owner', 'ml');
const READER = key('reader', 'ml');
const STRANGER = key('stranger', 'ops');

function key(name: string, account: string) {
  return { name, account, accessKeyId: `AKID-${name}`, secretAccessKey: `${name}-secret-key` };
}

let folder: string;
let file: string;
let gateway: TestGateway;
const log = new LogLines();

const readerMay = (...rules: { allow: string[]; buckets: string[] }[]) =>
  writeFile(file, JSON.stringify([OWNER, { ...READER, rules }, STRANGER]), { mode: 0o600 });

const status = async (request: RawRequest) => (await sendRaw(Number(new URL(gateway.s3Url).port), request)).status;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfstore-rights-'));
  file = join(folder, 'keys.json');
  await readerMay({ allow: ['read', 'list'], buckets: ['data/public/*'] });
  gateway = await startGateway({
    log: log.logger,
    config: {
      auth: {
        credentials: file,
        reloadInterval: '100ms',
        anonymous: [{ allow: ['read'], buckets: ['data/open/*'] }],
      },
    },
  });
  await status({ method: 'PUT', path: '/data', credential: OWNER });
  for (const path of ['/data/public/a', '/data/secret/a', '/data/open/a']) {
    expect(await status({ method: 'PUT', path, body: 'x', credential: OWNER })).toBe(200);
  }
});
afterAll(async () => {
  await gateway.close();
  await rm(folder, { recursive: true });
});

test('a key with rules may do what they allow, where they allow it', async () => {
  const credential = READER;
  expect(await status({ path: '/data/public/a', credential })).toBe(200);
  expect(await status({ path: '/data?prefix=public%2F', credential })).toBe(200);
  expect(await status({ path: '/data/secret/a', credential })).toBe(403);
  expect(await status({ path: '/data?prefix=', credential })).toBe(403);
  expect(await status({ method: 'PUT', path: '/data/public/b', body: 'x', credential })).toBe(403);
  expect(await status({ method: 'DELETE', path: '/data/public/a', credential })).toBe(403);
  expect(await status({ method: 'PUT', path: '/another', credential })).toBe(403);
});

test('who is not signed may do what the anonymous rules allow, and a key of another account nothing', async () => {
  expect(await status({ path: '/data/open/a', credential: null })).toBe(200);
  expect(await status({ path: '/data/public/a', credential: null })).toBe(403);
  expect(await status({ method: 'PUT', path: '/data/open/b', body: 'x', credential: null })).toBe(403);
  expect(await status({ path: '/data/public/a', credential: STRANGER })).toBe(403);
  const policy = {
    Statement: {
      Effect: 'Allow',
      Principal: { AWS: 'ops' },
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::data/public/*',
    },
  };
  const put = { method: 'PUT', path: '/data?policy', body: JSON.stringify(policy), credential: OWNER };
  expect(await status(put)).toBe(204);
  expect(await status({ path: '/data/public/a', credential: STRANGER })).toBe(200);
  expect(await status({ path: '/data/public/a', credential: null })).toBe(403);
});

test('rules that change in the file hold without a restart, and a key that is gone is nobody', async () => {
  const changed = log.said('The credentials file has changed and was read again.');
  await readerMay({ allow: ['read', 'write'], buckets: ['data/secret/*'] });
  await changed;
  expect(await status({ path: '/data/public/a', credential: READER })).toBe(403);
  expect(await status({ method: 'PUT', path: '/data/secret/b', body: 'x', credential: READER })).toBe(200);
  log.lines.length = 0;
  const again = log.said('The credentials file has changed and was read again.');
  await writeFile(file, JSON.stringify([OWNER]), { mode: 0o600 });
  await again;
  expect(await status({ path: '/data/secret/b', credential: READER })).toBe(403);
  expect(await status({ path: '/data/secret/b', credential: OWNER })).toBe(200);
});
