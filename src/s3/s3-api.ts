// The dialect's pipeline: name the operation, admit, authenticate, authorise, run, answer. Every request is answered
// or its connection cut, and nothing here rejects.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { BackendError } from '../../backends/backend.ts';
import type { BucketSettings } from '../objects/bucket-settings.ts';
import type { Objects, Source } from '../objects/objects.ts';
import { AccessControl } from './access-control.ts';
import { toS3Error } from './answer.ts';
import type { Authenticator, Identity } from './auth/authenticate.ts';
import { BucketOwners } from './bucket-owners.ts';
import { ERRORS, S3Error } from './errors.ts';
import { Exchange } from './exchange.ts';
import { answerLate } from './late-answer.ts';
import { refuseHeadersNotOffered } from './object-attributes.ts';
import { detectOperation, type OperationName } from './operation.ts';
import type { Operation, OperationContext } from './operations/operation-context.ts';
import { WireBody } from './operations/request-body.ts';
import { OPERATIONS } from './operations/table.ts';
import { effectiveHeaders } from './presigned-headers.ts';
import type { S3Request } from './request.ts';
import { encodeKey, parseTarget, type Target } from './target.ts';

export interface RequestObserver {
  finished(event: RequestEvent): void;
}

export interface RequestEvent {
  /** 'Unknown' where the request was refused before it could be named. */
  readonly operation: OperationName | 'Unknown';
  /** 0: the client left before it was answered. */
  readonly status: number;
  readonly durationMs: number;
  /** On the wire, headers included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes of objects, by where they came from. */
  readonly served: ReadonlyMap<Source, number>;
  readonly accessKeyId?: string | undefined;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

/** Limits on requests in flight; undefined: past the limit. Each release is called once. */
interface AdmissionGate {
  enter(): (() => void) | undefined;
  enterKey(accessKeyId: string): (() => void) | undefined;
}

interface S3ApiDeps {
  readonly objects: Objects;
  readonly settings: BucketSettings;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly admission: AdmissionGate;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly observer: RequestObserver;
}

export interface S3ApiOptions {
  /** Requests for <bucket>.<domain> are virtual-host style. */
  readonly domain?: string | undefined;
  readonly maxXmlBytes: number;
  /** How long a slow operation may take before its answer begins without its outcome. Default 10 s. */
  readonly lateAnswerMs?: number | undefined;
  /** Default 5 s. */
  readonly bucketOwnerTtlMs?: number | undefined;
  /** Default 64 KiB. */
  readonly keepAliveRestBytes?: number | undefined;
  /** Default 16 MiB. */
  readonly lingerBytes?: number | undefined;
  /** Default 2 s. */
  readonly lingerMs?: number | undefined;
}

/** What is known of a request so far; told to the observer however it ends. */
interface Progress {
  operation: OperationName | 'Unknown';
  target: Target | undefined;
  identity: Identity | undefined;
  readonly releases: (() => void)[];
}

export class S3Api {
  readonly #deps: S3ApiDeps;
  readonly #access: AccessControl;
  readonly #options;

  constructor(deps: S3ApiDeps, options: S3ApiOptions) {
    this.#deps = deps;
    this.#options = {
      domain: options.domain,
      maxXmlBytes: options.maxXmlBytes,
      lateAnswerMs: options.lateAnswerMs ?? 10_000,
      keepAliveRestBytes: options.keepAliveRestBytes ?? 64 * 1024,
      lingerBytes: options.lingerBytes ?? 16 * 1024 ** 2,
      lingerMs: options.lingerMs ?? 2000,
    };
    const owners = new BucketOwners(
      { objects: deps.objects, now: () => performance.now() },
      { ttlMs: options.bucketOwnerTtlMs ?? 5000, maxEntries: 10_000 },
    );
    this.#access = new AccessControl({ owners });
  }

