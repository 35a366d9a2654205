// dfstore serve as operators and service managers see it: a process that starts, tells, drains and ends.
import { once } from 'node:events';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BuiltCli, serveBuilt } from '../support/built-cli.ts';
import { testClient } from '../support/test-client.ts';

const KEY = { DFSTORE_ACCESS_KEY_ID: 'TESTACCESSKEY', DFSTORE_SECRET_ACCESS_KEY: 'test-secret-access-key' };
const Bucket = 'bucket';
const BIG = 64 * 1024 * 1024;

function clientOf(s3Url: string, accessKeyId = 'TESTACCESSKEY', secretAccessKey = 'test-secret-access-key'): S3Client {
  const s3 = testClient({ s3Url, accessKeyId, secretAccessKey });
  onTestFinished(() => s3.destroy());
  return s3;
}

/** A download of 64 MiB whose reader has taken nothing of it yet. */
async function pausedDownload(s3Url: string): Promise<IncomingMessage> {
  const s3 = clientOf(s3Url);
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'big', Body: Buffer.alloc(BIG) }));
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'big' }));
  const request = get(url, { agent: false });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  return answer;
}

describe('the first start', () => {
  test('makes a pair, tells it once with an example that works, and keeps it for the owner only', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'dfstore-first-'));
    const first = await serveBuilt([], { cwd });
    const told = new Map(
      [...first.cli.stdout.matchAll(/export (\w+)=(\S+)/g)].map(([, name = '', value]) => [name, value]),
    );
    const accessKeyId = told.get('AWS_ACCESS_KEY_ID') ?? '';
    const secret = told.get('AWS_SECRET_ACCESS_KEY') ?? '';
    expect(secret.length).toBeGreaterThanOrEqual(40);
    expect(first.cli.stdout).toContain(`aws --endpoint-url ${first.s3Url} s3 mb s3://my-bucket`);
    await clientOf(first.s3Url, accessKeyId, secret).send(new CreateBucketCommand({ Bucket }));
    const file = join(cwd, 'dfstore-data', 'credentials.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain(secret);
    first.cli.process.kill('SIGTERM');
    expect(await first.cli.ended).toBe(0);

    const second = await serveBuilt([], { cwd });
    expect(second.cli.stdout).not.toContain(secret);
    expect(second.cli.stdout).not.toContain('export');
    const s3 = clientOf(second.s3Url, accessKeyId, secret);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a' }));
  });

  test('tells the pair even when the start fails after it was made', async () => {
    const { s3Url } = await serveBuilt([], { env: KEY });
    const listen = new URL(s3Url).host;
    const failed = await BuiltCli.start(['serve', '--listen', listen, '--admin-listen', '127.0.0.1:0']);
    expect(await failed.ended).toBe(1);
    expect(failed.stdout).toMatch(/export AWS_SECRET_ACCESS_KEY=\S{40}/);
    expect(failed.stderr).toContain(`Cannot listen on ${listen} (setting listen)`);
  });

  test('with a pair in the environment none is made and none is told', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'dfstore-env-'));
    const { cli, s3Url } = await serveBuilt([], { cwd, env: KEY });
    await clientOf(s3Url).send(new CreateBucketCommand({ Bucket }));
    await expect(stat(join(cwd, 'dfstore-data', 'credentials.json'))).rejects.toThrow('ENOENT');
    expect(cli.stdout).not.toContain('test-secret-access-key');
  });
});

describe('being told to stop', () => {
  test('a download in flight is finished; nobody new is served, and readiness says so', async () => {
    const { cli, s3Url, adminUrl } = await serveBuilt([], { env: KEY });
    const answer = await pausedDownload(s3Url);
    expect((await fetch(`${adminUrl}/readyz`)).status).toBe(200);
    cli.process.kill('SIGTERM');
    await cli.logged('The gateway stops when requests in flight are done.');
    expect((await fetch(`${adminUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${adminUrl}/healthz`)).status).toBe(200);
    await expect(fetch(s3Url)).rejects.toThrow();
    let bytes = 0;
    for await (const chunk of answer) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(BIG);
    expect(await cli.ended).toBe(0);
    expect(cli.stdout).toContain('The gateway has stopped.');
  });

  test('a client that takes too long is cut when the time is over, and its answer is visibly short', async () => {
    const { cli, s3Url } = await serveBuilt(['--shutdown-timeout', '200ms'], { env: KEY });
    const answer = await pausedDownload(s3Url);
    cli.process.kill('SIGINT');
    expect(await cli.ended).toBe(0);
    const reading = (async () => {
      for await (const _ of answer);
    })();
    await expect(reading).rejects.toThrow('aborted');
  });

  test('a second signal is obeyed at once', async () => {
    const { cli, s3Url } = await serveBuilt([], { env: KEY });
    const answer = await pausedDownload(s3Url);
    cli.process.kill('SIGTERM');
    await cli.logged('The gateway stops when requests in flight are done.');
    cli.process.kill('SIGTERM');
    expect(await cli.ended).toBe(143);
    answer.destroy();
  });
});

describe('what it is told', () => {
  test('flags win over the environment, the environment over the file', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'dfstore-flags-'));
    await writeFile(
      join(cwd, 'dfstore.yaml'),
      'domain: file\nlimits: { requests: 1, requestsPerKey: 1, connections: 1 }\n',
    );
    const env = { DFSTORE_LIMITS_REQUESTS: '2', DFSTORE_LIMITS_REQUESTS_PER_KEY: '2' };
    const cli = await BuiltCli.start(['config', '--limits-requests-per-key', '3', '--log-requests'], { cwd, env });
    expect(await cli.ended).toBe(0);
    expect(cli.stdout).toContain('# From dfstore.yaml.');
    expect(cli.stdout).toMatch(/domain: file/);
    expect(cli.stdout).toMatch(/connections: 1\n\s+requests: 2\n\s+requestsPerKey: 3\n/);
    expect(cli.stdout).toMatch(/level: info\n\s+requests: true/);
  });

  test('a wrong configuration ends it with 2 and every mistake on standard error', async () => {
    const env = { DFSTORE_LISTEN: 'nowhere', DFSTORE_LIMITS_REQUESTS: 'many' };
    const cli = await BuiltCli.start(['serve'], { env });
    expect(await cli.ended).toBe(2);
    expect(cli.stdout).toBe('');
    expect(cli.stderr).toContain('  - listen (from DFSTORE_LISTEN): ');
    expect(cli.stderr).toContain('  - limits.requests (from DFSTORE_LIMITS_REQUESTS): ');
    expect(cli.stderr).not.toContain(' at ');
  });

  test('a file that was named and is not there ends it with 2', async () => {
    const cli = await BuiltCli.start(['serve', '--config', 'nowhere.yaml']);
    expect(await cli.ended).toBe(2);
    expect(cli.stderr).toContain('nowhere.yaml cannot be read');
  });
});
