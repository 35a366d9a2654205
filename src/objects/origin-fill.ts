// Brings what a feed misses from the origin. Every request carries If-Match, so a request that
// was cut goes on where it stopped: the bytes are the same ones, or the origin says that they changed.
import { BackendError, type ByteRange, type ObjectRead } from '../../backends/backend.ts';
import type { Haste } from '../concurrency/haste.ts';
import type { ObjectVersion } from '../pieces/piece.ts';
import type { Feed } from '../pieces/piece-feed.ts';
import { ObjectsError } from './objects-error.ts';
import { hurrying, type OriginObject } from './origin-object.ts';

export interface OriginFillOptions {
  /** Requests in a row that may bring next to nothing before the fill fails. */
  readonly attempts: number;
  /** So long after its last byte a fill asks no more: an origin that was silent for all of its own limit had its time. */
  readonly retryMs: number;
}

/** Less than a block of any size: an origin that cuts every answer so early would be asked without end. */
const NEXT_TO_NOTHING_BYTES = 64 * 1024;

/** All that the feed still misses. `coming`: a body that brings the first of it, if there is one already. */
export async function bringFromOrigin(
  { now }: { readonly now: () => number },
  options: OriginFillOptions,
  origin: OriginObject,
  version: ObjectVersion,
  feed: Feed,
  end: number,
  haste: Haste,
  coming?: ObjectRead,
): Promise<void> {
  feed.from('origin');
  let next = coming;
  let lastByteMs = now();
  for (let fruitless = 0; feed.remainingBytes > 0; ) {
    const before = feed.remainingBytes;
    const range = { start: end - before, end };
    try {
      const read = next ?? (await readVersion(origin, version, range, haste, feed.signal));
      next = undefined;
      await pour(read, feed, () => {
        lastByteMs = now();
      });
    } catch (error) {
      fruitless = before - feed.remainingBytes >= NEXT_TO_NOTHING_BYTES ? 0 : fruitless + 1;
      const isLate = now() - lastByteMs >= options.retryMs;
      if (!isPassing(error) || feed.signal.aborted || isLate || fruitless >= options.attempts) throw error;
    }
  }
}

/** `pushed`: a chunk has found room; the time that took was the readers', not the origin's. */
async function pour(read: ObjectRead, feed: Feed, pushed: () => void): Promise<void> {
  try {
    for await (const chunk of read.body) {
      await feed.push(chunk, feed.signal);
      pushed();
    }
  } finally {
    read.body.destroy();
  }
}

/** Exactly these bytes of exactly this version. */
export async function readVersion(
  origin: OriginObject,
  version: ObjectVersion,
  range: ByteRange,
  haste: Haste,
  signal: AbortSignal,
): Promise<ObjectRead> {
  const conditions = { ifMatch: [version.etag] };
  try {
    const read = await origin.read(hurrying({ range, conditions }, haste), signal);
    if (isOf(read, version, range)) return read;
    read.body.destroy();
    throw changed(version, undefined);
  } catch (error) {
    if (error instanceof BackendError && CHANGED.has(error.code)) throw changed(version, error);
    throw error;
  }
}

function isOf({ info, range: got }: ObjectRead, version: ObjectVersion, range: ByteRange): boolean {
  const whole = range.start === 0 && range.end === version.size;
  const rangeIsRight = got === undefined ? whole : got.start === range.start && got.end === range.end;
  return info.etag === version.etag && info.sizeBytes === version.size && rangeIsRight;
}

const CHANGED: ReadonlySet<BackendError['code']> = new Set([
  'PreconditionFailed',
  'NoSuchKey',
  'NoSuchVersion',
  'NoSuchBucket',
  'InvalidRange',
]);

function changed(version: ObjectVersion, cause: unknown): ObjectsError {
  return new ObjectsError('VersionChanged', `'${version.key}' changed at its origin while it was read.`, { cause });
}

/** Worth another request: the origin, or the way to it, failed for the moment. */
function isPassing(error: unknown): boolean {
  return error instanceof BackendError && (error.code === 'Unavailable' || error.code === 'Timeout');
}