  async handle(req: IncomingMessage, res: ServerResponse, context: { expectsContinue: boolean }): Promise<void> {
    const startedMs = performance.now();
    const exchange = new Exchange(req, res, context.expectsContinue, this.#options);
    const progress: Progress = { operation: 'Unknown', target: undefined, identity: undefined, releases: [] };
    try {
      await this.#answer(exchange, progress);
    } catch (error) {
      await this.#fail(exchange, progress, error);
    } finally {
      for (const release of progress.releases) release();
    }
    this.#deps.observer.finished({
      operation: progress.operation,
      status: exchange.status,
      durationMs: performance.now() - startedMs,
      ...exchange.traffic(),
      served: exchange.served,
      accessKeyId: progress.identity?.accessKeyId,
      bucket: progress.target?.bucket,
      key: progress.target?.key,
    });
  }

  async #answer(exchange: Exchange, progress: Progress): Promise<void> {
    this.#admit(this.#deps.admission.enter(), progress);
    const { headers: sent, method = '', url = '' } = exchange.request;
    const target = parseTarget(url, sent.host, this.#options.domain);
    progress.target = target;
    const headers = effectiveHeaders(sent, target.query);
    progress.operation = detectOperation(method, target, target.query, headers);
    const operation = OPERATIONS[progress.operation];

    const request = describeRequest(exchange, target);
    const { identity, payload } = this.#deps.authenticator.authenticate(request);
    progress.identity = identity;
    this.#admit(this.#deps.admission.enterKey(identity.accessKeyId ?? 'anonymous'), progress);

    const { bucket = '', key = '' } = target;
    const { operation: name } = progress;
    const owner = await this.#access.admit({ name, operation, identity, target }, exchange.signal);
    checkExpectedOwner(headers['x-amz-expected-bucket-owner'], owner);
    refuseHeadersNotOffered(headers);
    const body = new WireBody({ request, payload }, this.#options);
    progress.releases.push(() => body.close());
    await this.#run(exchange, operation, {
      operation: progress.operation,
      headers,
      query: firstValues(target.query),
      bucket,
      key,
      account: identity.account,
      owner: owner ?? identity.account ?? 'dfstore',
      endpoint: `${request.secure ? 'https' : 'http'}://${sent.host ?? 'localhost'}`,
      objects: this.#deps.objects,
      settings: this.#deps.settings,
      access: this.#access.of(identity, exchange.signal),
      body,
      signal: exchange.signal,
    });
  }

  #admit(release: (() => void) | undefined, progress: Progress): void {
    if (release === undefined) throw new S3Error('SlowDown', undefined, { headers: { 'Retry-After': '1' } });
    progress.releases.push(release);
  }

  async #run(exchange: Exchange, operation: Operation, context: OperationContext): Promise<void> {
    const pending = operation.handler(context);
    if (!operation.slow) {
      await exchange.send(await pending);
      return;
    }
    const failed = (error: unknown): S3Error => this.#explain(exchange, context, error);
    await answerLate(exchange, pending, { afterMs: this.#options.lateAnswerMs, failed, resource: resourceOf(context) });
  }

  async #fail(exchange: Exchange, progress: Progress, error: unknown): Promise<void> {
    const target = { operation: progress.operation, bucket: progress.target?.bucket, key: progress.target?.key };
    const explained = this.#explain(exchange, target, error);
    try {
      await exchange.fail(explained, {
        resource: progress.target?.rawPath ?? exchange.request.url ?? '',
        bucket: target.bucket,
        key: target.key,
      });
    } catch (failure) {
      this.#deps.log.error({ err: failure, requestId: exchange.id }, 'An error could not be answered.');
      exchange.cut();
    }
  }

  /** The client's side of an error; the operator's goes to the log. */
  #explain(
    exchange: Exchange,
    about: { operation: OperationName | 'Unknown'; bucket?: string | undefined; key?: string | undefined },
    error: unknown,
  ): S3Error {
    const explained = forMethod(toS3Error(error), exchange.request.method);
    const cause = explained.cause ?? explained;
    const origin = cause instanceof BackendError ? cause : undefined;
    // What the origin refuses to the gateway is the client's answer and the operator's news.
    const isNews = ERRORS[explained.code].status >= 500 || origin?.code === 'AccessDenied';
    if (exchange.signal.aborted || !isNews) return explained;
    const { operation, bucket, key } = about;
    const from = origin && { backend: origin.backend, code: origin.code, nativeCode: origin.nativeCode };
    const line = { err: cause, requestId: exchange.id, operation, bucket, key, ...from };
    if (explained.code === 'InternalError') this.#deps.log.error(line, 'A request failed.');
    else if (explained.code === 'AccessDenied') this.#deps.log.warn(line, 'The origin refuses this to the gateway.');
    else if (explained.code !== 'NotImplemented') this.#deps.log.warn(line, 'A request could not be served now.');
    return explained;
  }
}

function describeRequest(exchange: Exchange, target: Target): S3Request {
  const { headers, method = '', socket } = exchange.request;
  return {
    id: exchange.id,
    method,
    ...target,
    headers: joined(headers),
    remoteAddress: socket.remoteAddress ?? '',
    secure: 'encrypted' in socket,
    body: exchange.request,
    proceed: exchange.proceed,
  };
}

/** Node keeps only set-cookie as a list, which no S3 request has. */
function joined(headers: IncomingMessage['headers']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}

function firstValues(query: Target['query']): ReadonlyMap<string, string> {
  return new Map([...query].reverse());
}

function checkExpectedOwner(expected: string | undefined, owner: string | undefined): void {
  if (expected !== undefined && owner !== undefined && expected !== owner) throw new S3Error('AccessDenied');
}

/** Only GET and HEAD can be told that nothing has changed (RFC 9110 §13.2.1). */
function forMethod(error: S3Error, method: string | undefined): S3Error {
  if (error.code !== 'NotModified' || method === 'GET' || method === 'HEAD') return error;
  return new S3Error('PreconditionFailed', undefined, { cause: error });
}

function resourceOf({ bucket, key }: { bucket: string; key: string }): string {
  return `/${bucket}/${encodeKey(key)}`;
}
