// An origin in memory: small, whole, and honest about the contract, for tests of what stands before it. Everything
// between a check and the change it guards is synchronous, which makes its conditions atomic.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  type Backend,
  BackendError,
  type BucketDocuments,
  type BucketInfo,
  type Buckets,
  type Capabilities,
  type Checksum,
  type Copied,
  type CopyOptions,
  type Deleted,
  type DeleteOptions,
  type DeleteOutcome,
  type DeleteTarget,
  type HeadOptions,
  type ListOptions,
  type ListPage,
  type Multipart,
  type ObjectAcls,
  type ObjectHead,
  type ObjectInfo,
  type ObjectPartsPage,
  type ObjectRead,
  type ObjectRef,
  type PutOptions,
  type ReadOptions,
  type Tagging,
  type Tags,
  type UploadBody,
  type Versioning,
  type VersionRef,
  type WriteConditions,
  type Written,
} from '../../backends/backend.ts';
import { CHECKSUM_ALGORITHMS, createHasher, fullObjectChecksum } from '../../backends/checksums.ts';
import { checkDeleteConditions, checkReadConditions, checkWriteConditions } from '../../backends/conditions.ts';
import { resolveRange } from '../../backends/range.ts';
import { listNames, objectSummary } from './memory-listing.ts';
import { MemoryUploads } from './memory-uploads.ts';
import { MemoryVersions } from './memory-versions.ts';

export interface StoredObject {
  readonly info: ObjectInfo;
  readonly bytes: Buffer;
  /** Where each part ends, of an object made of parts. */
  readonly partEnds?: readonly number[] | undefined;
  readonly partChecksums?: readonly (Checksum | undefined)[] | undefined;
  readonly tags: Tags;
}

interface StoredBucket {
  readonly info: BucketInfo;
  readonly objects: Map<string, StoredObject>;
  readonly versions: MemoryVersions;
  readonly documents: Map<string, string>;
}

export interface MemoryBackendOptions {
  readonly capabilities?: Partial<Capabilities>;
  readonly now?: () => Date;
}

export class MemoryBackend implements Backend {
  readonly kind = 'memory';
  readonly capabilities: Capabilities;
  readonly multipart: Multipart;
  readonly buckets: Buckets;
  readonly tagging: Tagging;
  readonly acls: ObjectAcls;
  readonly versioning: Required<Versioning>;
  readonly bucketDocuments: BucketDocuments;
  readonly #now: () => Date;
  readonly #buckets = new Map<string, StoredBucket>();

