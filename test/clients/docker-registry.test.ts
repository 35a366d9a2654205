// Debian's docker-registry on a bucket, and skopeo pushing an image to it and pulling it back: large layers go through
// uploads of parts and copies of parts, pulls through presigned URLs.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { freePort } from '../support/free-port.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { isInstalled, run, storyName } from './support/command.ts';
import { makeOciImage } from './support/oci-image.ts';

const installed = isInstalled('docker-registry') && isInstalled('skopeo');
/** Above what the registry copies in one piece (32 MiB), and below. */
const LAYERS = [40 * 1024 * 1024, 100_000];

async function startRegistry(
  gateway: TestGateway,
  folder: string,
): Promise<{ address: string; stop(): Promise<void> }> {
  const address = `127.0.0.1:${await freePort()}`;
  const config = {
    version: 0.1,
    log: { level: 'warn' },
    http: { addr: address, secret: 'of-a-test' },
    storage: {
      s3: {
        accesskey: gateway.accessKeyId,
        secretkey: gateway.secretAccessKey,
        region: 'us-east-1',
        regionendpoint: gateway.s3Url,
        bucket: 'registry',
        secure: false,
        v4auth: true,
      },
      delete: { enabled: true },
    },
  };
  const file = join(folder, 'registry.yml');
  await writeFile(file, stringify(config));
  const registry = spawn('docker-registry', ['serve', file], {
    // Its SDK does not start with a bundle of its own.
    env: { ...process.env, AWS_CA_BUNDLE: undefined },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  registry.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  await expect.poll(() => answers(address, registry, () => said), { timeout: 30_000, interval: 100 }).toBe(true);
  return { address, stop: () => stop(registry) };
}

async function answers(address: string, registry: ChildProcess, said: () => string): Promise<boolean> {
  if (registry.exitCode !== null) throw new Error(`The registry ended: ${said()}`);
  try {
    return (await fetch(`http://${address}/v2/`)).ok;
  } catch {
    return false;
  }
}

async function stop(registry: ChildProcess): Promise<void> {
  if (registry.exitCode !== null) return;
  registry.kill();
  await once(registry, 'exit');
}

describe(storyName('docker-registry and skopeo', installed), () => {
  test.skipIf(!installed)('push an image and pull it back', { timeout: 240_000 }, async () => {
    await using gateway = await startGateway();
    const client = new S3Client({
      endpoint: gateway.s3Url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: gateway,
    });
    await client.send(new CreateBucketCommand({ Bucket: 'registry' }));
    const folder = await mkdtemp(join(tmpdir(), 'dfstore-registry-'));
    const registry = await startRegistry(gateway, folder);
    try {
      const [image, back] = [join(folder, 'image'), join(folder, 'back')];
      const blobs = await makeOciImage(image, LAYERS);
      const name = `docker://${registry.address}/team/app:v1`;
      const plain = ['--insecure-policy', 'copy', '--dest-tls-verify=false', '--src-tls-verify=false'];
      await run('skopeo', [...plain, `oci:${image}:latest`, name]);
      await run('skopeo', [...plain, name, `oci:${back}:latest`]);
      for (const blob of blobs) {
        const bytes = (root: string) => readFile(join(root, 'blobs', 'sha256', blob));
        expect((await bytes(back)).equals(await bytes(image))).toBe(true);
      }

      const [layer] = blobs;
      const pull = await fetch(`http://${registry.address}/v2/team/app/blobs/sha256:${layer}`, { redirect: 'manual' });
      expect([pull.status, new URL(pull.headers.get('location') ?? '').origin]).toEqual([307, gateway.s3Url]);
      const listed = await client.send(new ListObjectsV2Command({ Bucket: 'registry' }));
      const keys = (listed.Contents ?? []).map(({ Key = '' }) => Key);
      expect(keys.filter((key) => key.endsWith('/data'))).toHaveLength(blobs.length);
      expect(keys.filter((key) => key.includes('/_uploads/'))).toEqual([]);
    } finally {
      await registry.stop();
      client.destroy();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
