// Any file server as a bucket that can only be read. The backend is one bucket; a key is
// the path of a file under the endpoint. What a file server has no notion of is absent: listing, versions, user
// metadata. Names that end in '/' are directories, whose pages the server makes up: never objects.
// See http/validators.ts for what identifies an object, http/redirects.ts for where requests may be sent.
import {
  type Backend,
  BackendError,
  type BucketInfo,
  type Capabilities,
  type HeadOptions,
  type ListPage,
  type ObjectHead,
  type ObjectRead,
  type ObjectRef,
  type ReadOptions,
  type VersionRef,
} from './backend.ts';
import { checkReadConditions } from './conditions.ts';
import { objectInfo, objectSize, requireRange, unchangedInfo } from './http/answer-info.ts';
import { cutBody } from './http/cut-body.ts';
import { discard, type HttpAnswer, HttpClient, type HttpClientOptions } from './http/http-client.ts';
import { objectUrl, parseEndpoint } from './http/object-url.ts';
import { partRange, rangeHeader, requireCurrentVersion } from './http/read-request.ts';
import { isRedirect, redirectTarget } from './http/redirects.ts';
import { statusError } from './http/status-errors.ts';
import { applicableConditions, conditionHeaders, needsHeadFirst } from './http/validators.ts';
import { exactBody } from './net/exact-body.ts';
import { resolveRange } from './range.ts';

export interface HttpBackendOptions extends HttpClientOptions {
  /** The URL under which the files are. */
  readonly endpoint: string;
  /** The one bucket name it answers to. Absent: any. */
  readonly bucket?: string | undefined;
  /** Sent with every request to the endpoint, and to no other host. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** HTTP Basic; sent to the endpoint only. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** 'host' (its default port) or 'host:port': where the endpoint may redirect to beside itself. Default none. */
  readonly redirectHosts?: readonly string[] | undefined;
  /** Default 5. */
  readonly maxRedirects?: number | undefined;
}

const CAPABILITIES: Capabilities = {
  writable: false,
  list: 'none',
  putIfAbsent: 'none',
  putIfMatch: 'none',
  userMetadataMaxBytes: 0,
  partMinBytes: 0,
  putMaxBytes: 0,
  keyMaxBytes: 1_024,
  batchDeleteMax: 0,
  checksums: [],
  etag: 'opaque',
  wantsMd5: false,
};

export async function openHttpBackend(options: HttpBackendOptions): Promise<Backend> {
  return new HttpBackend(options);
}

class HttpBackend implements Backend {
  readonly kind = 'http';
  readonly capabilities = CAPABILITIES;
  readonly #client: HttpClient;
  readonly #bucket: string | undefined;
  readonly #endpoint: URL;
  readonly #ownHeaders: Readonly<Record<string, string>>;
  readonly #authorised: boolean;
  readonly #redirectHosts: readonly string[];
  readonly #maxRedirects: number;

  constructor(options: HttpBackendOptions) {
    this.#bucket = options.bucket;
    this.#endpoint = parseEndpoint(options.endpoint, 'endpoint');
    this.#ownHeaders = { ...options.headers, ...basicAuthorization(options) };
    this.#authorised = Object.keys(this.#ownHeaders).length > 0;
    this.#redirectHosts = (options.redirectHosts ?? []).map((host) => host.toLowerCase());
    this.#maxRedirects = options.maxRedirects ?? 5;
    this.#client = new HttpClient(options);
  }

