// The contract's multipart methods over the store of uploads: bodies received, sources read, errors framed.
import { rm } from 'node:fs/promises';
import {
  BackendError,
  type ByteRange,
  type ChecksumAlgorithm,
  type CompletedPart,
  type CompleteOptions,
  type CreateUploadOptions,
  type ListUploadsOptions,
  type Multipart,
  type ObjectRef,
  type PartListOptions,
  type PartListPage,
  type ReadConditions,
  type UploadBody,
  type UploadListPage,
  type UploadRef,
  type VersionRef,
  type Written,
} from '../backend.ts';
import { createHasher, fullObjectChecksum } from '../checksums.ts';
import { checkReadConditions } from '../conditions.ts';
import { writeFile } from './durable-file.ts';
import { FileStream } from './file-stream.ts';
import { checkKey } from './object-names.ts';
import { withOpenObject } from './reading.ts';
import { type Received, withReceived } from './receive.ts';
import type { PartRow } from './records.ts';
import type { FsRoot } from './root.ts';
import { Uploads } from './uploads.ts';

interface FsMultipartDeps {
  readonly root: FsRoot;
  /** The backend's own frame around each method. */
  readonly run: <T>(signal: AbortSignal, work: () => Promise<T>, body?: UploadBody) => Promise<T>;
  readonly requireSpace: () => Promise<void>;
}

const PART_NUMBER_MAX = 10_000;

export class FsMultipart implements Multipart {
  readonly #deps: FsMultipartDeps;
  readonly #fsync: boolean;
  readonly #uploads: Uploads;

  constructor(deps: FsMultipartDeps, options: { fsync: boolean; partMinBytes: number; now: () => Date }) {
    this.#deps = deps;
    this.#fsync = options.fsync;
    this.#uploads = new Uploads(deps.root, options);
  }

  createUpload(ref: ObjectRef, options: CreateUploadOptions, signal: AbortSignal): Promise<string> {
    return this.#deps.run(signal, async () => {
      checkKey(ref.key);
      return this.#uploads.create(ref, options);
    });
  }

  uploadPart(
    upload: UploadRef,
    partNumber: number,
    body: UploadBody,
    signal: AbortSignal,
  ): ReturnType<Multipart['uploadPart']> {
    const { run, requireSpace, root } = this.#deps;
    const receiving = async () => {
      checkPartNumber(partNumber);
      await this.#uploads.require(upload);
      await requireSpace();
      const deps = { layout: root.layout, fsync: this.#fsync };
      const add = (received: Received) => this.#uploads.addPart(upload, partNumber, received);
      const { etag, checksum } = await withReceived(body, deps, add, signal);
      return { etag, checksum };
    };
    return run(signal, receiving, body);
  }

  uploadPartCopy(
    upload: UploadRef,
    partNumber: number,
    source: VersionRef,
    options: { range?: ByteRange | undefined; conditions?: ReadConditions | undefined },
    signal: AbortSignal,
  ): ReturnType<NonNullable<Multipart['uploadPartCopy']>> {
    return this.#deps.run(signal, async () => {
      checkPartNumber(partNumber);
      await this.#deps.requireSpace();
      const { checksumAlgorithm } = await this.#uploads.require(upload);
      const { stream, sourceVersionId } = await this.#openSource(source, options, signal);
      const part = await this.#copyPart(upload, partNumber, stream, checksumAlgorithm);
      const { etag, checksum } = part;
      return { etag, lastModified: new Date(part.lastModified), sourceVersionId, checksum };
    });
  }

  listParts(upload: UploadRef, options: PartListOptions, signal: AbortSignal): Promise<PartListPage> {
    return this.#deps.run(signal, () => this.#uploads.listParts(upload, options));
  }

  listUploads(bucket: string, options: ListUploadsOptions, signal: AbortSignal): Promise<UploadListPage> {
    return this.#deps.run(signal, () => this.#uploads.list(bucket, options));
  }

  completeUpload(
    upload: UploadRef,
    parts: readonly CompletedPart[],
    options: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Written> {
    return this.#deps.run(signal, async () => {
      await this.#deps.requireSpace();
      return this.#uploads.complete(upload, parts, options, signal);
    });
  }

  abortUpload(upload: UploadRef, signal: AbortSignal): Promise<void> {
    return this.#deps.run(signal, () => this.#uploads.abort(upload));
  }

  async #copyPart(
    upload: UploadRef,
    partNumber: number,
    stream: FileStream,
    checksumAlgorithm: ChecksumAlgorithm | undefined,
  ): Promise<PartRow> {
    const md5 = createHasher('MD5');
    const hasher = checksumAlgorithm && createHasher(checksumAlgorithm);
    const temp = this.#deps.root.layout.newTemp();
    const copy = async (write: (chunk: Buffer) => Promise<void>): Promise<void> => {
      for await (const chunk of stream) {
        md5.update(chunk as Buffer);
        hasher?.update(chunk as Buffer);
        await write(chunk as Buffer);
      }
    };
    try {
      const file = await writeFile(temp, copy, this.#fsync);
      const checksum = checksumAlgorithm && hasher && fullObjectChecksum(checksumAlgorithm, hasher.digest());
      const received: Received = { temp, ...file, etag: md5.digest().toString('hex'), checksum };
      return await this.#uploads.addPart(upload, partNumber, received);
    } catch (error) {
      stream.destroy();
      await rm(temp, { force: true });
      throw error;
    }
  }

  #openSource(
    source: VersionRef,
    options: { range?: ByteRange | undefined; conditions?: ReadConditions | undefined },
    signal: AbortSignal,
  ): Promise<{ stream: FileStream; sourceVersionId: string | undefined }> {
    return withOpenObject(
      this.#deps.root,
      source,
      async ({ info, file }) => {
        checkReadConditions(options.conditions, info);
        const range = options.range ?? { start: 0, end: info.sizeBytes };
        if (range.end > info.sizeBytes) {
          throw new BackendError('InvalidRange', `The source has ${info.sizeBytes} bytes, fewer than the range names.`);
        }
        return { stream: new FileStream(file, range, signal), sourceVersionId: info.versionId };
      },
      signal,
    );
  }
}

function checkPartNumber(partNumber: number): void {
  if (Number.isInteger(partNumber) && partNumber >= 1 && partNumber <= PART_NUMBER_MAX) return;
  throw new BackendError('InvalidArgument', `Part numbers are 1 to ${PART_NUMBER_MAX}, not ${partNumber}.`);
}