  constructor(options: MemoryBackendOptions = {}) {
    this.#now = options.now ?? (() => new Date());
    this.capabilities = { ...CAPABILITIES, ...options.capabilities };
    const uploads = new MemoryUploads(this, this.#now);
    this.multipart = uploads;
    this.tagging = {
      get: async (ref) => {
        const { tags, info } = this.find(ref, ref);
        return { tags, versionId: info.versionId };
      },
      set: async (ref, tags) => this.#tag(ref, tags),
      delete: async (ref) => this.#tag(ref, {}),
    };
    this.acls = {
      set: async (ref, acl) => {
        const stored = this.find(ref, ref);
        const info = { ...stored.info, acl };
        this.bucket(ref.bucket).versions.replace(ref.key, ref.versionId, { ...stored, info });
        return { versionId: info.versionId };
      },
    };
    this.versioning = {
      get: async (bucket) => this.bucket(bucket).versions.status,
      set: async (bucket, status) => this.bucket(bucket).versions.switch(status),
      list: async (bucket, options) => this.bucket(bucket).versions.list(options),
    };
    this.buckets = {
      create: async (bucket, { owner }) => this.#createBucket(bucket, owner),
      delete: async (bucket) => {
        const { objects, versions } = this.bucket(bucket);
        if (objects.size > 0 || !versions.isEmpty) throw new BackendError('BucketNotEmpty', 'It holds objects.');
        this.#buckets.delete(bucket);
        uploads.dropBucket(bucket);
      },
      list: async () => [...this.#buckets.values()].map(({ info }) => info),
    };
    this.bucketDocuments = {
      get: async (bucket, name) => this.bucket(bucket).documents.get(name),
      set: async (bucket, name, document) => void this.bucket(bucket).documents.set(name, document),
      delete: async (bucket, name) => void this.bucket(bucket).documents.delete(name),
    };
  }

  async check(): Promise<void> {}

  async headBucket(bucket: string): Promise<BucketInfo | undefined> {
    return this.#buckets.get(bucket)?.info;
  }

  async head(ref: ObjectRef, options: HeadOptions, signal: AbortSignal): Promise<ObjectHead> {
    signal.throwIfAborted();
    const stored = this.find(ref, options);
    return { info: stored.info, ...partOf(stored, options.partNumber) };
  }

  async read(ref: ObjectRef, options: ReadOptions, signal: AbortSignal): Promise<ObjectRead> {
    signal.throwIfAborted();
    const stored = this.find(ref, options);
    const wanted: Omit<ObjectHead, 'info'> =
      options.range === undefined
        ? partOf(stored, options.partNumber)
        : { range: resolveRange(options.range, stored.info.sizeBytes) };
    const { range } = wanted;
    const bytes = range === undefined ? stored.bytes : stored.bytes.subarray(range.start, range.end);
    return { info: stored.info, ...wanted, body: Readable.from(slices(bytes), { objectMode: false, signal }) };
  }

  async list(bucket: string, options: ListOptions, signal: AbortSignal): Promise<ListPage> {
    signal.throwIfAborted();
    const { objects } = this.bucket(bucket);
    const page = listNames([...objects.keys()], options);
    return {
      objects: page.names.map((name) => objectSummary(objects.get(name))),
      prefixes: page.prefixes,
      nextToken: page.nextToken,
    };
  }

  async put(ref: ObjectRef, body: UploadBody, options: PutOptions, signal: AbortSignal): Promise<Written> {
    this.bucket(ref.bucket);
    checkKey(ref.key);
    const { bytes, etag } = await receive(body, signal);
    const checksum = body.digests().checksum ?? crc64(bytes);
    return this.store(ref, { bytes, etag, checksum }, options);
  }

  async delete(ref: ObjectRef, options: DeleteOptions): Promise<Deleted> {
    const { versions } = this.bucket(ref.bucket);
    const { versionId } = options;
    const described = versions.described(ref.key, versionId);
    checkDeleteConditions(options.conditions, described);
    if (options.conditions !== undefined && described === undefined) return {};
    if (versionId === undefined) {
      const marked = versions.add(ref.key, undefined, this.#now());
      return marked === undefined ? {} : { versionId: marked, deleteMarker: true };
    }
    const removed = versions.remove(ref.key, versionId);
    if (versions.status === undefined) return {};
    return removed !== undefined && removed.object === undefined ? { versionId, deleteMarker: true } : { versionId };
  }

  async deleteMany(bucket: string, targets: readonly DeleteTarget[]): Promise<readonly DeleteOutcome[]> {
    return Promise.all(
      targets.map(async (target) => {
        try {
          return { ...target, deleted: await this.delete({ bucket, key: target.key }, target) };
        } catch (error) {
          if (!(error instanceof BackendError) || error.code === 'NoSuchBucket') throw error;
          return { ...target, error };
        }
      }),
    );
  }

  async copy(source: VersionRef, target: ObjectRef, options: CopyOptions): Promise<Copied> {
    const { info, bytes, partEnds, tags } = this.find(source, { ...source, conditions: options.sourceConditions });
    const checksum = options.checksumAlgorithm
      ? checksumOf(options.checksumAlgorithm, bytes)
      : (info.checksum ?? crc64(bytes));
    const made = { bytes, etag: partEnds === undefined ? info.etag : md5(bytes).toString('hex'), checksum };
    const attributes = options.replace ?? info;
    const written = this.store(target, made, {
      headers: attributes.headers,
      metadata: attributes.metadata,
      storageClass: options.storageClass,
      tags: options.replaceTags ?? options.replace?.tags ?? tags,
      acl: options.acl,
      conditions: options.conditions,
    });
    const { lastModified } = this.find(target, {}).info;
    return { ...written, lastModified, sourceVersionId: info.versionId };
  }

  async objectParts(
    ref: VersionRef,
    options: { after?: number | undefined; maxEntries: number },
  ): Promise<ObjectPartsPage | undefined> {
    const { partEnds, partChecksums } = this.find(ref, ref);
    if (partEnds === undefined) return undefined;
    const { after = 0, maxEntries } = options;
    const all = partEnds.map((end, index) => ({
      partNumber: index + 1,
      sizeBytes: end - (partEnds[index - 1] ?? 0),
      checksum: partChecksums?.[index],
    }));
    const parts = all.slice(after, after + maxEntries);
    const nextAfter = after + parts.length < all.length ? after + parts.length : undefined;
    return { parts, partCount: all.length, nextAfter };
  }

  async close(): Promise<void> {}

  /** Throws NoSuchBucket. */
  bucket(name: string): StoredBucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new BackendError('NoSuchBucket', `There is no bucket '${name}'.`);
    return bucket;
  }

  find(ref: ObjectRef, options: HeadOptions): StoredObject {
    const stored = this.bucket(ref.bucket).versions.find(ref.key, options.versionId);
    checkReadConditions(options.conditions, stored.info);
    return stored;
  }

  store(
    ref: ObjectRef,
    made: Pick<StoredObject, 'bytes' | 'partEnds' | 'partChecksums'> & Pick<ObjectInfo, 'etag' | 'checksum'>,
    options: PutOptions & { readonly conditions?: WriteConditions | undefined },
  ): Written {
    const { objects, versions } = this.bucket(ref.bucket);
    checkKey(ref.key);
    checkWriteConditions(options.conditions, objects.get(ref.key)?.info);
    const info: ObjectInfo = {
      key: ref.key,
      sizeBytes: made.bytes.length,
      etag: made.etag,
      lastModified: this.#now(),
      headers: options.headers,
      metadata: options.metadata,
      storageClass: options.storageClass,
      checksum: made.checksum,
      partCount: made.partEnds?.length,
      tagCount: Object.keys(options.tags ?? {}).length,
      acl: options.acl,
      identity: 'strong',
    };
    const { bytes, partEnds, partChecksums } = made;
    const stored = { info, bytes, partEnds, partChecksums, tags: options.tags ?? {} };
    const id = versions.add(ref.key, stored, this.#now());
    const versionId = versions.status === 'Enabled' ? id : undefined;
    const { etag, sizeBytes, lastModified, checksum } = info;
    return { etag, sizeBytes, lastModified, versionId, checksum };
  }

  #tag(ref: VersionRef, tags: Tags): { versionId: string | undefined } {
    const stored = this.find(ref, ref);
    const info = { ...stored.info, tagCount: Object.keys(tags).length };
    this.bucket(ref.bucket).versions.replace(ref.key, ref.versionId, { ...stored, info, tags });
    return { versionId: info.versionId };
  }

  #createBucket(name: string, owner: string): void {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
      throw new BackendError('InvalidBucketName', `'${name}' is no bucket name.`);
    }
    const existing = this.#buckets.get(name);
    if (existing !== undefined) {
      const code = existing.info.owner === owner ? 'BucketAlreadyOwnedByYou' : 'BucketAlreadyExists';
      throw new BackendError(code, `Bucket '${name}' exists.`);
    }
    const objects = new Map<string, StoredObject>();
    const versions = new MemoryVersions(objects);
    this.#buckets.set(name, { info: { name, created: this.#now(), owner }, objects, versions, documents: new Map() });
  }
}

