// Reads through the cache: what a key is comes from versions, its bytes from pieces. One response is made of one
// version. Before its first byte was given out a change at the origin starts the read again; after that it ends it.
import {
  BackendError,
  type ByteRange,
  type ObjectHead,
  type ObjectInfo,
  type ObjectRef,
  type ReadOptions,
} from '../../backends/backend.ts';
import { checkReadConditions } from '../../backends/conditions.ts';
import { resolveRange } from '../../backends/range.ts';
import { Haste, type Urgency } from '../concurrency/haste.ts';
import { blocksOf } from '../pieces/blocks.ts';
import { cut, type ObjectVersion } from '../pieces/piece.ts';
import { PieceError, type PieceStore } from '../pieces/piece-store.ts';
import type { ObjectReader } from './object-reader.ts';
import type { AtHand, GatewayHeadOptions, GatewayRead, GatewayReadOptions } from './objects.ts';
import { ObjectsError } from './objects-error.ts';
import type { OriginObject } from './origin-object.ts';
import { versionOf } from './origin-prober.ts';
import { StartedChunks } from './started-chunks.ts';
import type { Freshness, Opened, Versions, Wanted } from './versions.ts';

export interface CachedReadsDeps {
  readonly versions: Pick<Versions, 'believed' | 'open' | 'known' | 'doubt'>;
  readonly reader: Pick<ObjectReader, 'atHand' | 'open'>;
  readonly shelf: Pick<PieceStore, 'accepting' | 'blocks' | 'blockSize'>;
}

/** Changes at the origin that one read puts up with before it gave out a byte. */
const RESTARTS = 3;

export class CachedReads {
  readonly #deps: CachedReadsDeps;
  readonly #pieceSize: number;
  readonly #versions = new WeakMap<ObjectInfo, ObjectVersion>();

  constructor(deps: CachedReadsDeps, options: { pieceSize: number }) {
    this.#deps = deps;
    this.#pieceSize = options.pieceSize;
  }

  async head(
    ref: ObjectRef,
    freshness: Freshness,
    options: GatewayHeadOptions,
    signal: AbortSignal,
  ): Promise<ObjectHead> {
    const wanted = { offset: undefined, complete: options.withChecksum === true };
    const { info } = await this.#deps.versions.open(ref, freshness, wanted, signal);
    checkReadConditions(options.conditions, info);
    return { info };
  }

