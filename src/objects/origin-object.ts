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

/** A class, as one is made for every hit, and a hit asks its origin nothing. */
export class BackendObject implements OriginObject {
  readonly origin: string;
  readonly ref: ObjectRef;
  readonly #backend: Pick<Backend, 'head' | 'read'>;

  constructor(origin: string, backend: Pick<Backend, 'head' | 'read'>, ref: ObjectRef) {
    this.origin = origin;
    this.ref = ref;
    this.#backend = backend;
  }

  head(options: HeadOptions, signal: AbortSignal): Promise<ObjectHead> {
    return this.#backend.head(this.ref, options, signal);
  }

  read(options: ReadOptions, signal: AbortSignal): Promise<ObjectRead> {
    return this.#backend.read(this.ref, options, signal);
  }
}
