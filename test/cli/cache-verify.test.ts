// dfstore cache verify and dfstore status, as operators use them: the built command line against a running gateway.
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { BuiltCli, serveBuilt } from '../support/built-cli.ts';
import { freePort } from '../support/free-port.ts';
import { testClient } from '../support/test-client.ts';

const KEY = { accessKeyId: 'TESTACCESSKEY', secretAccessKey: 'test-secret-access-key' };
const Bucket = 'bucket';
const SIZE = 1_500_000;

/** A gateway that caches what lies in a directory, holding two objects of two pieces each. */
async function cachingGateway(settings: Record<string, unknown> = {}, flags: readonly string[] = []) {
  const cwd = await mkdtemp(join(tmpdir(), 'dfstore-verify-'));
  const config = {
    data: join(cwd, 'data'),
    auth: { credentials: [KEY] },
    backends: { local: { type: 'fs', root: join(cwd, 'objects') } },
    buckets: { '*': { backend: 'local', cache: 'on' } },
    cache: { pieceSize: '1MiB', memory: 0 },
    ...settings,
  };
  await writeFile(join(cwd, 'dfstore.yaml'), stringify(config));
  const gateway = await serveBuilt(flags, { cwd });
  const s3 = testClient({ ...gateway, ...KEY });
  onTestFinished(() => s3.destroy());
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const Key of ['one', 'two']) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(SIZE, Key) }));
  }
  const bytesOf = async (Key: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  return { ...gateway, cwd, bytesOf };
}

/** Flips one bit of the largest cached file. */
async function damageOnePiece(cwd: string): Promise<void> {
  const root = join(cwd, 'data', 'cache');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map(async (file) => ({ file, bytes: await readFile(file) })));
  const [largest] = contents.toSorted((a, b) => b.bytes.length - a.bytes.length);
  if (largest === undefined) throw new Error('Nothing is cached.');
  largest.bytes[100_000] = (largest.bytes[100_000] ?? 0) ^ 4;
  await writeFile(largest.file, largest.bytes);
}

async function run(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const cli = await BuiltCli.start(args, options);
  return { code: await cli.ended, stdout: cli.stdout, stderr: cli.stderr };
}

describe('cache verify', () => {
  test('finds what was damaged by hand and exits with 1; after that everything is sound again', async () => {
    const { adminUrl, cwd, bytesOf } = await cachingGateway();
    const verify = () => run(['cache', 'verify', '--admin', adminUrl]);
    const clean = await verify();
    expect(clean.stdout).toMatch(/^Verified 4 pieces \(2\.9 MiB\), none damaged, in .* s\.\n$/);
    expect(clean).toMatchObject({ code: 0, stderr: '' });

    await damageOnePiece(cwd);
    const damaged = await verify();
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toMatch(
      /^damaged: "(one|two)" of bucket bucket at local, piece 0 \(1\.0 MiB\); discarded$/m,
    );
    expect(damaged.stdout).toMatch(/^Verified 4 pieces .*, 1 damaged, in /m);

    const after = await verify();
    expect(after.stdout).toContain('Verified 3 pieces');
    expect(after.code).toBe(0);
    for (const key of ['one', 'two']) expect((await bytesOf(key)).equals(Buffer.alloc(SIZE, key))).toBe(true);
    await expect.poll(async () => (await verify()).stdout).toContain('Verified 4 pieces');
  });

  test('--json tells a document a line, the sums last', async () => {
    const { adminUrl, cwd } = await cachingGateway();
    await damageOnePiece(cwd);
    const { code, stdout } = await run(['cache', 'verify', '--json', '--rate', '100MiB', '--admin', adminUrl]);
    expect(code).toBe(1);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ type }) => type === 'damaged')).toEqual([
      expect.objectContaining({ origin: 'local', bucket: 'bucket', piece: 0, bytes: 1_048_576 }),
    ]);
    expect(lines.at(-1)).toMatchObject({
      type: 'summary',
      pieces: 4,
      bytes: 2 * SIZE,
      sound: 3,
      damaged: 1,
      absent: 0,
    });
  });

  test('where caching is off it says so and exits with 1', async () => {
    const { adminUrl } = await cachingGateway({ cache: { enabled: false } });
    const { code, stdout, stderr } = await run(['cache', 'verify', '--admin', adminUrl]);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: 'This gateway caches nothing: cache.enabled is false.\n',
    });
  });

  test('a gateway that ends meanwhile leaves no summary behind, and an exit code of 1', async () => {
    const { cli, adminUrl } = await cachingGateway();
    // Slow enough never to come to its end by itself.
    const verifying = await BuiltCli.start(['cache', 'verify', '--rate', '1KiB', '--json', '--admin', adminUrl]);
    await verifying.says('progress');
    expect((await run(['cache', 'verify', '--admin', adminUrl])).stderr).toContain('already');
    cli.process.kill('SIGKILL');
    expect(await verifying.ended).toBe(1);
    expect(verifying.stdout).not.toContain('summary');
    expect(verifying.stderr).toMatch(/^The gateway at .* broke off its answer \(.*\)\.\n$/);
  });
});

