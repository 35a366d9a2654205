// Multipart uploads. A part is a file in the upload's directory and a row that names it; the row is written last, so a
// part is there whole or not at all. Completing copies the parts into one file, which then takes the way of a put.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BackendError,
  type Checksum,
  type CompletedPart,
  type CompleteOptions,
  type CreateUploadOptions,
  type ListUploadsOptions,
  type ObjectRef,
  type Part,
  type PartListOptions,
  type PartListPage,
  type UploadListPage,
  type UploadRef,
  type Written,
} from '../backend.ts';
import { multipartChecksumTypes } from '../checksums.ts';
import { checkWriteConditions } from '../conditions.ts';
import { assembledChecksum, assembledEtag, checkedParts } from './assembly.ts';
import type { BucketStore } from './bucket-store.ts';
import { syncDirectory, writeFile } from './durable-file.ts';
import type { Layout } from './layout.ts';
import { commonPrefix, listNames, type NameBound } from './listing.ts';
import type { Locks } from './locks.ts';
import type { ObjectIndex } from './object-index.ts';
import { uploadEnded } from './placed-rows.ts';
import type { Received } from './receive.ts';
import { type ObjectRow, objectLock, type PartRow, rowName, type UploadRow, written } from './records.ts';
import type { Succession } from './succession.ts';
import { isUploadId, UploadIds, uploadOfRow } from './upload-names.ts';

interface UploadsDeps {
  readonly layout: Layout;
  readonly locks: Locks;
  readonly index: Pick<ObjectIndex, 'rows' | 'write'>;
  readonly buckets: Pick<BucketStore, 'within' | 'require'>;
  readonly succession: Pick<Succession, 'place'>;
}

interface UploadsOptions {
  readonly fsync: boolean;
  readonly partMinBytes: number;
  readonly now: () => Date;
}

const ASSEMBLY_READ_BYTES = 1024 * 1024;

export class Uploads {
  readonly #deps: UploadsDeps;
  readonly #options: UploadsOptions;
  readonly #ids = new UploadIds();

  constructor(deps: UploadsDeps, options: UploadsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  create(ref: ObjectRef, options: CreateUploadOptions): Promise<string> {
    const { buckets, index, layout } = this.#deps;
    return buckets.within(ref.bucket, async () => {
      const now = this.#options.now();
      const uploadId = this.#ids.next(now);
      const { checksumAlgorithm } = options;
      const checksumType = options.checksumType ?? (checksumAlgorithm && multipartChecksumTypes(checksumAlgorithm)[0]);
      await mkdir(layout.upload(uploadId));
      if (this.#options.fsync) await syncDirectory(layout.uploads);
      const row: UploadRow = { ...options, checksumType, initiated: now.getTime() };
      await index.write([{ type: 'put', key: rowName.upload({ ...ref, uploadId }), value: row }], 'durable');
      return uploadId;
    });
  }

  /** The upload as it is now; the caller who goes on to change it has its lock. */
  async require(upload: UploadRef): Promise<UploadRow> {
    this.#deps.buckets.require(upload.bucket);
    const row = await this.#find(upload);
    if (row === undefined) throw noSuchUpload(upload);
    return row;
  }

  /** Makes what was received the part of this number. Its file is moved or, when refused, left to the caller. */
  addPart(upload: UploadRef, partNumber: number, received: Received): Promise<PartRow> {
    const { index, layout } = this.#deps;
    return this.#alone(upload, undefined, async () => {
      await this.require(upload);
      const name = rowName.part(upload.uploadId, partNumber);
      const before = await index.rows.get<PartRow>(name);
      const file = received.temp.slice(received.temp.lastIndexOf('/') + 1);
      const { sizeBytes, etag, checksum } = received;
      const lastModified = this.#options.now().getTime();
      const row: PartRow = { partNumber, file, sizeBytes, etag, lastModified, checksum };
      const directory = layout.upload(upload.uploadId);
      await rename(received.temp, join(directory, file));
      if (this.#options.fsync) await syncDirectory(directory);
      await index.write([{ type: 'put', key: name, value: row }], 'durable');
      if (before !== undefined) await rm(join(directory, before.file), { force: true });
      return row;
    });
  }

  async listParts(upload: UploadRef, options: PartListOptions): Promise<PartListPage> {
    const { checksumAlgorithm, checksumType, storageClass } = await this.require(upload);
    const scan = this.#deps.index.rows.scan(
      `p${upload.uploadId}\0`,
      Buffer.from(partAfter(upload, options.after ?? 0)),
    );
    try {
      const rows = await scan.next(options.maxEntries + 1);
      const parts = rows.slice(0, options.maxEntries).map(([, row]) => partOf(JSON.parse(row) as PartRow));
      const nextAfter = rows.length > parts.length ? parts.at(-1)?.partNumber : undefined;
      return { parts, checksumAlgorithm, checksumType, storageClass, nextAfter };
    } finally {
      await scan.close();
    }
  }

