// Promises 4 and 5 of docs/SEMANTICS.md on one gateway, over HTTP on both sides: each byte is read from the origin once,
// and nobody waits for whole pieces.
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { CachedGateway } from '../support/cached-gateway.ts';
import { SyntheticOrigin, syntheticBytes } from '../support/synthetic-origin.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const PIECE = 4 * MIB;
const CLIENTS = 200;
const LIMITS = { requests: 512, requestsPerKey: 512 };

test('over HTTP, 200 clients reading random overlapping ranges of 256 MiB read each piece from the origin once', {
  timeout: 180_000,
}, async () => {
  const size = 256 * MIB;
  const origin = new SyntheticOrigin();
  origin.set('k', size);
  await using world = await CachedGateway.start({
    origin,
    bucket: { freshness: '60s' },
    cache: { readAhead: 0 },
    limits: LIMITS,
  });
  const touched = new Set<number>();
  const reads = Array.from({ length: CLIENTS }, async () => {
    const { start, end } = randomRange(size, MIB);
    for (let piece = Math.floor(start / PIECE); piece * PIECE < end; piece += 1) touched.add(piece);
    const { status, body } = await world.get('/models/k', { range: `bytes=${start}-${end - 1}` });
    expect(status).toBe(206);
    expect(body.equals(syntheticBytes('etag-of-k', start, end))).toBe(true);
  });
  await Promise.all(reads);
  // The rest of a piece comes in after those who wanted some of it have it.
  await expect.poll(() => origin.counts.bodyBytes).toBeGreaterThanOrEqual(touched.size * PIECE);
  expect(origin.counts.bodyBytes).toBe(touched.size * PIECE);
  await expect.poll(() => world.metric('dfstore_origin_read_bytes_total')).toBe(touched.size * PIECE);
});

test('over HTTP, with half of 200 clients leaving at random, no byte is read from the origin twice', {
  timeout: 180_000,
}, async () => {
  const size = 256 * MIB;
  const origin = new SyntheticOrigin();
  origin.set('k', size);
  await using world = await CachedGateway.start({
    origin,
    bucket: { freshness: '60s' },
    cache: { readAhead: 0 },
    limits: LIMITS,
  });
  await world.get('/models/k', { range: 'bytes=0-0' });
  const reads = Array.from({ length: CLIENTS }, async (_, index) => {
    const { start, end } = randomRange(size, 3 * MIB);
    const response = await world.open({ path: '/models/k', headers: { range: `bytes=${start}-${end - 1}` } });
    const parts: Buffer[] = [];
    let bytes = 0;
    const leaveAt = index % 2 === 0 ? Math.random() * (end - start) : Number.POSITIVE_INFINITY;
    response.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      bytes += chunk.length;
      if (bytes >= leaveAt) response.destroy();
    });
    await once(response, 'close');
    const got = Buffer.concat(parts);
    expect(got.equals(syntheticBytes('etag-of-k', start, start + got.length))).toBe(true);
    if (leaveAt === Number.POSITIVE_INFINITY) expect(got.length).toBe(end - start);
  });
  await Promise.all(reads);
  const { body } = await world.get('/models/k');
  expect(body.equals(syntheticBytes('etag-of-k', 0, size))).toBe(true);
  expect(origin.counts.bodyBytes).toBe(size);
});

test('over HTTP, 100 cold GETs of a small object cost one origin request, and at freshness 0 one body', async () => {
  for (const freshness of ['60s', '0s']) {
    const origin = new SyntheticOrigin();
    origin.set('k', 10 * KIB);
    await using world = await CachedGateway.start({ origin, bucket: { freshness }, limits: LIMITS });
    const all = await Promise.all(Array.from({ length: 100 }, () => world.get('/models/k')));
    for (const { status, body, headers } of all) {
      expect(status).toBe(200);
      expect(headers['x-dfstore-source']).toMatch(/^(origin|memory|disk)$/);
      expect(headers['x-dfstore-version-age']).toMatch(/^\d+\.\d{3}$/);
      expect(body.equals(syntheticBytes('etag-of-k', 0, 10 * KIB))).toBe(true);
    }
    const { gets, heads, notModified, bodyBytes } = origin.counts;
    expect(bodyBytes).toBe(10 * KIB);
    if (freshness === '60s') expect(gets).toBe(1);
    else expect(notModified).toBe(gets - 1);
    // 'Not modified' told with Last-Modified says it all.
    expect(heads).toBe(0);
  }
});

