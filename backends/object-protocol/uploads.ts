// Multipart uploads.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import {
  BackendError,
  type CompletedPart,
  type CompleteOptions,
  type Copied,
  type Multipart,
  type ObjectRef,
  type Part,
  type UploadRef,
  type Written,
} from '../backend.ts';
import { resolveRange } from '../range.ts';
import { type CopyInParts, sourceHeaders, sourceInfo } from './copying.ts';
import { attributeHeaders, readEtag } from './object-headers.ts';
import { oneHeader } from './one-header.ts';
import type { OriginClient } from './origin-client.ts';
import { listAllParts, listParts, listUploads } from './upload-listing.ts';
import { currentObject, type WriteGuard } from './write-guard.ts';
import { damaged, names, sendBody, written, xmlBody } from './writes.ts';
import { escapeXml } from './xml.ts';

/** How many completed uploads are remembered, for completes that are repeated. */
const REMEMBERED_UPLOADS = 1_000;
const COPY_PART_BYTES = 512 * 1024 * 1024;

export class Uploads implements Multipart {
  readonly #client: OriginClient;
  readonly #guard: WriteGuard;
  readonly #completed = new LRUCache<string, Written>({ max: REMEMBERED_UPLOADS });

  constructor(deps: { client: OriginClient; guard: WriteGuard }) {
    this.#client = deps.client;
    this.#guard = deps.guard;
  }

