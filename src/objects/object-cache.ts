// Puts the cache together over a shelf: what the parts need of each other, and the order they close in.
import type { Level } from 'level';
import type { ObjectRef } from '../../backends/backend.ts';
import { Background } from '../concurrency/background.ts';
import { ByteBudget } from '../concurrency/byte-budget.ts';
import type { Directory } from '../mesh/directory.ts';
import { LONELY_NAMES, type Name, type Names } from '../mesh/names.ts';
import type { ArrivingPiece } from '../pieces/arriving.ts';
import { BufferPool } from '../pieces/buffer-pool.ts';
import type { ObjectVersion, Piece } from '../pieces/piece.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { type BucketMap, originRef } from './bucket-map.ts';
import { CachedObjects, type CachePolicy } from './cached-objects.ts';
import { CachedReads } from './cached-reads.ts';
import { NameRecords } from './name-records.ts';
import { ObjectReader } from './object-reader.ts';
import type { Objects } from './objects.ts';
import { BackendObject } from './origin-object.ts';
import { OriginProber, versionOf } from './origin-prober.ts';
import { PieceFetcher } from './piece-fetcher.ts';
import { ReadAhead } from './read-ahead.ts';
import { StagedUploads } from './staged-uploads.ts';
import { type Freshness, Versions } from './versions.ts';

export interface ObjectCacheDeps {
  readonly map: BucketMap;
  readonly store: PieceStore;
  /** Where pieces are to be had. */
  readonly directory: Directory;
  /** What the mesh knows of names. Default: this gateway is alone. */
  readonly names?: Names | undefined;
  /** Names survive a restart where there is one. */
  readonly database?: Level | undefined;
  /** Others are read from their origin each time. */
  readonly isCached: (ref: ObjectRef) => boolean;
  readonly freshnessOf: (ref: ObjectRef) => Freshness;
  /** Of work that nobody awaits. */
  readonly failed: (task: string, error: unknown) => void;
  /** Milliseconds on a clock that never jumps. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds since the epoch. */
  readonly wallNow?: (() => number) | undefined;
}

export interface ObjectCacheOptions {
  readonly pieceSize: number;
  /** Bytes in hand for all fills together. */
  readonly inFlightBytes: number;
  /** Of one piece that is arriving, at most in memory. */
  readonly windowBytes: number;
  readonly maxArriving: number;
  /** Of one read on their way at once. */
  readonly parallelPieces: () => number;
  readonly readAheadBytes: number;
  readonly maxNames: number;
  /** Requests in a row that bring nothing before a fill fails. */
  readonly fillAttempts: number;
  /** So long after the last byte of a fill its origin is not asked again. */
  readonly fillRetryMs: number;
  /** Of one upload on its way to the shelf. */
  readonly stagingBytes: number;
  /** How long one upload waits for a slow shelf in all. */
  readonly stagingPatienceMs: number;
}

export interface ObjectCache {
  readonly objects: Objects;
  /** A piece that is on its way here. */
  readonly arriving: (piece: Piece) => ArrivingPiece | undefined;
  /**
   * What is cached of the object as it is now; undefined: nothing. Asks the origin only where reading its head would.
   * Rejects with NoSuchKey and NoSuchBucket, or with what the origin answers.
   */
  readonly identify: (ref: ObjectRef, signal: AbortSignal) => Promise<ObjectVersion | undefined>;
  /** Ends what is on its way; blocks that arrived stay on the shelf. */
  close(): Promise<void>;
}

/**
 * What a fill may still miss to be finished though all its readers left: a piece of the default size, so that the
 * origin is not asked for any of its bytes again.
 */
const NEARLY_DONE_BYTES = 4 * 1024 * 1024;
/** How long such a fill may take. */
const LINGER_MS = 30_000;
/** Read buffers kept for use again. */
const FREE_BUFFER_BYTES = 64 * 1024 * 1024;

export function openObjectCache(deps: ObjectCacheDeps, options: ObjectCacheOptions): ObjectCache {
  const { map, store } = deps;
  const { pieceSize } = options;
  const pool = new BufferPool({ maxFreeBytes: FREE_BUFFER_BYTES });
  const now = deps.now ?? (() => performance.now());
  const background = new Background({ failed: deps.failed });
  const budget = new ByteBudget({ limitBytes: options.inFlightBytes });
  const fetcher = new PieceFetcher(
    { store, pool, directory: deps.directory, budget, background, now },
    {
      windowBytes: options.windowBytes,
      maxArriving: options.maxArriving,
      inHandBytes: Math.min(options.windowBytes, pieceSize),
      attempts: options.fillAttempts,
      retryMs: options.fillRetryMs,
      nearlyDoneBytes: Math.max(store.blockSize, NEARLY_DONE_BYTES),
      lingerMs: LINGER_MS,
    },
  );
  const originOf = (ref: ObjectRef) => originOfRef(map, ref);
  const prober = new OriginProber(
    {
      originOf,
      adopt: (origin, version, start, read, haste) => fetcher.adopt(origin, version, start, read, haste),
      wallNow: deps.wallNow ?? Date.now,
    },
    { pieceSize },
  );
  const records = new NameRecords(
    { database: deps.database?.sublevel('names'), failed: (error) => deps.failed('names', error) },
    { maxRecords: options.maxNames },
  );
  const nameOf = (ref: ObjectRef) => nameAt(map, ref);
  const clock = { now, wallNow: deps.wallNow ?? Date.now };
  const names = deps.names ?? LONELY_NAMES;
  const versions = new Versions({ prober, records, names, nameOf, ...clock }, { maxNames: options.maxNames });
  const reader = new ObjectReader(
    { fetcher, readAhead: new ReadAhead({ maxBytes: options.readAheadBytes }) },
    { parallelPieces: options.parallelPieces },
  );
  const staging = { pieceSize, maxWaitingBytes: options.stagingBytes, patienceMs: options.stagingPatienceMs };
  const objects = new CachedObjects({
    map,
    reads: new CachedReads({ versions, reader, shelf: store }, { pieceSize }),
    versions,
    staged: new StagedUploads({ store, pool, announce: (pieces) => deps.directory.announce(pieces) }, staging),
    policyOf: (ref): CachePolicy | undefined =>
      deps.isCached(ref) ? { origin: originOf(ref), freshness: deps.freshnessOf(ref) } : undefined,
  });
  return {
    objects,
    arriving: (piece) => fetcher.find(piece),
    identify: async (ref, signal) => {
      if (!deps.isCached(ref)) return undefined;
      const wanted = { offset: undefined, complete: false };
      const { info } = await versions.open(ref, deps.freshnessOf(ref), wanted, signal);
      return info.identity === 'none' ? undefined : versionOf(originOf(ref), info, pieceSize);
    },
    close: async () => {
      fetcher.close();
      await background.close();
    },
  };
}

/** As its origin has it: two buckets of this gateway may hold the same object. */
function nameAt(map: BucketMap, ref: ObjectRef): Name {
  const route = map.route(ref.bucket);
  return { origin: route.name, ...originRef(route, ref.key) };
}

function originOfRef(map: BucketMap, ref: ObjectRef) {
  const route = map.route(ref.bucket);
  return new BackendObject(route.name, route.backend, originRef(route, ref.key));
}
