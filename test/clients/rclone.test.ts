// rclone: HEAD around each put, unsigned payloads with Content-MD5, V1 lists, server-side copies, multipart.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { isInstalled, run, storyName } from './support/command.ts';
import { makeSampleFiles, sha256 } from './support/sample-files.ts';

const installed = isInstalled('rclone');

describe(storyName('rclone', installed), () => {
  test.skipIf(!installed)('tells the whole story', { timeout: 240_000 }, async () => {
    await using gateway = await startGateway();
    const files = await makeSampleFiles();
    const environment = {
      RCLONE_CONFIG_DF_TYPE: 's3',
      RCLONE_CONFIG_DF_PROVIDER: 'Other',
      RCLONE_CONFIG_DF_ENDPOINT: gateway.s3Url,
      RCLONE_CONFIG_DF_ACCESS_KEY_ID: gateway.accessKeyId,
      RCLONE_CONFIG_DF_SECRET_ACCESS_KEY: gateway.secretAccessKey,
      RCLONE_CONFIG: '/dev/null',
      // rclone 1.60 refuses to start with a CA bundle set.
      AWS_CA_BUNDLE: '',
    };
    const rclone = (...args: string[]) =>
      run('rclone', ['--retries', '1', '--low-level-retries', '1', ...args], environment);

    await rclone('mkdir', 'df:clone');
    await rclone('copyto', '--s3-upload-cutoff', '20M', files.big, 'df:clone/big.bin');
    await rclone('copyto', 'df:clone/big.bin', 'df:clone/copies/big.bin');
    const back = join(files.folder, 'back');
    await rclone('copyto', 'df:clone/copies/big.bin', back);
    expect(await sha256(back)).toBe(files.bigSha256);
    expect(await rclone('cat', '--offset', '5', '--count', '10', 'df:clone/big.bin')).toBe(
      (await readFile(files.big)).subarray(5, 15).toString('utf8'),
    );

    const tree = join(files.folder, 'tree');
    await mkdir(join(tree, 'a b', 'ü'), { recursive: true });
    for (const name of ['one', 'a b/two', 'a b/ü/three+%25']) await writeFile(join(tree, name), name);
    await rclone('sync', tree, 'df:clone/tree');
    await rclone('check', '--download', tree, 'df:clone/tree');

    expect((await rclone('lsf', 'df:clone')).trim().split('\n').sort()).toEqual(['big.bin', 'copies/', 'tree/']);
    await rclone('purge', 'df:clone');
    expect((await rclone('lsf', 'df:')).trim()).toBe('');
    await files.remove();
  });
});