  async list(bucket: string, options: ListUploadsOptions): Promise<UploadListPage> {
    this.#deps.buckets.require(bucket);
    const delimiter = options.delimiter === '' ? undefined : options.delimiter;
    const { prefix = '', maxEntries } = options;
    const { entries, more } = await listNames(this.#deps.index.rows, {
      space: `u${bucket}\0`,
      prefix,
      delimiter,
      from: uploadBound(options, delimiter),
      maxEntries,
      keyOf: (name) => uploadOfRow(name).key,
    });
    const uploads = entries.flatMap((entry) => ('prefix' in entry ? [] : [pendingUpload(entry.name, entry.row)]));
    const prefixes = entries.flatMap((entry) => ('prefix' in entry ? [entry.prefix] : []));
    const last = entries.at(-1);
    if (!more || last === undefined) return { uploads, prefixes };
    if ('prefix' in last) return { uploads, prefixes, next: { keyMarker: last.prefix } };
    return { uploads, prefixes, next: { keyMarker: last.key, uploadIdMarker: uploadOfRow(last.name).uploadId } };
  }

  complete(
    upload: UploadRef,
    named: readonly CompletedPart[],
    options: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Written> {
    return this.#alone(upload, signal, async () => {
      this.#deps.buckets.require(upload.bucket);
      const row = await this.#find(upload);
      if (row === undefined) return this.#completedBefore(upload, named);
      const parts = checkedParts(await this.#parts(upload), named, this.#options.partMinBytes);
      const checksum = assembledChecksum(row, parts, options);
      checkWriteConditions(options.conditions, await this.#object(upload));
      const temp = this.#deps.layout.newTemp();
      try {
        const file = await this.#assemble(upload, parts, temp, signal);
        signal.throwIfAborted();
        return await this.#commit(upload, row, { parts, named, checksum, temp, stamp: file.stamp, options });
      } finally {
        await rm(temp, { force: true });
      }
    });
  }

  async abort(upload: UploadRef): Promise<void> {
    const { index, layout } = this.#deps;
    await this.#alone(upload, undefined, async () => {
      await this.require(upload);
      await index.write(await uploadEnded(index.rows, upload), 'durable');
      await rm(layout.upload(upload.uploadId), { recursive: true, force: true });
    });
  }

  async #commit(
    upload: UploadRef,
    { initiated: _, checksumAlgorithm: __, checksumType: ___, ...attributes }: UploadRow,
    made: {
      readonly parts: readonly PartRow[];
      readonly named: readonly CompletedPart[];
      readonly checksum: Checksum | undefined;
      readonly temp: string;
      readonly stamp: string;
      readonly options: CompleteOptions;
    },
  ): Promise<Written> {
    const { buckets, locks, succession, layout } = this.#deps;
    const ref = { bucket: upload.bucket, key: upload.key };
    const parts = made.parts.map(({ sizeBytes, checksum }) => ({ sizeBytes, checksum }));
    const object: Omit<ObjectRow, 'path'> = {
      ...attributes,
      sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
      etag: assembledEtag(made.parts),
      lastModified: this.#options.now().getTime(),
      checksum: made.checksum,
      partCount: made.parts.length,
      madeBy: { uploadId: upload.uploadId, parts: fingerprint(made.named) },
    };
    const placed = await buckets.within(ref.bucket, () =>
      locks.alone(objectLock(ref), async () => {
        const current = await this.#object(ref);
        checkWriteConditions(made.options.conditions, current);
        const { temp, stamp } = made;
        const { uploadId } = upload;
        return succession.place({ kind: 'place', ref, temp, stamp, row: object, parts, uploadId }, current);
      }),
    );
    await rm(layout.upload(upload.uploadId), { recursive: true, force: true });
    return written(placed);
  }

  #assemble(
    upload: UploadRef,
    parts: readonly PartRow[],
    temp: string,
    signal: AbortSignal,
  ): Promise<{ stamp: string }> {
    const directory = this.#deps.layout.upload(upload.uploadId);
    const fill = async (write: (chunk: Buffer) => Promise<void>): Promise<void> => {
      for (const part of parts) {
        let sizeBytes = 0;
        const stream = createReadStream(join(directory, part.file), { highWaterMark: ASSEMBLY_READ_BYTES, signal });
        for await (const chunk of stream) {
          sizeBytes += (chunk as Buffer).length;
          await write(chunk as Buffer);
        }
        if (sizeBytes !== part.sizeBytes) {
          throw new BackendError('Internal', `The file of part ${part.partNumber} was changed: ${part.file}`);
        }
      }
    };
    return writeFile(temp, fill, this.#options.fsync);
  }

  async #completedBefore(upload: UploadRef, named: readonly CompletedPart[]): Promise<Written> {
    const object = await this.#object(upload);
    const { uploadId, parts } = object?.madeBy ?? {};
    if (object === undefined || uploadId !== upload.uploadId || parts !== fingerprint(named))
      throw noSuchUpload(upload);
    return written(object);
  }

  async #find(upload: UploadRef): Promise<UploadRow | undefined> {
    return isUploadId(upload.uploadId) ? this.#deps.index.rows.get<UploadRow>(rowName.upload(upload)) : undefined;
  }

  async #parts(upload: UploadRef): Promise<PartRow[]> {
    return (await this.#deps.index.rows.all<PartRow>(`p${upload.uploadId}\0`)).map(([, row]) => row);
  }

  #object(ref: ObjectRef): Promise<ObjectRow | undefined> {
    return this.#deps.index.rows.get<ObjectRow>(rowName.object(ref));
  }

  #alone<T>(upload: UploadRef, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return this.#deps.locks.alone(`upload ${upload.uploadId}`, work, signal);
  }
}