  readonly createUpload: Multipart['createUpload'] = async (ref, options, signal) => {
    const headers = attributeHeaders(this.#client.dialect, options);
    const request = { method: 'POST', ...names(ref), query: { uploads: '' }, headers } as const;
    const { root } = await this.#client.document(request, 'InitiateMultipartUploadResult', signal);
    return root.required('UploadId');
  };

  readonly uploadPart: Multipart['uploadPart'] = async (upload, partNumber, body, signal) => {
    const request = { method: 'PUT', ...names(upload), query: partQuery(upload, partNumber) } as const;
    const { headers, intact } = await sendBody(this.#client, request, body, signal);
    // The part is there but part of no object: the client sends it again or gives the upload up.
    if (!intact) throw damaged(this.#client);
    return { etag: readEtag(this.#client.dialect, oneHeader(headers, 'etag') ?? '') };
  };

  readonly uploadPartCopy: NonNullable<Multipart['uploadPartCopy']> = async (
    upload,
    partNumber,
    source,
    options,
    signal,
  ) => {
    const info = await sourceInfo(this.#client, source, options.conditions, signal);
    const headers: Record<string, string> = sourceHeaders(this.#client, source, info);
    const prefix = this.#client.dialect.headerPrefix;
    if (options.range !== undefined) {
      const range = resolveRange(options.range, info.sizeBytes);
      if (range.end !== options.range.end) throw new BackendError('InvalidRange', 'The range ends behind the source.');
      headers[`${prefix}copy-source-range`] = `bytes=${range.start}-${range.end - 1}`;
    }
    const request = { method: 'PUT', ...names(upload), query: partQuery(upload, partNumber), headers } as const;
    const answer = await this.#client.document(request, 'CopyPartResult', signal);
    return {
      etag: readEtag(this.#client.dialect, answer.root.required('ETag')),
      lastModified: answer.root.date('LastModified'),
      sourceVersionId: oneHeader(answer.headers, `${prefix}copy-source-version-id`) ?? source.versionId,
    };
  };

  readonly listParts: Multipart['listParts'] = (upload, options, signal) =>
    listParts(this.#client, upload, options, signal);

  readonly listUploads: Multipart['listUploads'] = (bucket, options, signal) =>
    listUploads(this.#client, bucket, options, signal);

  readonly completeUpload: Multipart['completeUpload'] = async (upload, parts, options, signal) => {
    requireOrder(parts);
    const memory = JSON.stringify([
      names(upload),
      upload.uploadId,
      parts.map(({ partNumber, etag }) => [partNumber, etag]),
    ]);
    const before = this.#completed.get(memory);
    if (before !== undefined) return before;
    const complete = (headers: Readonly<Record<string, string>>) =>
      this.#complete(upload, parts, options, headers, signal);
    const made = await this.#guard.run(upload, options.conditions, complete, signal).catch(async (error: unknown) => {
      // Completed by another gateway, or before a restart: the same parts make the same object.
      const same = isNoSuchUpload(error) ? await this.#madeOf(upload, parts, signal) : undefined;
      if (same === undefined) throw error;
      return same;
    });
    this.#completed.set(memory, made);
    return made;
  };

  readonly abortUpload: Multipart['abortUpload'] = async (upload, signal) => {
    await this.#client.call({ method: 'DELETE', ...names(upload), query: { uploadId: upload.uploadId } }, signal);
  };

  /** The parts are pinned to the source's etag, so that they are all of one version. */
  readonly copyInParts: CopyInParts = async (source, info, target, attributes, headers, signal) => {
    const uploadId = await this.createUpload(target, attributes, signal);
    const upload: UploadRef = { ...target, uploadId };
    try {
      const parts: CompletedPart[] = [];
      const partBytes = Math.max(COPY_PART_BYTES, Math.ceil(info.sizeBytes / 10_000));
      for (let start = 0; start < info.sizeBytes; start += partBytes) {
        const range = { start, end: Math.min(start + partBytes, info.sizeBytes) };
        const conditions = { ifMatch: [info.etag] };
        const partNumber = parts.length + 1;
        const { etag } = await this.uploadPartCopy(upload, partNumber, source, { range, conditions }, signal);
        parts.push({ partNumber, etag });
      }
      const made = await this.#complete(upload, parts, { sizeBytes: info.sizeBytes }, headers, signal);
      return { ...made, lastModified: await this.#lastModified(target, signal), sourceVersionId: source.versionId };
    } catch (error) {
      // Not by the caller's signal, which may be what ended the copy.
      await this.abortUpload(upload, AbortSignal.timeout(10_000)).catch((abortError: unknown) => {
        const message = `A copy failed, and its parts could not be withdrawn: upload ${uploadId} is left to be aborted.`;
        throw new BackendError('Internal', message, { cause: new AggregateError([error, abortError]) });
      });
      throw error;
    }
  };

  async #complete(
    upload: UploadRef,
    parts: readonly CompletedPart[],
    options: CompleteOptions,
    conditions: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Written> {
    const sizeBytes = await this.#sizeOf(upload, parts, signal);
    if (options.sizeBytes !== undefined && options.sizeBytes !== sizeBytes) {
      throw new BackendError('BadDigest', `The parts have ${sizeBytes} bytes, not ${options.sizeBytes}.`);
    }
    const { etag } = this.#client.dialect;
    const listed = parts.map(
      (part) =>
        `<Part><PartNumber>${part.partNumber}</PartNumber><ETag>"${escapeXml(etag.native(part.etag))}"</ETag></Part>`,
    );
    const { headers, body } = xmlBody(`<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`);
    const query = { uploadId: upload.uploadId };
    const request = { method: 'POST', ...names(upload), query, headers: { ...headers, ...conditions }, body } as const;
    const answer = await this.#client.document(request, 'CompleteMultipartUploadResult', signal);
    const made = written(this.#client, answer.headers, sizeBytes);
    const told = readEtag(this.#client.dialect, answer.root.text('ETag') ?? '') || made.etag;
    // Some S3-speaking servers answer without an ETag.
    return { ...made, etag: told || ((await currentObject(this.#client, upload, signal))?.etag ?? '') };
  }

  /** Checks what origins check differently: that each part is there with this etag, and is large enough. */
  async #sizeOf(upload: UploadRef, parts: readonly CompletedPart[], signal: AbortSignal): Promise<number> {
    const there = new Map<number, Part>();
    for (const part of await listAllParts(this.#client, upload, signal)) there.set(part.partNumber, part);
    let sizeBytes = 0;
    for (const [index, { partNumber, etag }] of parts.entries()) {
      const part = there.get(partNumber);
      if (part === undefined || part.etag !== etag) {
        throw new BackendError('InvalidPart', `Part ${partNumber} was not uploaded, or has another ETag.`);
      }
      if (index < parts.length - 1 && part.sizeBytes < this.#client.dialect.capabilities.partMinBytes) {
        throw new BackendError('EntityTooSmall', `Part ${partNumber} is too small to be followed by others.`);
      }
      sizeBytes += part.sizeBytes;
    }
    return sizeBytes;
  }

  async #madeOf(upload: UploadRef, parts: readonly CompletedPart[], signal: AbortSignal): Promise<Written | undefined> {
    const current = await currentObject(this.#client, upload, signal);
    if (current === undefined || current.etag !== compositeEtag(parts)) return undefined;
    const { etag, sizeBytes, lastModified, versionId } = current;
    return { etag, sizeBytes, lastModified, versionId };
  }

  async #lastModified(target: ObjectRef, signal: AbortSignal): Promise<Copied['lastModified']> {
    const current = await currentObject(this.#client, target, signal);
    if (current !== undefined) return current.lastModified;
    throw new BackendError('ConditionalRequestConflict', 'The copy was deleted as soon as it was made.');
  }
}

function partQuery(upload: UploadRef, partNumber: number): Record<string, string> {
  return { partNumber: String(partNumber), uploadId: upload.uploadId };
}

function requireOrder(parts: readonly CompletedPart[]): void {
  if (parts.length === 0) throw new BackendError('InvalidPart', 'An upload is completed from at least one part.');
  for (const [index, { partNumber }] of parts.entries()) {
    const previous = parts[index - 1]?.partNumber ?? 0;
    if (partNumber <= previous) throw new BackendError('InvalidPartOrder', 'The parts are not in ascending order.');
  }
}

function isNoSuchUpload(error: unknown): boolean {
  return error instanceof BackendError && error.code === 'NoSuchUpload';
}

function compositeEtag(parts: readonly CompletedPart[]): string {
  const md5 = createHash('md5');
  for (const { etag } of parts) md5.update(Buffer.from(etag, 'hex'));
  return `${md5.digest('hex')}-${parts.length}`;
}
