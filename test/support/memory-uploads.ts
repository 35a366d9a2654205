// Multipart uploads of the memory backend.
import { randomUUID } from 'node:crypto';
import {
  BackendError,
  type ByteRange,
  type Checksum,
  type ChecksumAlgorithm,
  type CompletedPart,
  type CompleteOptions,
  type CreateUploadOptions,
  type ListUploadsOptions,
  type Multipart,
  type ObjectRef,
  type Part,
  type PartListPage,
  type ReadConditions,
  type UploadBody,
  type UploadListPage,
  type UploadRef,
  type VersionRef,
  type Written,
} from '../../backends/backend.ts';
import { combineChecksums, compositeChecksum, isCombinable, multipartChecksumTypes } from '../../backends/checksums.ts';
import { checkKey, checksumOf, type MemoryBackend, md5, receive } from './memory-backend.ts';
import { byBytes } from './memory-listing.ts';

interface StoredPart extends Part {
  readonly bytes: Buffer;
}

interface Upload {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  readonly initiated: Date;
  readonly options: CreateUploadOptions;
  readonly parts: Map<number, StoredPart>;
  /** Completing the same again answers the same. */
  done?: { readonly parts: string; readonly written: Written };
}

export class MemoryUploads implements Multipart {
  readonly #backend: MemoryBackend;
  readonly #now: () => Date;
  readonly #uploads = new Map<string, Upload>();

  constructor(backend: MemoryBackend, now: () => Date) {
    this.#backend = backend;
    this.#now = now;
  }

