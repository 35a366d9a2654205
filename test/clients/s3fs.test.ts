// s3fs: a bucket as a file system, where this machine lets one be mounted.
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { isInstalled, run, storyName } from './support/command.ts';
import { makeSampleFiles, sha256 } from './support/sample-files.ts';

const installed = isInstalled('s3fs') && isInstalled('fusermount') && hasFuse();

function hasFuse(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

describe(storyName('s3fs', installed), () => {
  test.skipIf(!installed)('mounts a bucket, and files are files', { timeout: 240_000 }, async () => {
    await using gateway = await startGateway();
    const client = new S3Client({
      endpoint: gateway.s3Url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: gateway,
    });
    await client.send(new CreateBucketCommand({ Bucket: 'mounted' }));
    const folder = await mkdtemp(join(tmpdir(), 'dfstore-s3fs-'));
    const [mount, passwords] = [join(folder, 'mount'), join(folder, 'passwd')];
    await mkdir(mount);
    await writeFile(passwords, `${gateway.accessKeyId}:${gateway.secretAccessKey}`, { mode: 0o600 });
    const options = [
      `url=${gateway.s3Url}`,
      `passwd_file=${passwords}`,
      'use_path_request_style',
      'endpoint=us-east-1',
    ];
    await run('s3fs', ['mounted', mount, ...options.flatMap((option) => ['-o', option])]);
    const files = await makeSampleFiles();
    try {
      await mkdir(join(mount, 'dir'));
      await writeFile(join(mount, 'dir', 'small.txt'), 'through the file system');
      await run('cp', [files.big, join(mount, 'dir', 'big.bin')]);
      expect((await readdir(join(mount, 'dir'))).sort()).toEqual(['big.bin', 'small.txt']);
      expect(await sha256(join(mount, 'dir', 'big.bin'))).toBe(files.bigSha256);
      await chmod(join(mount, 'dir', 'small.txt'), 0o600);
      expect((await stat(join(mount, 'dir', 'small.txt'))).mode & 0o777).toBe(0o600);
      await rename(join(mount, 'dir', 'small.txt'), join(mount, 'dir', 'renamed.txt'));
      expect(await readFile(join(mount, 'dir', 'renamed.txt'), 'utf8')).toBe('through the file system');
      const direct = await client.send(new GetObjectCommand({ Bucket: 'mounted', Key: 'dir/renamed.txt' }));
      expect(await direct.Body?.transformToString()).toBe('through the file system');
      await expect(stat(join(mount, 'dir', 'small.txt'))).rejects.toThrow('ENOENT');
      for (const name of ['renamed.txt', 'big.bin']) await rm(join(mount, 'dir', name));
      await rmdir(join(mount, 'dir'));
      expect(await readdir(mount)).toEqual([]);
    } finally {
      await run('fusermount', ['-u', mount]);
      client.destroy();
      await files.remove();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
