// Promise 1 of docs/SEMANTICS.md on one gateway: after a write was acknowledged, no read that starts later sees anything
// older, whatever else is written and read at the same time, and however long answers may be believed.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BackendError } from '../../backends/backend.ts';
import { BucketMap } from '../../src/objects/bucket-map.ts';
import { openObjectCache } from '../../src/objects/object-cache.ts';
import type { PieceStore } from '../../src/pieces/piece-store.ts';
import { CACHE_OPTIONS, drain, KIB, refOf } from '../support/cache-world.ts';
import { delayingBackend } from '../support/delaying-backend.ts';
import { FailingPieceStore } from '../support/failing-piece-store.ts';
import { loneMesh } from '../support/lone-mesh.ts';
import { MemoryBackend } from '../support/memory-backend.ts';
import { MemoryPieceStore } from '../support/memory-piece-store.ts';
import { brokenBody, uploadBody } from '../support/upload-body.ts';
import { CUT, WriteHistory } from '../support/write-history.ts';

const BUCKET = 'bucket';
const KEY = { bucket: BUCKET, key: 'k' };

const step = fc.record({
  act: fc.constantFrom(
    'put',
    'put',
    'delete',
    'deleteMany',
    'copy',
    'complete',
    'broken',
    'read',
    'read',
    'read',
    'head',
  ),
  size: fc.constantFrom(0, 1, 100 * KIB, 300 * KIB),
  wait: fc.nat(6),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

for (const freshMs of [60_000, Number.POSITIVE_INFINITY]) {
  test(`racing writers and readers: after an acknowledged write nothing older is read (freshness ${freshMs} ms)`, {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 3, maxLength: 15 }), { minLength: 2, maxLength: 6 }),
        fc.infiniteStream(fc.nat(5)),
        async (lanes, waits) => {
          const world = await openWorld(freshMs, () => turns(waits.next().value ?? 0));
          const serial = { next: 0 };
          await Promise.all(lanes.map((lane) => run(world, lane, serial)));
          expect(world.wrong).toEqual([]);
          // Whichever of the writes that raced came last at the origin, the gateway says the same.
          expect(await valueRead(world)).toBe(valueAtOrigin(world));
        },
      ),
      { numRuns: 60 },
    );
  });
}

type World = Awaited<ReturnType<typeof openWorld>>;

async function openWorld(freshMs: number, pause: () => Promise<void>, store: PieceStore = memoryStore()) {
  const memory = new MemoryBackend({ now: () => new Date('2020-01-01T00:00:00Z') });
  await memory.buckets.create(BUCKET, { owner: 'owner' }, signal());
  const origin = delayingBackend(memory, pause);
  const failures: unknown[] = [];
  const { objects } = openObjectCache(
    {
      map: new BucketMap(new Map([['origin', origin]]), { '*': { backend: 'origin' } }),
      store,
      directory: loneMesh(store).directory,
      isCached: () => true,
      freshnessOf: () => ({ freshMs, missingFreshMs: freshMs, staleIfErrorMs: 0 }),
      failed: (_, error) => failures.push(error),
      now: () => 0,
    },
    { ...CACHE_OPTIONS, pieceSize: 128 * KIB },
  );
  const wrong: string[] = [];
  return { objects, memory, history: new WriteHistory(), wrong, failures };
}

async function run(world: World, lane: readonly Step[], serial: { next: number }): Promise<void> {
  for (const { act, size, wait } of lane) {
    await turns(wait);
    serial.next += 1;
    const value = `value ${serial.next} `;
    if (act === 'read' || act === 'head') await look(world, act);
    else await write(world, act, value, Math.max(size, value.length));
  }
}

