// One object at its origin, as the cache asks for it: without the bucket map, without its neighbours.
import type { Backend, HeadOptions, ObjectHead, ObjectRead, ObjectRef, ReadOptions } from '../../backends/backend.ts';
import type { Haste } from '../concurrency/haste.ts';

export interface OriginObject {
  /** Tells origins apart: two may hold the same bucket, key and etag over different bytes. */
  readonly origin: string;
  /** As the origin names it. */
  readonly ref: ObjectRef;
  head(options: HeadOptions, signal: AbortSignal): Promise<ObjectHead>;
  read(options: ReadOptions, signal: AbortSignal): Promise<ObjectRead>;
}

const PRIORITIES = { demand: 'demand', ahead: 'prefetch', preheat: 'preheat' } as const;

/** The same read, as urgent as it is at each moment. */
export function hurrying(options: ReadOptions, haste: Haste): ReadOptions {
  return {
    ...options,
    get priority() {
      return PRIORITIES[haste.urgency];
    },
  };
}

export function originObject(origin: string, backend: Pick<Backend, 'head' | 'read'>, ref: ObjectRef): OriginObject {
  return {
    origin,
    ref,
    head: (options, signal) => backend.head(ref, options, signal),
    read: (options, signal) => backend.read(ref, options, signal),
  };
}
