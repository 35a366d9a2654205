// Triton: a model repository as directories that are guessed from HeadBucket and lists, models fetched whole, and
// Last-Modified polled to see that one has changed.
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { elements, type PatternClient, startPatternClient } from '../support/pattern-client.ts';

async function isDirectory(client: PatternClient, path: string): Promise<boolean> {
  await client.ask(200, { method: 'HEAD', path: '' });
  const prefix = encodeURIComponent(`${path}/`);
  return elements(await client.ask(200, { path: `?list-type=2&prefix=${prefix}` }), 'Key').length > 0;
}

async function modified(client: PatternClient, path: string): Promise<number> {
  const head = await client.ask(200, { method: 'HEAD', path: `/${path}` });
  return Date.parse(head.headers['last-modified'] ?? '');
}

function crc32Of(bytes: Buffer): string {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return digest.toString('base64');
}

test('Triton finds models, loads them whole, and sees that one was replaced', async () => {
  await using client = await startPatternClient({ 'x-amz-checksum-mode': 'ENABLED' });
  const model = Buffer.alloc(200_000, 'weights');
  const checksum = { 'x-amz-checksum-crc32': crc32Of(model) };
  await client.ask(200, { method: 'PUT', path: '/models/resnet/config.pbtxt', body: 'name: "resnet"' });
  await client.ask(200, { method: 'PUT', path: '/models/resnet/1/model.onnx', body: model, headers: checksum });
  expect(await isDirectory(client, 'models')).toBe(true);
  expect(await isDirectory(client, 'models/resnet')).toBe(true);
  expect(await isDirectory(client, 'models/resnet/1')).toBe(true);
  expect(await isDirectory(client, 'models/resnet/2')).toBe(false);
  // No directory by that name, though names begin with it.
  expect(await isDirectory(client, 'models/res')).toBe(false);
  await client.ask(404, { method: 'HEAD', path: '/models/resnet/2/model.onnx' });

  const loaded = await client.ask(200, { path: '/models/resnet/1/model.onnx' });
  expect(loaded.body.equals(model)).toBe(true);
  // Its SDK checks what it got against it.
  expect(loaded.headers).toMatchObject({ ...checksum, 'x-amz-checksum-type': 'FULL_OBJECT' });
  const before = await modified(client, 'models/resnet/config.pbtxt');
  expect(before % 1000).toBe(0);
  expect(await modified(client, 'models/resnet/config.pbtxt')).toBe(before);
  await expect
    .poll(
      async () => {
        await client.ask(200, { method: 'PUT', path: '/models/resnet/config.pbtxt', body: 'name: "resnet50"' });
        return modified(client, 'models/resnet/config.pbtxt');
      },
      { interval: 200, timeout: 10_000 },
    )
    .toBeGreaterThan(before);
});