  /** A hit: the version is believed and all of the bytes are in memory or on the shelf. Undefined: ask read(). */
  atHand(ref: ObjectRef, origin: OriginObject, freshness: Freshness, options: GatewayReadOptions): AtHand {
    if (options.conditions !== undefined) return undefined;
    const opened = this.#deps.versions.believed(ref, freshness, wantedBy(options));
    if (opened === undefined || opened.info.identity === 'none') return undefined;
    const range = rangeWithin(opened.info, options);
    if (range === undefined) return undefined;
    const answered = options.range && range;
    const whole = this.#deps.reader.atHand(origin, this.#versionOf(origin, opened.info), range, urgencyOf(options));
    if (!(whole instanceof Promise)) return whole && this.#answer(opened, answered, StartedChunks.of(whole));
    return whole.then((soon) => soon && this.#answer(opened, answered, StartedChunks.of(soon)));
  }

  /** Undefined: this object is not to be cached, or cannot be now; read it from its origin. */
  async read(
    ref: ObjectRef,
    origin: OriginObject,
    freshness: Freshness,
    options: GatewayReadOptions,
    signal: AbortSignal,
  ): Promise<GatewayRead | undefined> {
    const atHand = await this.atHand(ref, origin, freshness, options);
    if (atHand !== undefined) return atHand;
    // Pieces that nobody can keep would be read again for each small range of them.
    if (!this.#deps.shelf.accepting && !this.#isHeld(ref, origin, options)) return undefined;
    for (let restarts = 0; ; restarts += 1) {
      const wanted = { ...wantedBy(options), haste: new Haste(urgencyOf(options)) };
      const opened = await this.#deps.versions.open(ref, freshness, wanted, signal);
      if (opened.info.identity === 'none') return undefined;
      checkReadConditions(options.conditions, opened.info);
      // Also when it is found in the middle of the read: the client who tries again is to get the new version.
      const changed = () => this.#deps.versions.doubt(ref, opened.info.etag);
      try {
        return await this.#begin(origin, opened, options, changed, signal);
      } catch (error) {
        if (!isChange(error) || restarts === RESTARTS) throw asOriginError(error);
      }
    }
  }

  /** Whether the shelf has all that this read wants, should the object be what it was last known to be. */
  #isHeld(ref: ObjectRef, origin: OriginObject, options: ReadOptions): boolean {
    const { shelf } = this.#deps;
    const info = this.#deps.versions.known(ref);
    const range = info && rangeWithin(info, options);
    if (info === undefined || range === undefined) return false;
    for (const { piece, start, end } of cut(this.#versionOf(origin, info), range)) {
      const wanted = blocksOf({ start, end }, shelf.blockSize);
      if (!shelf.blocks(piece).hasAll(wanted.first, wanted.end)) return false;
    }
    return true;
  }

  /** A version's name is a digest: taken once for each record. */
  #versionOf(origin: OriginObject, info: ObjectInfo): ObjectVersion {
    const known = this.#versions.get(info);
    if (known?.origin === origin.origin && known.bucket === origin.ref.bucket && known.key === origin.ref.key) {
      return known;
    }
    const version = versionOf(origin, info, this.#pieceSize);
    this.#versions.set(info, version);
    return version;
  }

  /** Resolves when the first bytes are there, so that what fails before them can still be answered. */
  async #begin(
    origin: OriginObject,
    opened: Opened,
    options: ReadOptions,
    changed: () => void,
    signal: AbortSignal,
  ): Promise<GatewayRead> {
    const { info } = opened;
    const range = options.range && resolveRange(options.range, info.sizeBytes);
    const version = this.#versionOf(origin, info);
    const wanted = range ?? whole(info);
    const failed = (error: unknown) => {
      if (isChange(error)) changed();
    };
    const chunks = await this.#deps.reader.open(origin, version, wanted, urgencyOf(options), failed, signal);
    return this.#answer(opened, range, chunks);
  }

  #answer({ info, ageMs }: Opened, range: ByteRange | undefined, chunks: StartedChunks): GatewayRead {
    const { first, whole } = chunks;
    return { info, range, chunks, whole, source: first?.source ?? 'memory', versionAgeMs: ageMs };
  }
}

/** A read with conditions may end without a byte: only the record is asked for. A checksum is the whole object's. */
function wantedBy(options: GatewayReadOptions): Wanted {
  const conditional =
    options.conditions?.ifNoneMatch !== undefined || options.conditions?.ifModifiedSince !== undefined;
  const complete = options.withChecksum === true && options.range === undefined;
  const { range } = options;
  // Where the object's end is must be known before its last bytes can be asked for.
  const offset = range === undefined ? 0 : 'start' in range ? range.start : undefined;
  return { offset: conditional ? undefined : offset, complete };
}

/** A reader who waits for bytes is not ahead of himself. */
function urgencyOf({ priority }: ReadOptions): Urgency {
  return priority === 'preheat' ? 'preheat' : 'demand';
}

/** Undefined: there is no such range. */
function rangeWithin(info: ObjectInfo, options: ReadOptions): ByteRange | undefined {
  if (options.range === undefined) return whole(info);
  try {
    return resolveRange(options.range, info.sizeBytes);
  } catch (error) {
    if (error instanceof BackendError && error.code === 'InvalidRange') return undefined;
    throw error;
  }
}

function whole(info: ObjectInfo): ByteRange {
  return { start: 0, end: info.sizeBytes };
}

function isChange(error: unknown): boolean {
  return error instanceof ObjectsError && error.code === 'VersionChanged';
}

/** What the dialect understands. */
function asOriginError(error: unknown): unknown {
  if (error instanceof PieceError && error.code === 'TooMany') {
    return new BackendError('SlowDown', 'More pieces are on their way than the gateway allows.', { cause: error });
  }
  if (isChange(error)) {
    return new BackendError('Unavailable', 'The object keeps changing at its origin while it is read.', {
      cause: error,
    });
  }
  return error;
}
