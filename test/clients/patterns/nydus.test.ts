// Nydus: images read lazily by ranges; every header is signed, and Host is sent and signed without its port.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { startPatternClient } from '../support/pattern-client.ts';

test('Nydus reads a blob by ranges with a Host that has no port', async () => {
  await using client = await startPatternClient();
  const blob = randomBytes(3 * 1024 * 1024);
  await client.ask(200, { method: 'PUT', path: '/blobs/sha256:abc', body: blob });
  const host = client.host.replace(/:\d+$/, '');
  const lazily = { path: '/blobs/sha256:abc', host, headers: { accept: '*/*', 'user-agent': 'nydus' } };
  const head = await client.ask(200, { ...lazily, method: 'HEAD' });
  expect(head.headers['content-length']).toBe(String(blob.length));
  for (const [start, end] of [
    [0, 4096],
    [1_048_576, 2_097_152],
    [3_145_000, 3_145_728],
  ] as const) {
    const range = `bytes=${start}-${end - 1}`;
    const part = await client.ask(206, { ...lazily, headers: { ...lazily.headers, range } });
    expect(part.body.equals(blob.subarray(start, end))).toBe(true);
  }
  expect((await client.ask(200, lazily)).body.equals(blob)).toBe(true);
});
