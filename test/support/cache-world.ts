// A cache over a synthetic origin and a shelf in memory, with a clock that the test moves.
import type { ObjectRef } from '../../backends/backend.ts';
import { guardOrigin, type OriginLimits } from '../../backends/net/guard-origin.ts';
import { BucketMap } from '../../src/objects/bucket-map.ts';
import { type ObjectCacheOptions, openObjectCache } from '../../src/objects/object-cache.ts';
import type { GatewayRead, GatewayReadOptions } from '../../src/objects/objects.ts';
import type { Freshness } from '../../src/objects/versions.ts';
import type { PieceStore } from '../../src/pieces/piece-store.ts';
import { loneMesh } from './lone-mesh.ts';
import { MemoryPieceStore } from './memory-piece-store.ts';
import { SyntheticOrigin } from './synthetic-origin.ts';

export const KIB = 1024;
export const MIB = 1024 * KIB;

export const CACHE_OPTIONS: ObjectCacheOptions = {
  pieceSize: MIB,
  inFlightBytes: 256 * MIB,
  windowBytes: MIB,
  maxArriving: 1024,
  parallelPieces: () => 4,
  readAheadBytes: 0,
  maxNames: 1000,
  fillAttempts: 3,
  fillRetryMs: 30_000,
  stagingBytes: 4 * MIB,
  stagingPatienceMs: 200,
};

export function cacheWorld(
  settings: {
    options?: Partial<ObjectCacheOptions>;
    freshness?: Partial<Freshness>;
    store?: PieceStore;
    limits?: OriginLimits;
  } = {},
) {
  const origin = new SyntheticOrigin();
  const guarded =
    settings.limits === undefined
      ? origin
      : guardOrigin(origin, settings.limits, { name: 'origin', log: { info: () => undefined, warn: () => undefined } });
  const store = settings.store ?? new MemoryPieceStore({ blockSize: 64 * KIB });
  const clock = { now: 1_000_000 };
  const failures: unknown[] = [];
  const freshness: Freshness = { freshMs: 0, missingFreshMs: 0, staleIfErrorMs: 0, ...settings.freshness };
  const mesh = loneMesh(store);
  const cache = openObjectCache(
    {
      map: new BucketMap(new Map([['origin', guarded]]), { '*': { backend: 'origin' } }),
      store,
      directory: mesh.directory,
      isCached: () => true,
      freshnessOf: () => freshness,
      failed: (_, error) => failures.push(error),
      now: () => clock.now,
    },
    { ...CACHE_OPTIONS, ...settings.options },
  );
  // As each client's request has: a signal of its own.
  const read = (key: string, options: GatewayReadOptions = {}, signal = new AbortController().signal) =>
    cache.objects.read(refOf(key), options, signal);
  return {
    origin,
    store,
    clock,
    failures,
    objects: cache.objects,
    read,
    bytes: async (key: string, options: GatewayReadOptions = {}, signal?: AbortSignal) =>
      drain(await read(key, options, signal)),
    close: async () => {
      await cache.close();
      await mesh.close();
    },
  };
}

export function refOf(key: string): ObjectRef {
  return { bucket: 'b', key };
}

export async function drain(read: GatewayRead): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of read.chunks) {
    parts.push(Buffer.from(chunk.bytes));
    chunk.release();
  }
  return Buffer.concat(parts);
}
