// An origin in a directory: objects are plain files that a person can read, named by their keys (fs/key-path.ts); what
// else is known of them is in an index beside them (fs/object-index.ts), and both change together or not at all
// (fs/journal.ts). One process at a time; files that other programs put there are no objects, and objects that other
// programs change in place are no longer what their etag says: replace or delete them through the gateway.
//
// Not covered: Windows, and file systems without atomic rename. On file systems that fold case or accents, file names are escaped further (fs/key-path.ts).
import { statfs } from 'node:fs/promises';
import {
  type Backend,
  BackendError,
  type BucketDocuments,
  type BucketInfo,
  type Buckets,
  type Capabilities,
  type Copied,
  type CopyOptions,
  type Deleted,
  type DeleteOptions,
  type HeadOptions,
  type ListOptions,
  type ListPage,
  type Multipart,
  type ObjectAcls,
  type ObjectHead,
  type ObjectPartsPage,
  type ObjectRead,
  type ObjectRef,
  type PartListOptions,
  type PutOptions,
  type ReadOptions,
  type Tagging,
  type UploadBody,
  type Versioning,
  type VersionRef,
  type Written,
} from './backend.ts';
import { CHECKSUM_ALGORITHMS } from './checksums.ts';
import { checkWriteConditions } from './conditions.ts';
import { requireSpace } from './fs/ballast.ts';
import { documentsOf } from './fs/bucket-documents.ts';
import { copyObject } from './fs/copying.ts';
import { diskError } from './fs/disk-error.ts';
import { listObjects } from './fs/listing.ts';
import { FsMultipart } from './fs/multipart.ts';
import { objectAclsOf } from './fs/object-acls.ts';
import { checkKey, KEY_MAX_BYTES } from './fs/object-names.ts';
import { headObject, objectParts, openObject } from './fs/reading.ts';
import { withReceived } from './fs/receive.ts';
import { type ObjectRow, objectLock, rowName, written } from './fs/records.ts';
import { type FsRoot, openRoot } from './fs/root.ts';
import { FsTagging } from './fs/tagging.ts';
import { versioningOf } from './fs/versioning.ts';

export interface FsBackendOptions {
  /** Made when it is not there. Everything, internal files included, lies below it. */
  readonly root: string;
  /** Off: a power cut may lose what was acknowledged; a crash of the process does not. Default true. */
  readonly fsync?: boolean | undefined;
  /** Default 5 MiB, as S3 has it. */
  readonly partMinBytes?: number | undefined;
  /** Writes are refused below this much free space, so that deletes and the index keep room. Default 64 MiB. */
  readonly reserveBytes?: number | undefined;
  readonly now?: (() => Date) | undefined;
}

const MIB = 1024 * 1024;

export async function openFsBackend(options: FsBackendOptions): Promise<Backend> {
  const settings = {
    fsync: options.fsync ?? true,
    partMinBytes: options.partMinBytes ?? 5 * MIB,
    reserveBytes: options.reserveBytes ?? 64 * MIB,
    now: options.now ?? (() => new Date()),
  };
  try {
    return new FsBackend(await openRoot(options.root, settings), settings);
  } catch (error) {
    throw diskError(error);
  }
}

class FsBackend implements Backend {
  readonly kind = 'fs';
  readonly capabilities: Capabilities;
  readonly multipart: Multipart;
  readonly tagging: Tagging;
  readonly acls: ObjectAcls;
  readonly versioning: Versioning;
  readonly buckets: Buckets;
  readonly bucketDocuments: BucketDocuments;
  readonly #root: FsRoot;
  readonly #settings: { readonly fsync: boolean; readonly reserveBytes: number; readonly now: () => Date };