async function write({ objects, history }: World, act: Step['act'], value: string, size: number): Promise<void> {
  const bytes = Buffer.alloc(size, value);
  const metadata = { value };
  const attributes = { headers: {}, metadata };
  if (act === 'put') {
    await history.write(value, () => objects.put(KEY, uploadBody(bytes), attributes, signal()));
  } else if (act === 'broken') {
    const broken = new BackendError('Unavailable', 'The client left.');
    const body = brokenBody(bytes.subarray(0, size - 1), size, broken);
    await expect(objects.put(KEY, body, attributes, signal())).rejects.toBe(broken);
  } else if (act === 'delete') {
    await history.write(undefined, () => objects.delete(KEY, {}, signal()));
  } else if (act === 'deleteMany') {
    await history.write(undefined, () => objects.deleteMany(BUCKET, [{ key: 'k' }, { key: 'other' }], signal()));
  } else if (act === 'copy') {
    const source = refOf(`source of ${value}`);
    await objects.put({ ...source, bucket: BUCKET }, uploadBody(bytes), attributes, signal());
    await history.write(value, () => objects.copy({ ...source, bucket: BUCKET }, KEY, {}, signal()));
  } else {
    const uploadId = await objects.createUpload(KEY, attributes, signal());
    const upload = { ...KEY, uploadId };
    const { etag } = await objects.uploadPart(upload, 1, uploadBody(bytes), signal());
    await history.write(value, () => objects.completeUpload(upload, [{ partNumber: 1, etag }], {}, signal()));
  }
}

async function look(world: World, act: 'read' | 'head'): Promise<void> {
  const wrong = await world.history.read(() => (act === 'head' ? valueTold(world) : valueRead(world)));
  if (wrong !== undefined) world.wrong.push(wrong);
}

function valueTold({ objects }: World): Promise<Value> {
  return valueOr(async () => (await objects.head(KEY, {}, signal())).info.metadata.value);
}

function valueRead({ objects }: World): Promise<Value> {
  return valueOr(async () => {
    const read = await objects.read(KEY, {}, signal());
    const bytes = await drain(read);
    const { value = '' } = read.info.metadata;
    return bytes.equals(Buffer.alloc(read.info.sizeBytes, value)) ? value : `bytes that are not of '${value}'`;
  });
}

function valueAtOrigin({ memory }: World): string | undefined {
  return memory.bucket(BUCKET).objects.get(KEY.key)?.info.metadata.value;
}

type Value = string | undefined | typeof CUT;

async function valueOr(ask: () => Promise<string | undefined>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof BackendError && error.code === 'NoSuchKey') return undefined;
    if (isCut(error)) return CUT;
    throw error;
  }
}

/** The object changed while it was read: no answer, which is no old answer. */
function isCut(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'VersionChanged' || code === 'Unavailable';
}

test('the first read after a put costs no byte of the origin, and a broken or refused put leaves the old object', async () => {
  const world = await openWorld(60_000, () => turns(1));
  await write(world, 'put', 'first', 300 * KIB);
  let reads = 0;
  const readOrigin = world.memory.read.bind(world.memory);
  world.memory.read = (...args) => {
    reads += 1;
    return readOrigin(...args);
  };
  await look(world, 'read');
  await write(world, 'broken', 'second', 300 * KIB);
  await look(world, 'read');
  expect(reads).toBe(0);
  const refused = world.objects.put(
    KEY,
    uploadBody(Buffer.alloc(300 * KIB, 'third')),
    { headers: {}, metadata: {}, conditions: { ifNoneMatch: '*' } },
    signal(),
  );
  await expect(refused).rejects.toMatchObject({ code: 'PreconditionFailed' });
  await look(world, 'read');
  expect(world.wrong).toEqual([]);
});

test('a shelf that fails or hangs fails no put and delays it by no more than its patience, and reads stay right', async () => {
  for (const trouble of ['fails', 'hangs'] as const) {
    const store = new FailingPieceStore(memoryStore());
    const world = await openWorld(60_000, () => turns(1), store);
    let mend: () => void = () => undefined;
    if (trouble === 'fails') store.failWrites = true;
    else
      store.hold = new Promise<void>((resolve) => {
        mend = resolve;
      });
    await write(world, 'put', 'first', 300 * KIB);
    await write(world, 'put', 'second', 300 * KIB);
    mend();
    store.hold = undefined;
    await look(world, 'read');
    expect(world.wrong).toEqual([]);
    expect(world.failures).toEqual([]);
  }
});

function memoryStore(): MemoryPieceStore {
  return new MemoryPieceStore({ blockSize: 64 * KIB });
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function signal(): AbortSignal {
  return new AbortController().signal;
}