test('while an origin of 1 MiB/s sends a piece, a second reader has its first byte within 50 ms of asking', {
  timeout: 30_000,
}, async () => {
  const origin = new SyntheticOrigin();
  origin.set('k', PIECE);
  // Chunks are of 64 KiB: sixteen of them a second.
  origin.beforeChunk = () => new Promise((resolve) => setTimeout(resolve, 62));
  await using world = await CachedGateway.start({ origin, bucket: { freshness: '60s' } });
  const first = await world.open({ path: '/models/k' });
  await firstByte(first);
  const waits: number[] = [];
  for (let reader = 0; reader < 5; reader += 1) {
    const asked = performance.now();
    const second = await world.open({ path: '/models/k' });
    await firstByte(second);
    waits.push(performance.now() - asked);
    expect(origin.counts.bodyBytes).toBeLessThan(PIECE);
    second.destroy();
  }
  // The median: this machine does other things too.
  expect(waits.toSorted((a, b) => a - b)[2]).toBeLessThan(50);
  first.destroy();
  expect(origin.counts.gets).toBe(1);
});

test('over HTTP, the last bytes of a cold 10 GiB object cost the one piece they are in', async () => {
  const size = 10 * 1024 * MIB;
  const origin = new SyntheticOrigin();
  origin.set('k', size);
  await using world = await CachedGateway.start({ origin });
  const { status, body } = await world.get('/models/k', { range: 'bytes=-100000' });
  expect(status).toBe(206);
  expect(body.equals(syntheticBytes('etag-of-k', size - 100_000, size))).toBe(true);
  expect(origin.counts.bodyBytes).toBe(PIECE);
});

test('clients who stop reading hold no more memory than the settings allow, and hold up no one else', {
  timeout: 120_000,
}, async () => {
  const origin = new SyntheticOrigin();
  const slow = 40;
  for (let key = 0; key < slow; key += 1) origin.set(`k${key}`, 64 * MIB);
  await using world = await CachedGateway.start({
    origin,
    bucket: { freshness: '60s' },
    cache: { inFlight: '16MiB', memory: '16MiB', readAhead: 0 },
    limits: LIMITS,
  });
  await world.get('/models/k0', { range: 'bytes=0-0' });
  const before = process.memoryUsage();
  const stalled = await Promise.all(Array.from({ length: slow }, (_, key) => world.open({ path: `/models/k${key}` })));
  for (const response of stalled) {
    response.pause();
    expect(response.statusCode).toBe(200);
  }
  const { body } = await world.get('/models/k0');
  expect(body.equals(syntheticBytes('etag-of-k0', 0, 64 * MIB))).toBe(true);
  for (let rest = 0; rest < 1000; rest += 1) await turn();
  const after = process.memoryUsage();
  // 16 MiB in flight, 16 MiB in memory, the pools of free buffers (96 MiB), and a chunk of 1 MiB at most for each client
  // at each end of its connection; 40 cold pieces of 4 at a time, held whole, would be 640 MiB.
  const heldBytes = after.arrayBuffers - before.arrayBuffers;
  expect(heldBytes).toBeLessThan((16 + 16 + 96 + 2 * slow) * MIB + body.length);
  for (const response of stalled) response.destroy();
});

function randomRange(size: number, maxBytes: number): { start: number; end: number } {
  const start = Math.floor(Math.random() * size);
  return { start, end: Math.min(size, start + 1 + Math.floor(Math.random() * 2 * maxBytes)) };
}

async function firstByte(response: NodeJS.ReadableStream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    response.once('data', () => {
      response.pause();
      resolve();
    });
    response.once('error', reject);
  });
}
