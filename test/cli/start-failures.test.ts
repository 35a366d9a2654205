// What an operator is told when the gateway cannot start: one sentence that names the setting, and an exit code.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explainStart } from '../../src/cli/explain-start.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { BuiltCli, serveBuilt } from '../support/built-cli.ts';

const PORTS = ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'];
const PAIR = ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem'];

test.each([
  ['data that is a file', ['--data', 'file'], 'file (setting data) cannot be used: it is a file, not a directory.'],
  [
    'data below a file',
    ['--data', 'file/data'],
    'file/data (setting data) cannot be used: a part of its path is a file, not a directory.',
  ],
  [
    'credentials that are not there',
    ['--auth-credentials', 'nowhere.json'],
    'nowhere.json (setting auth.credentials) cannot be used: there is no such file or directory.',
  ],
  [
    'credentials that are no list',
    ['--auth-credentials', 'object.json'],
    'The credentials file object.json cannot be used: credentials: must be a list',
  ],
  [
    'a certificate that is not there',
    ['--tls-cert', 'nowhere.pem', '--tls-key', 'key.pem'],
    'nowhere.pem (setting tls.cert) cannot be used: there is no such file or directory.',
  ],
  ['a certificate that is none', PAIR, 'The file of tls.cert, cert.pem, is not in PEM format.'],
  [
    'a certificate that cannot be read as one',
    ['--tls-cert', 'empty.pem', '--tls-key', 'empty.pem'],
    'The files of tls.cert and tls.key cannot be used: ',
  ],
])('%s ends it with 1 and one sentence', async (_, args, sentence) => {
  const cwd = await mkdtemp(join(tmpdir(), 'dfstore-start-'));
  for (const name of ['file', 'cert.pem', 'key.pem']) await writeFile(join(cwd, name), 'not what it should be');
  await writeFile(join(cwd, 'empty.pem'), '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n');
  await writeFile(join(cwd, 'object.json'), '{"accessKeyId":"AK1","secretAccessKey":"hidden-secret"}');
  await mkdir(join(cwd, 'data'));
  const cli = await BuiltCli.start(['serve', ...PORTS, '--data', 'data', ...args], { cwd });
  expect(await cli.ended).toBe(1);
  expect(cli.stderr).toContain(sentence);
  expect(cli.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(cli.stderr).not.toContain('hidden-secret');
});

test('a second gateway on the same data is refused, and the first goes on', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'dfstore-twice-'));
  const { adminUrl } = await serveBuilt([], { cwd });
  const second = await BuiltCli.start(['serve', ...PORTS], { cwd });
  expect(await second.ended).toBe(1);
  expect(second.stderr).toMatch(/^Backend 'local' cannot be opened: Another gateway uses this root/);
  expect((await fetch(`${adminUrl}/readyz`)).status).toBe(200);
});

test('a file is told by the setting that is closest to it', () => {
  const flags = { data: '/d', 'cache.disks': '[/d/cache, /other]', 'auth.credentials': '/d/keys.json' };
  const { config } = loadConfig({ env: {}, flags });
  const told = (path: string, code: string) => {
    const error = Object.assign(new Error('raw'), { code, path });
    const explained = explainStart(error, config);
    return explained === error ? undefined : (explained as Error).message;
  };
  expect(told('/d', 'EACCES')).toBe('/d (setting data) cannot be used: the user the gateway runs as may not use it.');
  expect(told('/d/cache/v1', 'EROFS')).toContain('(setting cache.disks)');
  expect(told('/d/keys.json', 'ENOENT')).toContain('(setting auth.credentials)');
  expect(told('/d/objects/x', 'ENOSPC')).toBe(
    '/d/objects/x (setting backends.local.root) cannot be used: the disk is full.',
  );
  expect(told('/d/file', 'EWEIRD')).toBe('/d/file (setting data) cannot be used: raw.');
  expect(told('/data', 'ENOENT')).toBeUndefined();
});
