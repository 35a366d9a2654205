// The other commands, and what becomes of commands that are none.
import { expect, test } from 'vitest';
import { NAMED_SETTINGS } from '../../src/config/load-config.ts';
import { BuiltCli } from '../support/built-cli.ts';

test('serve --help lists each setting with its flag, its variable and its default', async () => {
  const cli = await BuiltCli.start(['serve', '--help']);
  expect(await cli.ended).toBe(0);
  const text = cli.stdout.replaceAll(/\s+/g, ' ');
  for (const { flag, env, setting } of NAMED_SETTINGS) {
    expect(text).toContain(`${flag} `);
    const defaultText = setting.default === undefined ? '' : `; default ${setting.default}`;
    expect(text).toContain(`${setting.help} (${env}${defaultText})`);
  }
});

test('--version tells the version of the package', async () => {
  const cli = await BuiltCli.start(['--version']);
  expect(await cli.ended).toBe(0);
  expect(cli.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('config shows what would be run, without secrets', async () => {
  const env = {
    DFSTORE_ADMIN_TOKEN: 'hidden-token',
    DFSTORE_ACCESS_KEY_ID: 'AK',
    DFSTORE_SECRET_ACCESS_KEY: 'hidden-key',
  };
  const cli = await BuiltCli.start(['config'], { env });
  expect(await cli.ended).toBe(0);
  expect(cli.stdout).toContain('accessKeyId: AK');
  expect(cli.stdout).not.toContain('hidden');
});

test('config check says yes with 0, and no with 2', async () => {
  const good = await BuiltCli.start(['config', 'check'], { env: { DFSTORE_LISTN: 'x' } });
  expect(await good.ended).toBe(0);
  expect(good.stdout).toBe('The configuration can be used.\n');
  expect(good.stderr).toContain('did you mean DFSTORE_LISTEN?');
  const bad = await BuiltCli.start(['config', 'check', '--listen', 'x']);
  expect(await bad.ended).toBe(2);
  expect(bad.stderr).toContain('listen (from --listen)');
});

test.each([
  [['sreve']],
  [['serve', '--lisen', 'x']],
  [['serve', '--listen']],
  [['serve', 'extra']],
  [['config', 'chekc']],
])('%j is refused with 2 and a hint', async (args) => {
  const cli = await BuiltCli.start(args);
  expect(await cli.ended).toBe(2);
  expect(cli.stderr).toMatch(/^error: .*\n/);
});

test('no command at all prints the help', async () => {
  const cli = await BuiltCli.start([]);
  expect(await cli.ended).toBe(2);
  expect(cli.stderr).toContain('Usage: dfstore');
});
