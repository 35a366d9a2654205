// What every operation of this protocol shares: send, and turn a refusal into a BackendError.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BackendError } from '../backend.ts';
import { classifyNetworkError } from '../net/classify-network-error.ts';
import type { Dialect } from './dialect.ts';
import { unchangedInfo } from './object-headers.ts';
import { oneHeader } from './one-header.ts';
import { originError, type Refusal } from './origin-error.ts';
import type { Wire, WireRequest } from './wire.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** A page of 1,000 keys of 1 KiB, URL-encoded, with room to spare. */
const DOCUMENT_MAX_BYTES = 16 * 1024 * 1024;

export interface DocumentAnswer {
  readonly root: XmlElement;
  readonly headers: IncomingHttpHeaders;
}

export class OriginClient {
  readonly dialect: Dialect;
  readonly #wire: Wire;

  constructor(deps: { wire: Wire; dialect: Dialect }) {
    this.#wire = deps.wire;
    this.dialect = deps.dialect;
  }

  /** The answer's head; its body is the caller's to consume or destroy. */
  async open(request: WireRequest, signal: AbortSignal): Promise<IncomingMessage> {
    this.#checkNames(request);
    const response = await this.#wire.send(request, signal);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw await this.#refused(request, response, signal);
  }

  /** For answers whose body says nothing. */
  async call(request: WireRequest, signal: AbortSignal): Promise<IncomingHttpHeaders> {
    const response = await this.open(request, signal);
    await readText(response, signal);
    return response.headers;
  }

  async document(request: WireRequest, rootName: string, signal: AbortSignal): Promise<DocumentAnswer> {
    const response = await this.open(request, signal);
    const root = await parseXml(await readText(response, signal));
    // A copy or complete that fails late has its 200 on the line already.
    if (root.name === 'Error') throw this.#documented(request, response, root, 500);
    if (root.name !== rootName) {
      throw new BackendError('Internal', `${this.dialect.service} answered <${root.name}> instead of <${rootName}>.`);
    }
    return { root, headers: response.headers };
  }

  close(): void {
    this.#wire.close();
  }

  async #refused(request: WireRequest, response: IncomingMessage, signal: AbortSignal): Promise<BackendError> {
    const status = response.statusCode ?? 0;
    const refusal = this.#headed(response);
    if (request.method === 'HEAD') {
      response.destroy();
      if (status >= 400 && status < 500 && refusal.code === undefined) return this.#askWhy(request, refusal, signal);
      return originError(this.dialect, refusal, subjectOf(request));
    }
    const text = await readText(response, signal);
    const root = text.trimStart().startsWith('<') ? await parseXml(text).catch(() => undefined) : undefined;
    if (root?.name === 'Error') return this.#documented(request, response, root, status);
    return originError(this.dialect, refusal, subjectOf(request));
  }

  /** An answer to HEAD has no body to name the code; some origins name it in a header. */
  #headed(response: IncomingMessage): Refusal {
    const prefix = this.dialect.headerPrefix;
    const encoded = oneHeader(response.headers, `${prefix}err`);
    const code = encoded === undefined ? undefined : codeWithin(Buffer.from(encoded, 'base64').toString('utf8'));
    const status = response.statusCode ?? 0;
    return {
      status,
      code: code ?? oneHeader(response.headers, `${prefix}error-code`),
      message: oneHeader(response.headers, `${prefix}error-message`),
      requestId: oneHeader(response.headers, `${prefix}request-id`),
      info: status === 304 ? unchangedInfo(this.dialect, response.headers) : undefined,
    };
  }

  #documented(request: WireRequest, response: IncomingMessage, root: XmlElement, status: number): BackendError {
    const refusal: Refusal = {
      status,
      code: root.text('Code'),
      message: root.text('Message'),
      requestId: root.text('RequestId') ?? oneHeader(response.headers, `${this.dialect.headerPrefix}request-id`),
    };
    return originError(this.dialect, refusal, subjectOf(request));
  }

  /** HEAD gave a status and no more: the same as GET says what is missing, or whose credentials are wrong. */
  async #askWhy(request: WireRequest, refusal: Refusal, signal: AbortSignal): Promise<BackendError> {
    const asked: WireRequest =
      request.key === undefined
        ? { ...request, method: 'GET', query: { 'max-keys': '1' } }
        : { ...request, method: 'GET', headers: { ...request.headers, Range: 'bytes=0-0' } };
    try {
      (await this.open(asked, signal)).destroy();
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      if (error.code !== 'InvalidRange') return error;
    }
    return originError(this.dialect, refusal, subjectOf(request));
  }

  #checkNames({ bucket, key }: WireRequest): void {
    const { service, bucketName, capabilities, refusedKey } = this.dialect;
    if (bucket !== undefined && !bucketName.test(bucket)) {
      throw new BackendError('InvalidBucketName', `${service} knows no bucket names like '${bucket}'.`);
    }
    if (key === undefined) return;
    if (Buffer.byteLength(key) > capabilities.keyMaxBytes) {
      throw new BackendError('KeyTooLong', `${service} takes keys of up to ${capabilities.keyMaxBytes} bytes.`);
    }
    if (key === '' || refusedKey?.test(key) === true || /[\0\p{Surrogate}]/u.test(key)) {
      throw new BackendError('InvalidArgument', `${service} does not take this key.`);
    }
  }
}

/** Consumes the body; what is past the limit is the origin's mistake. */
async function readText(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const onAbort = () => response.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response) {
      if (!Buffer.isBuffer(chunk)) continue;
      size += chunk.length;
      if (size > DOCUMENT_MAX_BYTES)
        throw new BackendError('Internal', 'The origin answered with an endless document.');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw classifyNetworkError(response.socket?.errored ?? error);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function codeWithin(document: string): string | undefined {
  return /<Code>([^<]+)<\/Code>/.exec(document)?.[1];
}

function subjectOf(request: WireRequest): 'object' | 'bucket' | 'upload' {
  if (request.query?.uploadId !== undefined && request.method !== 'PUT') return 'upload';
  return request.key === undefined ? 'bucket' : 'object';
}
