// Objects through the cache. Reads go by cached-reads.ts; a write revokes what is known of its key before the origin
// can commit it, and says afterwards what it made. All else passes to the origins unchanged.
import { Readable } from 'node:stream';
import type {
  CompletedPart,
  CompleteOptions,
  Copied,
  CopyOptions,
  Deleted,
  DeleteOutcome,
  DeleteTarget,
  ObjectHead,
  ObjectRef,
  PutOptions,
  UploadBody,
  UploadRef,
  VersionRef,
  Written,
} from '../../backends/backend.ts';
import type { CachedReads } from './cached-reads.ts';
import { DelegatedObjects } from './delegated-objects.ts';
import type { GatewayHeadOptions, GatewayRead, GatewayReadOptions, Objects } from './objects.ts';
import type { OriginObject } from './origin-object.ts';
import type { StagedUploads } from './staged-uploads.ts';
import type { Freshness, Versions, WriteMark, WriteOutcome } from './versions.ts';

/** How a key is cached. */
export interface CachePolicy {
  readonly origin: OriginObject;
  readonly freshness: Freshness;
}

export interface CachedObjectsDeps {
  readonly origins: Objects;
  readonly reads: CachedReads;
  readonly versions: Pick<Versions, 'begin' | 'end'>;
  readonly staged: StagedUploads;
  /** Undefined: this key is not cached. */
  readonly policyOf: (ref: ObjectRef) => CachePolicy | undefined;
}