  /** Whether there is anything at the endpoint itself does not matter; servers seldom show their root. */
  async check(signal: AbortSignal): Promise<void> {
    const answer = await this.#ask('HEAD', this.#endpoint, {}, signal);
    discard(answer);
    if (answer.status >= 500 || (answer.status === 401 && this.#authorised)) {
      throw statusError(answer.status, this.#authorised);
    }
  }

  /** The configuration says that it exists, and nobody knows since when. */
  async headBucket(bucket: string): Promise<BucketInfo | undefined> {
    return this.#hasBucket(bucket) ? { name: bucket, created: new Date(0) } : undefined;
  }

  async head(ref: VersionRef, options: HeadOptions, signal: AbortSignal): Promise<ObjectHead> {
    requireCurrentVersion(options.versionId ?? ref.versionId);
    const answer = await this.#probe(this.#url(ref), conditionHeaders(options.conditions), signal);
    discard(answer);
    const info = objectInfo(ref.key, answer.headers, requireSize(answer));
    checkReadConditions(applicableConditions(options.conditions, answer.headers), info);
    return { info, range: partRange(options.partNumber, info.sizeBytes) };
  }

  async read(ref: VersionRef, options: ReadOptions, signal: AbortSignal): Promise<ObjectRead> {
    requireCurrentVersion(options.versionId ?? ref.versionId);
    const url = this.#url(ref);
    if (needsHeadFirst(options.conditions)) await this.head(ref, options, signal);
    const headers = { ...conditionHeaders(options.conditions), ...rangeHeader(options.range) };
    const answer = await this.#follow('GET', url, headers, signal);
    try {
      if (answer.status === 416 && options.range !== undefined) return await this.#refuseRange(ref, options, signal);
      return this.#readFrom(answer, ref.key, options, signal);
    } catch (error) {
      discard(answer);
      throw error;
    }
  }

  async list(bucket: string): Promise<ListPage> {
    this.#requireBucket(bucket);
    throw new BackendError('NotSupported', 'A plain file server cannot list what it has.');
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #readFrom(answer: HttpAnswer, key: string, options: ReadOptions, signal: AbortSignal): ObjectRead {
    this.#requireStatus(answer, options.range === undefined ? [200] : [200, 206]);
    const info = objectInfo(key, answer.headers, requireSize(answer));
    checkReadConditions(applicableConditions(options.conditions, answer.headers), info);
    const range =
      options.range === undefined
        ? partRange(options.partNumber, info.sizeBytes)
        : resolveRange(options.range, info.sizeBytes);
    if (answer.status === 200 && range !== undefined && range.end - range.start < info.sizeBytes) {
      return { info, range, body: cutBody(exactBody(answer.body, info.sizeBytes, signal), range) };
    }
    const wanted = range ?? { start: 0, end: info.sizeBytes };
    if (answer.status === 206) requireRange(answer, wanted);
    return { info, range, body: exactBody(answer.body, wanted.end - wanted.start, signal) };
  }

  /** Conditions come before ranges, and the server may not know them: what the object is now decides. */
  async #refuseRange(ref: VersionRef, options: ReadOptions, signal: AbortSignal): Promise<never> {
    const { info } = await this.head(ref, { conditions: options.conditions }, signal);
    if (options.range !== undefined) resolveRange(options.range, info.sizeBytes);
    throw new BackendError('Internal', `The origin refuses a range within the object's ${info.sizeBytes} bytes.`);
  }

  /** An answer with the object's size: to HEAD, else to a GET of its first byte, else to a GET. */
  async #probe(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
    const attempts = [
      () => this.#follow('HEAD', url, headers, signal),
      () => this.#follow('GET', url, { ...headers, range: 'bytes=0-0' }, signal),
    ];
    for (const attempt of attempts) {
      const answer = await attempt();
      if (!refusesHow(answer)) {
        if (answer.status !== 200 && answer.status !== 206) discard(answer);
        this.#requireStatus(answer, [200, 206]);
        if (objectSize(answer) !== undefined) return answer;
      }
      discard(answer);
    }
    const answer = await this.#follow('GET', url, headers, signal);
    if (answer.status !== 200) discard(answer);
    this.#requireStatus(answer, [200]);
    return answer;
  }

  #requireStatus(answer: HttpAnswer, wanted: readonly number[]): void {
    if (wanted.includes(answer.status)) return;
    const info = answer.status === 304 ? unchangedInfo(answer.headers) : undefined;
    throw statusError(answer.status, this.#authorised, info);
  }

  /** Through the redirects that are allowed. */
  async #follow(
    method: 'GET' | 'HEAD',
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    let target = url;
    for (let hops = 0; hops <= this.#maxRedirects; hops += 1) {
      const answer = await this.#ask(method, target, headers, signal);
      if (!isRedirect(answer)) return answer;
      discard(answer);
      target = redirectTarget(target, answer, this.#endpoint, this.#redirectHosts);
    }
    throw new BackendError('Internal', `The origin redirects more than ${this.#maxRedirects} times.`);
  }

  #ask(
    method: 'GET' | 'HEAD',
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const own = url.origin === this.#endpoint.origin ? this.#ownHeaders : {};
    return this.#client.request({ method, url, headers: { ...own, ...headers } }, signal);
  }

  #hasBucket(bucket: string): boolean {
    return this.#bucket === undefined || bucket === this.#bucket;
  }

  #requireBucket(bucket: string): void {
    if (!this.#hasBucket(bucket))
      throw new BackendError('NoSuchBucket', `This origin is the bucket '${this.#bucket}'.`);
  }

  #url({ bucket, key }: ObjectRef): URL {
    this.#requireBucket(bucket);
    const url = objectUrl(this.#endpoint, key);
    if (key.endsWith('/')) throw new BackendError('NoSuchKey', 'Names that end in / are directories here.');
    return url;
  }
}

function requireSize(answer: HttpAnswer): number {
  const sizeBytes = objectSize(answer);
  if (sizeBytes !== undefined) return sizeBytes;
  throw answer.status === 206
    ? new BackendError('Internal', 'The origin answered part of the object without saying which (Content-Range).')
    : new BackendError('NotSupported', 'The origin does not say how long the object is (Content-Length).');
}

/** Whether it is the way of asking that was refused: HEAD, or a range of an object without bytes. */
function refusesHow(answer: HttpAnswer): boolean {
  return answer.status === 405 || answer.status === 416 || answer.status === 501;
}

function basicAuthorization(options: HttpBackendOptions): Record<string, string> {
  if (options.username === undefined) return {};
  const pair = `${options.username}:${options.password ?? ''}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