const CAPABILITIES: Capabilities = {
  writable: true,
  list: 'full',
  putIfAbsent: 'atomic',
  putIfMatch: 'atomic',
  deleteIf: 'atomic',
  userMetadataMaxBytes: 2048,
  partMinBytes: 1,
  putMaxBytes: 64 * 1024 ** 2,
  keyMaxBytes: 1024,
  batchDeleteMax: 1000,
  checksums: CHECKSUM_ALGORITHMS,
  etag: 'md5',
  wantsMd5: false,
  acls: true,
};

export async function receive(body: UploadBody, signal: AbortSignal): Promise<{ bytes: Buffer; etag: string }> {
  const abort = (): void => void body.stream.destroy(asError(signal.reason));
  signal.throwIfAborted();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const bytes = await buffer(body.stream);
    return { bytes, etag: md5(bytes).toString('hex') };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

export function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

export function checksumOf(algorithm: Parameters<typeof fullObjectChecksum>[0], bytes: Uint8Array) {
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  return fullObjectChecksum(algorithm, hasher.digest());
}

function crc64(bytes: Uint8Array) {
  return checksumOf('CRC64NVME', bytes);
}

export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > CAPABILITIES.keyMaxBytes) throw new BackendError('KeyTooLong', 'The key is too long.');
  if (key.includes('\0') || /[\ud800-\udfff]/u.test(key))
    throw new BackendError('InvalidArgument', 'No such key can be.');
}

function partOf(stored: StoredObject, partNumber: number | undefined): Omit<ObjectHead, 'info'> {
  if (partNumber === undefined) return {};
  const ends = stored.partEnds ?? [stored.bytes.length];
  const end = ends[partNumber - 1];
  if (end === undefined) throw new BackendError('InvalidPartNumber', `The object has ${ends.length} parts.`);
  const partChecksum = stored.partEnds === undefined ? stored.info.checksum : stored.partChecksums?.[partNumber - 1];
  return { range: { start: ends[partNumber - 2] ?? 0, end }, partChecksum };
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += 65_536) yield bytes.subarray(start, start + 65_536);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
