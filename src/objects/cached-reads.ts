// Reads through the cache: what a key is comes from versions, its bytes from pieces. One response is made of one
// version. Before its first byte was given out a change at the origin starts the read again; after that it ends it.
import { BackendError, type ObjectHead, type ObjectRef, type ReadOptions } from '../../backends/backend.ts';
import { checkReadConditions } from '../../backends/conditions.ts';
import { resolveRange } from '../../backends/range.ts';
import { PieceError } from '../pieces/piece-store.ts';
import type { ObjectReader } from './object-reader.ts';
import type { Chunk, GatewayHeadOptions, GatewayRead, GatewayReadOptions } from './objects.ts';
import { ObjectsError } from './objects-error.ts';
import type { OriginObject } from './origin-object.ts';
import { versionOf } from './origin-prober.ts';
import type { Freshness, Opened, Versions, Wanted } from './versions.ts';

export interface CachedReadsDeps {
  readonly versions: Pick<Versions, 'open' | 'doubt'>;
  readonly reader: Pick<ObjectReader, 'read'>;
}

/** Changes at the origin that one read puts up with before it gave out a byte. */
const RESTARTS = 3;

export class CachedReads {
  readonly #deps: CachedReadsDeps;
  readonly #pieceSize: number;

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

  /** Undefined: this object is not to be cached; read it from its origin. */
  async read(
    ref: ObjectRef,
    origin: OriginObject,
    freshness: Freshness,
    options: GatewayReadOptions,
    signal: AbortSignal,
  ): Promise<GatewayRead | undefined> {
    for (let restarts = 0; ; restarts += 1) {
      const opened = await this.#deps.versions.open(ref, freshness, wantedBy(options), signal);
      if (opened.info.identity === 'none') return undefined;
      checkReadConditions(options.conditions, opened.info);
      try {
        return await this.#begin(origin, opened, options, signal);
      } catch (error) {
        if (!isChange(error)) throw asOriginError(error);
        this.#deps.versions.doubt(ref);
        if (restarts === RESTARTS) throw asOriginError(error);
      }
    }
  }

  /** Resolves when the first bytes are there, so that what fails before them can still be answered. */
  async #begin(
    origin: OriginObject,
    { info, ageMs }: Opened,
    options: ReadOptions,
    signal: AbortSignal,
  ): Promise<GatewayRead> {
    const range = options.range && resolveRange(options.range, info.sizeBytes);
    const version = versionOf(origin, info, this.#pieceSize);
    const wanted = range ?? { start: 0, end: info.sizeBytes };
    const chunks = this.#deps.reader.read(origin, version, wanted, signal);
    const first = await chunks.next();
    return {
      info,
      range,
      chunks: first.done === true ? none() : resumed(first.value, chunks),
      source: first.done === true ? 'memory' : first.value.source,
      versionAgeMs: ageMs,
    };
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

async function* none(): AsyncGenerator<Chunk, void, undefined> {
  // An empty object has no pieces.
}

async function* resumed(
  first: Chunk,
  rest: AsyncGenerator<Chunk, void, undefined>,
): AsyncGenerator<Chunk, void, undefined> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return();
  }
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