  constructor(root: FsRoot, settings: { fsync: boolean; partMinBytes: number; reserveBytes: number; now: () => Date }) {
    this.#root = root;
    this.#settings = settings;
    this.capabilities = {
      writable: true,
      local: true,
      list: 'full',
      putIfAbsent: 'atomic',
      putIfMatch: 'atomic',
      deleteIf: 'atomic',
      userMetadataMaxBytes: 1 * MIB,
      partMinBytes: settings.partMinBytes,
      putMaxBytes: Number.MAX_SAFE_INTEGER,
      keyMaxBytes: KEY_MAX_BYTES,
      batchDeleteMax: 0,
      checksums: CHECKSUM_ALGORITHMS,
      etag: 'md5',
      wantsMd5: true,
      acls: true,
    };
    const run = this.#run.bind(this);
    this.multipart = new FsMultipart({ root, run, requireSpace: () => this.#requireSpace() }, settings);
    this.tagging = new FsTagging({ root, run });
    this.acls = objectAclsOf(root, run);
    this.versioning = versioningOf(root, run);
    this.buckets = {
      create: (bucket, { owner }, signal) => run(signal, () => root.buckets.create(bucket, owner)),
      delete: (bucket, signal) => run(signal, () => root.buckets.delete(bucket)),
      list: (signal) => run(signal, async () => root.buckets.all()),
    };
    this.bucketDocuments = documentsOf(root, run);
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#run(signal, async () => {
      await statfs(this.#root.layout.tmp);
    });
  }

  headBucket(bucket: string, signal: AbortSignal): Promise<BucketInfo | undefined> {
    return this.#run(signal, async () => this.#root.buckets.find(bucket));
  }

  head(ref: VersionRef, options: HeadOptions, signal: AbortSignal): Promise<ObjectHead> {
    return this.#run(signal, () => headObject(this.#root, ref, options));
  }

  read(ref: VersionRef, options: ReadOptions, signal: AbortSignal): Promise<ObjectRead> {
    return this.#run(signal, () => openObject(this.#root, ref, options, signal));
  }

  list(bucket: string, options: ListOptions, signal: AbortSignal): Promise<ListPage> {
    return this.#run(signal, async () => {
      this.#root.buckets.require(bucket);
      return listObjects(this.#root.index.rows, bucket, options);
    });
  }

  put(ref: ObjectRef, body: UploadBody, options: PutOptions, signal: AbortSignal): Promise<Written> {
    const { buckets, locks, succession, layout } = this.#root;
    const { conditions, ...attributes } = options;
    const deps = { layout, fsync: this.#settings.fsync };
    const putting = async (): Promise<Written> => {
      checkKey(ref.key);
      buckets.require(ref.bucket);
      // Again when the body is there; this one spares the client a body that would be refused.
      if (conditions !== undefined) checkWriteConditions(conditions, await this.#current(ref));
      await this.#requireSpace();
      return withReceived(
        body,
        deps,
        async ({ temp, stamp, ...received }) => {
          const row = { ...attributes, ...received, lastModified: this.#settings.now().getTime() };
          const placed = await buckets.within(ref.bucket, () =>
            locks.alone(objectLock(ref), async () => {
              const current = await this.#current(ref);
              checkWriteConditions(conditions, current);
              signal.throwIfAborted();
              return succession.place({ kind: 'place', ref, temp, stamp, row }, current);
            }),
          );
          return written(placed);
        },
        signal,
      );
    };
    return this.#run(signal, putting, body);
  }

  delete(ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<Deleted> {
    const { buckets, locks, succession } = this.#root;
    return this.#run(signal, () =>
      buckets.within(ref.bucket, () => locks.alone(objectLock(ref), () => succession.remove(ref, options))),
    );
  }

  copy(source: VersionRef, target: ObjectRef, options: CopyOptions, signal: AbortSignal): Promise<Copied> {
    return this.#run(signal, async () => {
      checkKey(target.key);
      await this.#requireSpace();
      return copyObject(this.#root, { source, target }, options, { ...this.#settings, signal });
    });
  }

  objectParts(ref: VersionRef, options: PartListOptions, signal: AbortSignal): Promise<ObjectPartsPage | undefined> {
    return this.#run(signal, () => objectParts(this.#root, ref, options));
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #current(ref: ObjectRef): Promise<ObjectRow | undefined> {
    return this.#root.index.rows.get<ObjectRow>(rowName.object(ref));
  }

  #requireSpace(): Promise<void> {
    return requireSpace(this.#root.layout, this.#settings.reserveBytes);
  }

  /** Every method's frame: the index recovered, and errors in the contract's words. */
  async #run<T>(signal: AbortSignal, work: () => Promise<T>, body?: UploadBody): Promise<T> {
    signal.throwIfAborted();
    try {
      await this.#root.recovered();
      return await work();
    } catch (error) {
      if (error instanceof BackendError) throw error;
      if (signal.aborted) throw signal.reason;
      if (body !== undefined && error === body.stream.errored) throw error;
      throw diskError(error);
    }
  }
}
