// Promise 3 of docs/SEMANTICS.md: whatever changes at the origin while it is read, a response that ends cleanly is made
// of one version, and one that cannot be is cut.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cacheWorld, KIB, MIB } from '../support/cache-world.ts';
import { syntheticBytes } from '../support/synthetic-origin.ts';

const SIZES = [100, 300 * KIB, MIB, 2 * MIB + 17];

const change = fc.record({ afterChunks: fc.integer({ min: 0, max: 60 }), size: fc.constantFrom(...SIZES, -1) });
const reading = fc.record({ from: fc.double({ min: 0, max: 1, noNaN: true }), pauses: fc.integer({ min: 0, max: 5 }) });

for (const freshMs of [0, 60_000, Number.POSITIVE_INFINITY]) {
  test(`random changes during random reads: what ends cleanly is of one version (freshness ${freshMs} ms)`, {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.array(reading, { minLength: 1, maxLength: 6 }),
        (changes, readings) => story(freshMs, changes, readings),
      ),
      { numRuns: 40 },
    );
  });
}

interface Change {
  readonly afterChunks: number;
  readonly size: number;
}

interface Reading {
  readonly from: number;
  readonly pauses: number;
}

async function story(freshMs: number, changes: readonly Change[], readings: readonly Reading[]): Promise<void> {
  const world = cacheWorld({
    freshness: { freshMs, missingFreshMs: 0 },
    options: { pieceSize: 256 * KIB, parallelPieces: () => 2 },
  });
  let version = 0;
  const set = (size: number) => {
    version += 1;
    if (size < 0) world.origin.remove('k');
    else world.origin.set('k', size, { etag: `v${version}` });
  };
  set(2 * MIB + 17);
  let chunks = 0;
  world.origin.beforeChunk = async () => {
    chunks += 1;
    for (const { afterChunks, size } of changes) if (afterChunks === chunks) set(size);
    await new Promise((resolve) => setImmediate(resolve));
  };
  for (const { size, afterChunks } of changes) if (afterChunks === 0) set(size);
  await Promise.all(readings.map((one) => read(world, one)));
  // Later readers too: what the changes left on the shelf is of one version each.
  for (const one of readings) await read(world, one);
}

/** Rejects only when bytes of two versions, or wrong ones, came. */
async function read(world: ReturnType<typeof cacheWorld>, { from, pauses }: Reading): Promise<void> {
  const start = Math.floor(from * 2 * MIB);
  const parts: Buffer[] = [];
  let told: { etag: string; end: number } | undefined;
  let clean = false;
  try {
    const { info, range, chunks } = await world.read('k', start === 0 ? {} : { range: { start } });
    told = { etag: info.etag, end: range?.end ?? info.sizeBytes };
    for await (const { bytes, release } of chunks) {
      parts.push(Buffer.from(bytes));
      release();
      for (let pause = 0; pause < pauses; pause += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    clean = true;
  } catch (error) {
    expect((error as { code?: string }).code).toMatch(/^(VersionChanged|NoSuchKey|InvalidRange|Unavailable)$/);
  }
  if (told === undefined) return;
  const got = Buffer.concat(parts);
  expect(got.equals(syntheticBytes(told.etag, start, start + got.length))).toBe(true);
  if (clean) expect(start + got.length).toBe(told.end);
}
