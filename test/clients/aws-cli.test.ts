// The aws CLI with its defaults, as an operator types it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { isInstalled, run, storyName } from './support/command.ts';
import { makeSampleFiles, sha256 } from './support/sample-files.ts';

const installed = isInstalled('aws');

describe(storyName('aws CLI', installed), () => {
  for (const scheme of ['http', 'https'] as const) {
    test.skipIf(!installed)(`tells the whole story over ${scheme}`, { timeout: 240_000 }, async () => {
      await using gateway = await startGateway({ tls: scheme === 'https' });
      const files = await makeSampleFiles();
      const trust = gateway.caFile === undefined ? [] : ['--ca-bundle', gateway.caFile];
      const aws = (...args: string[]) =>
        run('aws', ['--endpoint-url', gateway.s3Url, ...trust, ...args], gateway.awsEnvironment);

      await aws('s3', 'mb', 's3://cli');
      await aws('s3', 'cp', files.small, 's3://cli/docs/small.txt');
      expect(await aws('s3', 'cp', 's3://cli/docs/small.txt', '-')).toBe(await readFile(files.small, 'utf8'));

      await aws('s3', 'cp', files.big, 's3://cli/big.bin', '--no-progress');
      await aws('s3', 'cp', 's3://cli/big.bin', 's3://cli/copies/big.bin', '--no-progress');
      const back = join(files.folder, 'back');
      await aws('s3', 'cp', 's3://cli/copies/big.bin', back, '--no-progress');
      expect(await sha256(back)).toBe(files.bigSha256);

      const piece = join(files.folder, 'piece');
      await aws('s3api', 'get-object', '--bucket', 'cli', '--key', 'big.bin', '--range', 'bytes=5-14', piece);
      expect(await readFile(piece)).toEqual((await readFile(files.big)).subarray(5, 15));

      const listing = await aws('s3', 'ls', 's3://cli/');
      expect(
        listing
          .trim()
          .split('\n')
          .map((line) => line.trim().split(/\s+/).at(-1)),
      ).toEqual(['copies/', 'docs/', 'big.bin']);

      const url = (await aws('s3', 'presign', 's3://cli/docs/small.txt', '--region', 'us-east-1')).trim();
      if (url.includes('X-Amz-Signature') && gateway.caFile === undefined) {
        expect(await (await fetch(url)).text()).toBe(await readFile(files.small, 'utf8'));
      }

      await aws('s3', 'rm', 's3://cli', '--recursive');
      await aws('s3', 'rb', 's3://cli');
      expect((await aws('s3', 'ls')).trim()).toBe('');
      await files.remove();
    });
  }
});