  dropBucket(bucket: string): void {
    for (const [id, upload] of this.#uploads) if (upload.ref.bucket === bucket) this.#uploads.delete(id);
  }

  async createUpload(ref: ObjectRef, options: CreateUploadOptions): Promise<string> {
    this.#backend.bucket(ref.bucket);
    checkKey(ref.key);
    const uploadId = randomUUID();
    const { bucket, key } = ref;
    this.#uploads.set(uploadId, {
      ref: { bucket, key },
      uploadId,
      initiated: this.#now(),
      options,
      parts: new Map(),
    });
    return uploadId;
  }

  async uploadPart(upload: UploadRef, partNumber: number, body: UploadBody, signal: AbortSignal) {
    this.#pending(upload);
    const { bytes } = await receive(body, signal);
    return this.#keep(this.#pending(upload), partNumber, bytes, body.digests().checksum);
  }

  async uploadPartCopy(
    upload: UploadRef,
    partNumber: number,
    source: VersionRef,
    options: { range?: ByteRange | undefined; conditions?: ReadConditions | undefined },
  ) {
    const pending = this.#pending(upload);
    const { bytes } = this.#backend.find(source, { ...source, conditions: options.conditions });
    const { start, end } = options.range ?? { start: 0, end: bytes.length };
    if (end > bytes.length) throw new BackendError('InvalidRange', `The source has ${bytes.length} bytes.`);
    return this.#keep(pending, partNumber, bytes.subarray(start, end), undefined);
  }

  async listParts(
    upload: UploadRef,
    options: { after?: number | undefined; maxEntries: number },
  ): Promise<PartListPage> {
    const { parts, options: made } = this.#pending(upload);
    const rest = sorted(parts).filter((part) => part.partNumber > (options.after ?? 0));
    const page = rest.slice(0, options.maxEntries);
    return {
      parts: page.map(({ bytes: _, ...part }) => part),
      checksumAlgorithm: made.checksumAlgorithm,
      checksumType: made.checksumAlgorithm && checksumTypeOf(made, made.checksumAlgorithm),
      storageClass: made.storageClass,
      nextAfter: rest.length > page.length ? page.at(-1)?.partNumber : undefined,
    };
  }

  async listUploads(bucket: string, options: ListUploadsOptions): Promise<UploadListPage> {
    this.#backend.bucket(bucket);
    const { prefix = '', delimiter, keyMarker, uploadIdMarker, maxEntries } = options;
    const all = [...this.#uploads.values()]
      .filter((upload) => upload.ref.bucket === bucket && upload.done === undefined)
      .filter((upload) => upload.ref.key.startsWith(prefix))
      .sort((one, other) => byBytes(one.ref.key, other.ref.key));
    const marked = all.findIndex((upload) => upload.ref.key === keyMarker && upload.uploadId === uploadIdMarker);
    const page = { uploads: [] as Upload[], prefixes: [] as string[] };
    let last: { keyMarker: string; uploadIdMarker?: string } | undefined;
    for (const [index, upload] of all.entries()) {
      const { key } = upload.ref;
      const cut = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
      const entry = delimiter === undefined || cut === -1 ? key : key.slice(0, cut + delimiter.length);
      if (cut !== -1 && (entry === last?.keyMarker || entry === keyMarker)) continue;
      if (keyMarker !== undefined && (marked >= 0 ? index <= marked : byBytes(key, keyMarker) <= 0)) continue;
      if (page.uploads.length + page.prefixes.length === maxEntries) return { ...asPage(page), next: last };
      if (cut === -1) page.uploads.push(upload);
      else page.prefixes.push(entry);
      last = cut === -1 ? { keyMarker: key, uploadIdMarker: upload.uploadId } : { keyMarker: entry };
    }
    return asPage(page);
  }

  async completeUpload(upload: UploadRef, named: readonly CompletedPart[], options: CompleteOptions): Promise<Written> {
    const identity = JSON.stringify(named.map((part) => [part.partNumber, part.etag]));
    const before = this.#uploads.get(upload.uploadId)?.done;
    if (before !== undefined && before.parts === identity) return before.written;
    const pending = this.#pending(upload);
    const parts = this.#choose(pending, named);
    const bytes = Buffer.concat(parts.map((part) => part.bytes));
    const checksum = this.#checksum(pending, parts);
    if (options.checksum !== undefined && options.checksum.value !== checksum?.value) {
      throw new BackendError('BadDigest', 'The object has another checksum than was declared.');
    }
    if (options.sizeBytes !== undefined && options.sizeBytes !== bytes.length) {
      throw new BackendError('BadDigest', 'The object has another size than was declared.');
    }
    const partEnds = ends(parts);
    const etag = `${md5(Buffer.concat(parts.map((part) => md5(part.bytes)))).toString('hex')}-${parts.length}`;
    const written = this.#backend.store(
      upload,
      { bytes, etag, checksum, partEnds, partChecksums: parts.map((part) => part.checksum) },
      { ...pending.options, conditions: options.conditions },
    );
    pending.done = { parts: identity, written };
    return written;
  }

  async abortUpload(upload: UploadRef): Promise<void> {
    this.#pending(upload);
    this.#uploads.delete(upload.uploadId);
  }

  #pending(upload: UploadRef): Upload {
    this.#backend.bucket(upload.bucket);
    const found = this.#uploads.get(upload.uploadId);
    if (
      found === undefined ||
      found.done !== undefined ||
      found.ref.key !== upload.key ||
      found.ref.bucket !== upload.bucket
    ) {
      throw new BackendError('NoSuchUpload', `There is no upload '${upload.uploadId}'.`);
    }
    return found;
  }

  #keep(upload: Upload, partNumber: number, bytes: Buffer, given: Checksum | undefined) {
    const algorithm = given?.algorithm ?? upload.options.checksumAlgorithm;
    const checksum = algorithm && checksumOf(algorithm, bytes);
    const etag = md5(bytes).toString('hex');
    const lastModified = this.#now();
    upload.parts.set(partNumber, { partNumber, bytes, etag, lastModified, sizeBytes: bytes.length, checksum });
    return { etag, lastModified, checksum };
  }

  #choose(upload: Upload, named: readonly CompletedPart[]): StoredPart[] {
    const least = this.#backend.capabilities.partMinBytes;
    return named.map(({ partNumber, etag, checksum }, index) => {
      if (partNumber <= (named[index - 1]?.partNumber ?? 0)) {
        throw new BackendError('InvalidPartOrder', 'The parts are not in ascending order.');
      }
      const part = upload.parts.get(partNumber);
      const other = checksum !== undefined && checksum.value !== part?.checksum?.value;
      if (part === undefined || part.etag !== etag || other) {
        throw new BackendError('InvalidPart', `Part ${partNumber} is not there.`);
      }
      if (index < named.length - 1 && part.sizeBytes < least) {
        throw new BackendError('EntityTooSmall', `Part ${partNumber} is too small.`);
      }
      return part;
    });
  }

  #checksum(upload: Upload, parts: readonly StoredPart[]): Checksum | undefined {
    const algorithm = upload.options.checksumAlgorithm;
    if (algorithm === undefined) return undefined;
    const digested = parts.map((part) => ({
      digest: Buffer.from(checksumOf(algorithm, part.bytes).value, 'base64'),
      sizeBytes: part.sizeBytes,
    }));
    return checksumTypeOf(upload.options, algorithm) === 'FULL_OBJECT' && isCombinable(algorithm)
      ? combineChecksums(algorithm, digested)
      : compositeChecksum(
          algorithm,
          digested.map((part) => part.digest),
        );
  }
}

function checksumTypeOf(options: CreateUploadOptions, algorithm: ChecksumAlgorithm) {
  return options.checksumType ?? multipartChecksumTypes(algorithm)[0];
}

function sorted(parts: ReadonlyMap<number, StoredPart>): StoredPart[] {
  return [...parts.values()].sort((one, other) => one.partNumber - other.partNumber);
}

function ends(parts: readonly StoredPart[]): number[] {
  let end = 0;
  return parts.map((part) => {
    end += part.sizeBytes;
    return end;
  });
}

function asPage(page: { uploads: readonly Upload[]; prefixes: readonly string[] }): UploadListPage {
  return {
    uploads: page.uploads.map(({ ref, uploadId, initiated, options }) => ({
      key: ref.key,
      uploadId,
      initiated,
      storageClass: options.storageClass,
      checksumAlgorithm: options.checksumAlgorithm,
      checksumType: options.checksumAlgorithm && checksumTypeOf(options, options.checksumAlgorithm),
    })),
    prefixes: page.prefixes,
  };
}
