// How log lines tell the time, and that none is lost where the process ends by itself.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { timeField } from '../../src/cli/log-output.ts';

test('each line has its own millisecond, whichever second it is in', () => {
  const instants = [0, 7, 999, 1000, 1_797_724_805_042, 1_797_724_805_999, 1_797_724_806_000, 1_797_724_805_050];
  let now = 0;
  const time = timeField(() => now);
  for (const instant of instants) {
    now = instant;
    expect(time()).toBe(`,"time":"${new Date(instant).toISOString()}"`);
  }
});

test('what was said just before the end is written, however busy the thread pool is', async () => {
  const built = fileURLToPath(new URL('../../dist/src/cli/log-output.js', import.meta.url));
  const script = `
    import { pbkdf2 } from 'node:crypto';
    import { openLog } from ${JSON.stringify(built)};
    process.once('exit', () => pbkdf2('', '', 1_000_000, 8, 'sha512', () => undefined));
    const log = openLog('info');
    log.info('first');
    log.info('last');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: process.env.PATH, UV_THREADPOOL_SIZE: '1' },
  });
  expect(stdout.match(/"msg":"\w+"/g)).toEqual(['"msg":"first"', '"msg":"last"']);
});