function noSuchUpload(upload: UploadRef): BackendError {
  return new BackendError('NoSuchUpload', `There is no upload '${upload.uploadId}' of '${upload.key}'.`);
}

function fingerprint(parts: readonly CompletedPart[]): string {
  const named = parts.map(({ partNumber, etag }) => `${partNumber}:${etag.toLowerCase()}`).join();
  return createHash('sha256').update(named).digest('base64url');
}

function uploadBound(options: ListUploadsOptions, delimiter: string | undefined): NameBound | undefined {
  const { keyMarker, uploadIdMarker, prefix = '' } = options;
  if (keyMarker === undefined || keyMarker === '') return undefined;
  if (uploadIdMarker !== undefined && uploadIdMarker !== '') return { past: `${keyMarker}\0${uploadIdMarker}` };
  const common = commonPrefix(keyMarker, prefix, delimiter);
  return common === keyMarker ? { past: common } : { past: `${keyMarker}\0` };
}

function partAfter({ uploadId }: UploadRef, partNumber: number): string {
  return rowName.part(uploadId, partNumber + 1);
}

function partOf({ file: _, lastModified, ...part }: PartRow): Part {
  return { ...part, lastModified: new Date(lastModified) };
}

function pendingUpload(name: string, json: string) {
  const { initiated, storageClass, checksumAlgorithm, checksumType } = JSON.parse(json) as UploadRow;
  return { ...uploadOfRow(name), initiated: new Date(initiated), storageClass, checksumAlgorithm, checksumType };
}
