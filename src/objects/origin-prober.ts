// Asks an origin what a key is now, with one request where one can tell: a GET of the piece the reader wants first,
// conditional when a version is known, whose answer brings the record and the bytes together. A HEAD where no bytes
// are wanted, or where a GET of a part cannot tell (a checksum of the whole).
import { BackendError, type ObjectInfo, type ObjectRead, type ObjectRef } from '../../backends/backend.ts';
import { Haste } from '../concurrency/haste.ts';
import { type ObjectVersion, objectVersion, type Piece } from '../pieces/piece.ts';
import type { NameRecord } from './name-records.ts';
import { hurrying, type OriginObject } from './origin-object.ts';
import type { ProbeAnswer, Prober, Wanted } from './versions.ts';

export interface OriginProberDeps {
  readonly originOf: (ref: ObjectRef) => OriginObject;
  /** Takes over a body that begins at this offset of the version; undefined: it was let go of. */
  readonly adopt: (
    origin: OriginObject,
    version: ObjectVersion,
    start: number,
    read: ObjectRead,
    haste: Haste,
  ) => Piece | undefined;
  /** Milliseconds since the epoch, to be compared with what origins say. */
  readonly wallNow: () => number;
}

/**
 * Last-Modified has seconds. An object changed twice in one second keeps it, so a record made within that second (and
 * another for clocks that differ) cannot be validated by it.
 */
const SAME_SECOND_MS = 2_000;

export class OriginProber implements Prober {
  readonly #deps: OriginProberDeps;
  readonly #pieceSize: number;

  constructor(deps: OriginProberDeps, options: { pieceSize: number }) {
    this.#deps = deps;
    this.#pieceSize = options.pieceSize;
  }

  async probe(
    ref: ObjectRef,
    known: NameRecord | undefined,
    wanted: Wanted,
    signal: AbortSignal,
  ): Promise<ProbeAnswer> {
    const origin = this.#deps.originOf(ref);
    try {
      if (wanted.offset === undefined || wanted.complete || known?.kind === 'written')
        return await head(origin, signal);
      if (known?.kind === 'known' && (this.#isYoung(known.info) || known.info.identity === 'none')) {
        return await head(origin, signal);
      }
      const validated = known?.kind === 'known' ? known.info : undefined;
      return await this.#get(origin, wanted.offset, validated, wanted.haste ?? new Haste('demand'), signal);
    } catch (error) {
      if (error instanceof BackendError && error.code === 'NoSuchKey') return { kind: 'missing' };
      throw error;
    }
  }

  async #get(
    origin: OriginObject,
    offset: number,
    known: ObjectInfo | undefined,
    haste: Haste,
    signal: AbortSignal,
  ): Promise<ProbeAnswer> {
    const start = offset - (offset % this.#pieceSize);
    const conditions = known && { ifNoneMatch: [known.etag] };
    try {
      const read = await origin.read(
        hurrying({ range: { start, end: start + this.#pieceSize }, conditions }, haste),
        signal,
      );
      return { kind: 'found', info: read.info, complete: false, arriving: this.#keep(origin, start, read, haste) };
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      if (error.code === 'NotModified' && known !== undefined) return sameOr(known, error) ?? head(origin, signal);
      // Empty, or shorter than it was: a HEAD says what it is.
      if (error.code === 'InvalidRange') return head(origin, signal);
      throw error;
    }
  }

  #keep(origin: OriginObject, start: number, read: ObjectRead, haste: Haste): Piece | undefined {
    const { info } = read;
    const end = Math.min(start + this.#pieceSize, info.sizeBytes);
    const range = read.range ?? { start: 0, end: info.sizeBytes };
    if (info.identity === 'none' || range.start !== start || range.end !== end || start === end) {
      read.body.destroy();
      return undefined;
    }
    return this.#deps.adopt(origin, versionOf(origin, info, this.#pieceSize), start, read, haste);
  }

  #isYoung(info: ObjectInfo): boolean {
    return this.#deps.wallNow() - info.lastModified.getTime() < SAME_SECOND_MS;
  }
}

export function versionOf(
  origin: OriginObject,
  info: Pick<ObjectInfo, 'etag' | 'sizeBytes'>,
  pieceSize: number,
): ObjectVersion {
  const { bucket, key } = origin.ref;
  return objectVersion({ origin: origin.origin, bucket, key, etag: info.etag, size: info.sizeBytes, pieceSize });
}

async function head(origin: OriginObject, signal: AbortSignal): Promise<ProbeAnswer> {
  const { info } = await origin.head({}, signal);
  return { kind: 'found', info, complete: true };
}

/** 'Not modified' speaks of the bytes; other metadata shows in Last-Modified, where the origin tells it. */
function sameOr(known: ObjectInfo, answer: BackendError): ProbeAnswer | undefined {
  const modified = answer.info?.lastModified?.getTime();
  return modified === known.lastModified.getTime() ? { kind: 'same' } : undefined;
}
