// Objects through the cache. Reads go by cached-reads.ts; a write revokes what is known of its key before its origin
// can commit it, and says afterwards what it made. All else goes to the origins as it is.
import type {
  CannedAcl,
  CompletedPart,
  CompleteOptions,
  Copied,
  CopyOptions,
  Deleted,
  DeleteOptions,
  DeleteOutcome,
  DeleteTarget,
  ObjectAcls,
  ObjectHead,
  ObjectRef,
  PutOptions,
  Tagging,
  Tags,
  UploadBody,
  UploadRef,
  VersionRef,
  Written,
} from '../../backends/backend.ts';
import type { BucketMap } from './bucket-map.ts';
import type { CachedReads } from './cached-reads.ts';
import type { AtHand, GatewayHeadOptions, GatewayRead, GatewayReadOptions } from './objects.ts';
import type { OriginObject } from './origin-object.ts';
import { RoutedObjects } from './routed-objects.ts';
import type { StagedUploads } from './staged-uploads.ts';
import type { Freshness, Versions, WriteMark, WriteOutcome } from './versions.ts';

/** How a key is cached. */
export interface CachePolicy {
  readonly origin: OriginObject;
  readonly freshness: Freshness;
}

export interface CachedObjectsDeps {
  readonly map: BucketMap;
  readonly reads: Pick<CachedReads, 'head' | 'atHand' | 'read'>;
  readonly versions: Pick<Versions, 'begin' | 'end'>;
  readonly staged: Pick<StagedUploads, 'begin'>;
  /** Undefined: this key is not cached. */
  readonly policyOf: (ref: ObjectRef) => CachePolicy | undefined;
}

const WRITTEN: WriteOutcome = { kind: 'written' };
const UNKNOWN: WriteOutcome = { kind: 'unknown' };
const MISSING: WriteOutcome = { kind: 'missing' };

export class CachedObjects extends RoutedObjects {
  readonly #deps: CachedObjectsDeps;

  constructor(deps: CachedObjectsDeps) {
    super(deps);
    this.#deps = deps;
  }

  override async head(ref: ObjectRef, options: GatewayHeadOptions, signal: AbortSignal): Promise<ObjectHead> {
    const policy = this.#policyFor(ref, options);
    if (policy === undefined) return super.head(ref, options, signal);
    const head = await this.#deps.reads.head(ref, policy.freshness, options, signal);
    return head.info.key === ref.key ? head : { ...head, info: { ...head.info, key: ref.key } };
  }

  override atHand(ref: ObjectRef, options: GatewayReadOptions): AtHand {
    const policy = this.#policyFor(ref, options);
    const read = policy && this.#deps.reads.atHand(ref, policy.origin, policy.freshness, options);
    if (read instanceof Promise) return read.then((soon) => soon && underItsName(ref, soon));
    return read && underItsName(ref, read);
  }

  override async read(ref: ObjectRef, options: GatewayReadOptions, signal: AbortSignal): Promise<GatewayRead> {
    const policy = this.#policyFor(ref, options);
    const read = policy && (await this.#deps.reads.read(ref, policy.origin, policy.freshness, options, signal));
    return read === undefined ? super.read(ref, options, signal) : underItsName(ref, read);
  }

  override async put(ref: ObjectRef, body: UploadBody, options: PutOptions, signal: AbortSignal): Promise<Written> {
    const policy = this.#deps.policyOf(ref);
    if (policy === undefined) return super.put(ref, body, options, signal);
    if (options.customerKey !== undefined) {
      return this.#revoking(ref, UNKNOWN, () => super.put(ref, body, options, signal));
    }
    let mark: WriteMark | undefined;
    const beforeLast = async () => {
      mark = await this.#deps.versions.begin(ref);
    };
    // An empty body is committed with its head.
    if (body.sizeBytes === 0) await beforeLast();
    const staged = this.#deps.staged.begin(policy.origin, body, beforeLast);
    let outcome = UNKNOWN;
    try {
      const written = await super.put(ref, staged.body, options, signal);
      outcome = WRITTEN;
      await staged.commit(written.etag);
      return written;
    } catch (error) {
      await staged.abandon();
      throw error;
    } finally {
      if (mark !== undefined) await this.#deps.versions.end(mark, outcome);
    }
  }

  override delete(ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<Deleted> {
    const outcome = options.versionId === undefined ? MISSING : UNKNOWN;
    return this.#revoking(ref, outcome, () => super.delete(ref, options, signal));
  }

  override async deleteMany(
    bucket: string,
    targets: readonly DeleteTarget[],
    signal: AbortSignal,
  ): Promise<readonly DeleteOutcome[]> {
    const cached = targets.map(({ key }) => ({ bucket, key })).filter((ref) => this.#deps.policyOf(ref) !== undefined);
    if (cached.length === 0) return super.deleteMany(bucket, targets, signal);
    const mark = await this.#deps.versions.begin(...cached);
    try {
      return await super.deleteMany(bucket, targets, signal);
    } finally {
      await this.#deps.versions.end(mark, UNKNOWN);
    }
  }

  override copy(source: VersionRef, target: ObjectRef, options: CopyOptions, signal: AbortSignal): Promise<Copied> {
    return this.#revoking(target, WRITTEN, () => super.copy(source, target, options, signal));
  }

  /** What a head tells of an object says how many tags it has, and an origin asked whether it changed says no. */
  override setTags(ref: VersionRef, tags: Tags, signal: AbortSignal): ReturnType<Tagging['set']> {
    return this.#revoking(ref, UNKNOWN, () => super.setTags(ref, tags, signal));
  }

  override deleteTags(ref: VersionRef, signal: AbortSignal): ReturnType<Tagging['delete']> {
    return this.#revoking(ref, UNKNOWN, () => super.deleteTags(ref, signal));
  }

  override setAcl(ref: VersionRef, acl: CannedAcl | undefined, signal: AbortSignal): ReturnType<ObjectAcls['set']> {
    return this.#revoking(ref, UNKNOWN, () => super.setAcl(ref, acl, signal));
  }

  override completeUpload(
    upload: UploadRef,
    parts: readonly CompletedPart[],
    options: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Written> {
    return this.#revoking(upload, WRITTEN, () => super.completeUpload(upload, parts, options, signal));
  }

  /** Versions and parts are the origin's to tell, and what a client's own key opens is kept nowhere. */
  #policyFor(ref: ObjectRef, options: GatewayReadOptions): CachePolicy | undefined {
    const { versionId, partNumber, customerKey } = options;
    const isPlain = versionId === undefined && partNumber === undefined && customerKey === undefined;
    return isPlain ? this.#deps.policyOf(ref) : undefined;
  }

  async #revoking<T>(ref: ObjectRef, outcome: WriteOutcome, write: () => Promise<T>): Promise<T> {
    if (this.#deps.policyOf(ref) === undefined) return write();
    const mark = await this.#deps.versions.begin(ref);
    let ended = UNKNOWN;
    try {
      const written = await write();
      ended = outcome;
      return written;
    } finally {
      await this.#deps.versions.end(mark, ended);
    }
  }
}

/** The same record each time, where its origin has the same name for it: what is derived of it is derived once. */
function underItsName(ref: ObjectRef, read: GatewayRead): GatewayRead {
  return read.info.key === ref.key ? read : { ...read, info: { ...read.info, key: ref.key } };
}
