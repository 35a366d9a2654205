// The seam between the dialect and everything behind it: whole objects by the gateway's own bucket names.
// The dialect knows this interface only; what a bucket maps to, and what is cached, is decided behind it.
import type {
  BucketInfo,
  Capabilities,
  Copied,
  CopyOptions,
  Deleted,
  DeleteOptions,
  DeleteOutcome,
  DeleteTarget,
  HeadOptions,
  ListOptions,
  ListPage,
  ListVersionsOptions,
  Multipart,
  ObjectAcls,
  ObjectHead,
  ObjectPartsPage,
  ObjectRef,
  PartListOptions,
  PutOptions,
  ReadOptions,
  Tagging,
  UploadBody,
  VersioningStatus,
  VersionListPage,
  VersionRef,
  Written,
} from '../../backends/backend.ts';

export interface GatewayHeadOptions extends HeadOptions {
  /** The client wants the checksum of the whole object. */
  readonly withChecksum?: boolean | undefined;
}

export interface GatewayReadOptions extends ReadOptions, GatewayHeadOptions {}

/** Where bytes came from. */
export type Source = 'memory' | 'disk' | 'peer' | 'origin';

export interface Chunk {
  readonly bytes: Uint8Array;
  readonly source: Source;
  /** Call once the bytes are no longer looked at: their memory is used again. Further calls do nothing. */
  release(): void;
}

export interface GatewayRead extends ObjectHead {
  /**
   * Exactly the bytes of `range` (or of the object), or an error: never a short clean end. Whoever stops before its
   * end calls return(), which ends the work behind it.
   */
  readonly chunks: AsyncGenerator<Chunk, void, undefined>;
  /** All of `chunks`, where they are at hand: who takes and releases these has no need of those. */
  readonly whole?: readonly Chunk[] | undefined;
  /** Of the first bytes. */
  readonly source: Source;
  /** Since the origin was asked what this key is. */
  readonly versionAgeMs: number;
}

export type AtHand = GatewayRead | Promise<GatewayRead | undefined> | undefined;

/** What the origin of a bucket cannot do is refused with BackendError 'NotSupported'. */
export interface Objects extends Required<Multipart> {
  capabilities(bucket: string): Capabilities;

  headBucket(bucket: string, signal: AbortSignal): Promise<BucketInfo | undefined>;
  createBucket(bucket: string, options: { owner: string }, signal: AbortSignal): Promise<void>;
  deleteBucket(bucket: string, signal: AbortSignal): Promise<void>;
  listBuckets(signal: AbortSignal): Promise<readonly BucketInfo[]>;

  /** Undefined: never switched on, or never to be had. */
  getVersioning(bucket: string, signal: AbortSignal): Promise<VersioningStatus | undefined>;
  setVersioning(bucket: string, status: VersioningStatus, signal: AbortSignal): Promise<void>;
  /** Where there is one version of an object, it is the null version. */
  listVersions(bucket: string, options: ListVersionsOptions, signal: AbortSignal): Promise<VersionListPage>;

  head(ref: ObjectRef, options: GatewayHeadOptions, signal: AbortSignal): Promise<ObjectHead>;
  /**
   * What read() would answer, where that needs nobody else: at once from memory, soon from a disk of this gateway.
   * Undefined, at once or soon: ask it, also for what it would refuse.
   */
  atHand(ref: ObjectRef, options: GatewayReadOptions): AtHand;
  read(ref: ObjectRef, options: GatewayReadOptions, signal: AbortSignal): Promise<GatewayRead>;
  list(bucket: string, options: ListOptions, signal: AbortSignal): Promise<ListPage>;
  put(ref: ObjectRef, body: UploadBody, options: PutOptions, signal: AbortSignal): Promise<Written>;
  delete(ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<Deleted>;
  deleteMany(bucket: string, targets: readonly DeleteTarget[], signal: AbortSignal): Promise<readonly DeleteOutcome[]>;
  copy(source: VersionRef, target: ObjectRef, options: CopyOptions, signal: AbortSignal): Promise<Copied>;

  getTags: Tagging['get'];
  setTags: Tagging['set'];
  deleteTags: Tagging['delete'];
  setAcl: ObjectAcls['set'];
  /** Undefined: the object was not made of parts, or its origin does not tell. */
  objectParts(ref: VersionRef, options: PartListOptions, signal: AbortSignal): Promise<ObjectPartsPage | undefined>;
}