describe('status', () => {
  test('is a table for people and JSON for programs', async () => {
    const { adminUrl, bytesOf } = await cachingGateway();
    await bytesOf('one');
    const table = await run(['status', '--admin', adminUrl]);
    expect(table.code).toBe(0);
    expect(table.stdout).toMatch(/^gateway +dfstore \d+\.\d+\.\d+, serving, up for /);
    expect(table.stdout).toMatch(/^backend local +fs, answers \(/m);
    expect(table.stdout).toMatch(/^cache +\d+\.\d MiB of 50\.0 GiB on disk \(0 %\), 0 bytes in memory, 4 pieces$/m);
    expect(table.stdout).toMatch(/^requests +PutObject 2, /m);
    expect(table.stdout).toMatch(/^served +disk 1\.4 MiB \(100\.0 % from this cache\)$/m);
    const json = await run(['status', '--json', '--admin', adminUrl]);
    expect(JSON.parse(json.stdout)).toMatchObject({ phase: 'serving', requests: { PutObject: 2 }, buckets: {} });
  });

  test('the configuration names the gateway and its token, the environment another token', async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const { cwd } = await cachingGateway({ admin: { listen, token: 'right' } }, ['--admin-listen', listen]);
    expect((await run(['status'], { cwd })).stderr).toBe('');
    const wrong = await run(['status'], { cwd, env: { DFSTORE_ADMIN_TOKEN: 'wrong' } });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('asks for its admin token: give the one of its configuration');
    expect((await run(['status', '--admin', listen, '--token', 'right'])).code).toBe(0);
  });
});

describe('what stands in the way is said in a sentence', () => {
  test('nobody answers', async () => {
    const admin = `http://127.0.0.1:${await freePort()}`;
    for (const verb of [['status'], ['cache', 'verify']]) {
      const { code, stdout, stderr } = await run([...verb, '--admin', admin]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toBe(
        `No gateway answers at ${admin} (connect ECONNREFUSED ${admin.slice('http://'.length)}). Is it running there?\n`,
      );
    }
  });

  test('something else answers', async () => {
    const other = createServer((_request, response) => response.end('<html>'));
    other.listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await expect.poll(() => other.listening).toBe(true);
    const admin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    for (const verb of [['status'], ['cache', 'verify']]) {
      const { code, stderr } = await run([...verb, '--admin', admin]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/is not the admin port of this version|ended its answer/);
    }
  });

  test.each([
    [['status', '--admin', 'ftp://here'], "--admin: 'ftp://here' is not a URL"],
    [['cache', 'verify', '--rate', 'fast', '--admin', '127.0.0.1:1'], "'fast' is not a size"],
    [['cache', 'verify', '--rate', '0', '--admin', '127.0.0.1:1'], '--rate: must be at least 1 byte a second'],
    [['status', '--config', 'nowhere.yaml'], 'nowhere.yaml cannot be read'],
  ])('%j ends with 2', async (args, message) => {
    const { code, stderr } = await run(args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
