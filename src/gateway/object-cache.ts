// The cache as the configuration wants it: its disks and LevelDB opened, observed and counted. What cannot be opened is
// gone without: a gateway with a broken cache disk is a slower gateway.
import { join } from 'node:path';
import type { Level } from 'level';
import type { Logger } from 'pino';
import type { Backend } from '../../backends/backend.ts';
import type { VerifyCache } from '../admin/cache-verification.ts';
import type { Metrics } from '../admin/metrics.ts';
import { Background } from '../concurrency/background.ts';
import type { CloseStack } from '../concurrency/close-stack.ts';
import type { Config } from '../config.ts';
import type { Warm } from '../mesh/preheat-call.ts';
import { BucketMap } from '../objects/bucket-map.ts';
import { type BucketSettings, RoutedBucketSettings } from '../objects/bucket-settings.ts';
import { type ObjectCache, type ObjectCacheOptions, openObjectCache } from '../objects/object-cache.ts';
import { ObjectWarmer } from '../objects/object-warmer.ts';
import type { Objects } from '../objects/objects.ts';
import { RoutedObjects } from '../objects/routed-objects.ts';
import type { Departures } from '../pieces/departures.ts';
import { DiskPieceStore } from '../pieces/disk-piece-store.ts';
import { MemoryTier } from '../pieces/memory-tier.ts';
import type { PieceStore, Usage } from '../pieces/piece-store.ts';
import { cacheRules } from './cache-rules.ts';
import { openIndex } from './index-database.ts';
import { type MeshSurface, openMesh } from './mesh.ts';
import { observePieces } from './observe-pieces.ts';
import { startScrub } from './scrub.ts';
import { verifyCache } from './verify-cache.ts';

interface CacheDeps {
  readonly backends: ReadonlyMap<string, Backend>;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly opened: CloseStack;
}

export interface OpenedObjects {
  readonly objects: Objects;
  readonly settings: BucketSettings;
  /** Undefined: nothing is cached. */
  readonly cache: OpenedCache | undefined;
}

/** What operators can ask of the cache. */
export interface OpenedCache {
  readonly usage: () => Usage;
  readonly verify: VerifyCache;
  readonly identify: ObjectCache['identify'];
  readonly warm: Warm;
  /** Undefined: this gateway is the whole of its mesh. */
  readonly mesh: MeshSurface | undefined;
}

export async function openObjects(config: Config, deps: CacheDeps): Promise<OpenedObjects> {
  const map = new BucketMap(deps.backends, config.buckets);
  const settings = new RoutedBucketSettings({ map });
  if (!config.cache.enabled) return { objects: new RoutedObjects({ map }), settings, cache: undefined };
  const { log, metrics, opened } = deps;
  const database = await openIndex(join(config.data, 'index'), log);
  opened.push('index', () => database.close());
  const { store, departures } = await openShelf(config, database, deps);
  const rules = cacheRules(config.buckets, map);
  const failed = (task: string, error: unknown) => {
    metrics.count('dfstore_cache_failures_total', { part: task === 'names' ? 'database' : 'fill' });
    log.warn({ task, err: error }, 'The cache failed at something that no request waits for.');
  };
  const background = new Background({ failed });
  opened.push('background work', () => background.close());
  const mesh = await openMesh(config, { store, departures, database, background, log, metrics });
  opened.push('mesh', () => mesh.close());
  const { directory, names, parallelPieces } = mesh;
  const cache = openObjectCache(
    { map, store, directory, names, database, failed, ...rules },
    { ...cacheOptions(config), parallelPieces },
  );
  opened.push('cache', () => cache.close());
  const { objects, arriving, identify } = cache;
  const warmer = new ObjectWarmer(
    { objects, isCached: rules.isCached, shelf: store, now: () => performance.now() },
    { atOnce: config.admin.preheatReads },
  );
  const warm: Warm = (bucket, keys, signal) => warmer.warm(bucket, keys, signal);
  mesh.serve({ arriving, warm });
  const surface = { usage: () => store.usage(), verify: verifyCache(store), identify, warm, mesh: mesh.surface };
  return { objects, settings, cache: surface };
}

interface OpenedShelf {
  readonly store: PieceStore;
  readonly departures: Departures;
}

async function openShelf(config: Config, level: Level, { log, metrics, opened }: CacheDeps): Promise<OpenedShelf> {
  const { cache } = config;
  const paths = cache.disks ?? [join(config.data, 'cache')];
  const capacityBytes = Math.floor(cache.capacity / paths.length);
  const disks = await DiskPieceStore.open(
    { level, observer: observePieces({ log, metrics }) },
    { disks: paths.map((path) => ({ path, capacityBytes })), blockSize: cache.blockSize, verify: cache.verify },
  );
  opened.push('shelf', () => disks.close());
  if (cache.scrub > 0) startScrub(disks, cache.scrub, { log, opened });
  const store = cache.memory > 0 ? new MemoryTier({ below: disks }, { capacityBytes: cache.memory }) : disks;
  metrics.sample('dfstore_cache_bytes', () => store.usage().diskBytes);
  metrics.sample('dfstore_cache_memory_bytes', () => store.usage().memoryBytes);
  metrics.sample('dfstore_cache_capacity_bytes', () => store.usage().capacityBytes);
  return { store, departures: disks.departures };
}

function cacheOptions({ cache }: Config): Omit<ObjectCacheOptions, 'parallelPieces'> {
  return {
    pieceSize: cache.pieceSize,
    inFlightBytes: cache.inFlight,
    windowBytes: cache.window,
    maxArriving: cache.maxArriving,
    readAheadBytes: cache.readAhead,
    maxNames: cache.names,
    fillAttempts: cache.fillAttempts,
    fillRetryMs: cache.fillRetryTime,
    stagingBytes: cache.staging,
    stagingPatienceMs: cache.stagingPatience,
  };
}
