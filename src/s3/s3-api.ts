// The dialect's pipeline: name the operation, admit, authenticate, authorise, run, answer. Every request is answered
// or its connection cut, and nothing here rejects.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { BackendError } from '../../backends/backend.ts';
import type { BucketSettings } from '../objects/bucket-settings.ts';
import type { Objects, Source } from '../objects/objects.ts';
import { AccessControl, type Asking, checkExpectedOwner } from './access-control.ts';
import { toS3Error } from './answer.ts';
import type { Authenticated, Authenticator, Identity } from './auth/authenticate.ts';
import { BucketOwners } from './bucket-owners.ts';
import { Cors } from './cors/cors.ts';
import { describeRequest } from './describe-request.ts';
import { ERRORS, S3Error } from './errors.ts';
import { Exchange } from './exchange.ts';
import { answerLate } from './late-answer.ts';
import { refuseHeadersNotOffered } from './object-attributes.ts';
import { detectOperation, type OperationName } from './operation.ts';
import type { Operation, OperationContext } from './operations/operation-context.ts';
import { WireBody } from './operations/request-body.ts';
import { OPERATIONS } from './operations/table.ts';
import { BucketPolicies } from './policy/bucket-policies.ts';
import { type FormOptions, openForm } from './post/open-form.ts';
import { effectiveHeaders } from './presigned-headers.ts';
import { RecentSettings } from './recent-settings.ts';
import type { S3Request } from './request.ts';
import { RequestContext } from './request-context.ts';
import { encodeKey, parseTarget, type Target } from './target.ts';

export interface RequestObserver {
  finished(event: RequestEvent): void;
}

/** 'Preflight': a browser asks by CORS. 'Unknown': the request was refused before it could be named. */
export type RequestName = OperationName | 'Preflight' | 'Unknown';

export interface RequestEvent {
  readonly operation: RequestName;
  /** 0: the client left before it was answered. */
  readonly status: number;
  readonly durationMs: number;
  /** On the wire, headers included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes of objects, by where they came from. */
  readonly served: Readonly<Partial<Record<Source, number>>>;
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
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'authenticateForm'>;
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
  /** Default: 20 KiB in 200 fields before the file, and forms up to 256 KiB held in memory. */
  readonly form?: FormOptions | undefined;
  /** Default 64 KiB. */
  readonly keepAliveRestBytes?: number | undefined;
  /** Default 16 MiB. */
  readonly lingerBytes?: number | undefined;
  /** Default 2 s. */
  readonly lingerMs?: number | undefined;
}

/** What is known of a request so far; told to the observer however it ends. */
interface Progress {
  operation: RequestName;
  target: Target | undefined;
  identity: Identity | undefined;
  readonly releases: (() => void)[];
}

export class S3Api {
  readonly #deps: S3ApiDeps;
  readonly #access: AccessControl;
  readonly #settings: RecentSettings;
  readonly #cors: Cors;
  readonly #options;

  constructor(deps: S3ApiDeps, options: S3ApiOptions) {
    this.#deps = deps;
    this.#options = {
      domain: options.domain,
      maxXmlBytes: options.maxXmlBytes,
      form: options.form ?? { maxFormBytes: 20 * 1024, maxFormFields: 200, wholeFormBytes: 256 * 1024 },
      lateAnswerMs: options.lateAnswerMs ?? 10_000,
      keepAliveRestBytes: options.keepAliveRestBytes ?? 64 * 1024,
      lingerBytes: options.lingerBytes ?? 16 * 1024 ** 2,
      lingerMs: options.lingerMs ?? 2000,
    };
    const now = () => performance.now();
    const memory = { ttlMs: options.bucketOwnerTtlMs ?? 5000, maxEntries: 10_000 };
    const owners = new BucketOwners({ objects: deps.objects, now }, memory);
    this.#settings = new RecentSettings({ settings: deps.settings, now }, memory);
    this.#cors = new Cors({ settings: this.#settings });
    const policies = new BucketPolicies({ settings: this.#settings });
    this.#access = new AccessControl({
      owners,
      policies,
      settings: this.#settings,
      objects: deps.objects,
      now: () => new Date(),
    });
  }

  async handle(req: IncomingMessage, res: ServerResponse, context: { expectsContinue: boolean }): Promise<void> {
    const startedMs = performance.now();
    const exchange = new Exchange(req, res, context.expectsContinue, this.#options);
    const progress: Progress = { operation: 'Unknown', target: undefined, identity: undefined, releases: [] };
    try {
      await this.#answer(exchange, progress, res);
    } catch (error) {
      await this.#fail(exchange, progress, error);
    } finally {
      for (const release of progress.releases) release();
    }
    const { bytesIn, bytesOut } = exchange.traffic();
    this.#deps.observer.finished({
      operation: progress.operation,
      status: exchange.status,
      durationMs: performance.now() - startedMs,
      bytesIn,
      bytesOut,
      served: exchange.served,
      accessKeyId: progress.identity?.accessKeyId,
      bucket: progress.target?.bucket,
      key: progress.target?.key,
    });
  }

  async #answer(exchange: Exchange, progress: Progress, response: ServerResponse): Promise<void> {
    this.#admit(this.#deps.admission.enter(), progress);
    const { headers: sent, method = '', url = '' } = exchange.request;
    const target = parseTarget(url, sent.host, this.#options.domain);
    progress.target = target;
    const asked = { method, bucket: target.bucket, headers: sent };
    if (method === 'OPTIONS') {
      progress.operation = 'Preflight';
      await exchange.send(await this.#cors.preflight(asked, exchange.signal));
      return;
    }
    if (sent.origin !== undefined) await this.#describeCors(exchange, asked, response);
    const described = describeRequest(exchange, target);
    const given = effectiveHeaders(described.headers, target.query);
    const name = detectOperation(method, target, target.query, given);
    progress.operation = name;
    const operation = OPERATIONS[name];

    const form = name === 'PostObject' ? await this.#openForm(exchange, described, progress) : undefined;
    const { identity, payload } = form ?? this.#deps.authenticator.authenticate(described);
    const request = form?.request ?? described;
    progress.identity = identity;
    this.#admit(this.#deps.admission.enterKey(identity.accessKeyId ?? 'anonymous'), progress);

    progress.target = request;
    const headers = name === 'PostObject' ? request.headers : given;
    const asking = { name, operation, identity, request, headers };
    const known = this.#access.admitAtHand(asking);
    const owner = known === undefined ? await this.#access.admit(asking, exchange.signal) : known.owner;
    checkExpectedOwner(headers['x-amz-expected-bucket-owner'], owner);
    refuseHeadersNotOffered(name, headers);
    const body = new WireBody({ request, payload }, this.#options);
    progress.releases.push(() => body.close());
    const context = new RequestContext({
      operation: name,
      headers,
      request,
      account: identity.account,
      owner,
      objects: this.#deps.objects,
      settings: this.#settings.current,
      body,
      exchange,
      accessWith: (signal) => this.#accessOf(asking, signal),
    });
    return this.#run(exchange, operation, context);
  }

  /** A form tells who sent it, and what its request is, by its fields; every other request by its headers and query. */
  async #openForm(
    exchange: Exchange,
    request: S3Request,
    progress: Progress,
  ): Promise<Authenticated & { readonly request: S3Request }> {
    const { authenticator } = this.#deps;
    const now = () => new Date();
    const form = await openForm(exchange.request, request, { authenticator, now }, this.#options.form);
    progress.releases.push(() => form.request.body.destroy());
    return { ...form, payload: { kind: 'unsigned' } };
  }

  /** Also on errors, which a page could not read otherwise. */
  async #describeCors(
    exchange: Exchange,
    asked: Parameters<Cors['headersFor']>[0],
    response: ServerResponse,
  ): Promise<void> {
    try {
      const headers = await this.#cors.headersFor(asked, exchange.signal);
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    } catch (error) {
      if (exchange.signal.aborted) throw error;
      this.#deps.log.warn({ err: error, requestId: exchange.id }, "A bucket's CORS rules could not be read.");
    }
  }

  #accessOf(asking: Asking, signal: AbortSignal): OperationContext['access'] {
    const access = this.#access.of(asking, signal);
    const forget = (bucket: string): void => {
      access.forget(bucket);
      this.#settings.forget();
    };
    return { ...access, forget };
  }

  #admit(release: (() => void) | undefined, progress: Progress): void {
    if (release === undefined) throw new S3Error('SlowDown', undefined, { headers: { 'Retry-After': '1' } });
    progress.releases.push(release);
  }

  #run(exchange: Exchange, operation: Operation, context: OperationContext): Promise<void> | void {
    const answer = operation.handler(context);
    if (!(answer instanceof Promise)) return exchange.send(answer);
    if (!operation.slow) return answer.then((given) => exchange.send(given));
    const failed = (error: unknown): S3Error => this.#explain(exchange, context, error);
    return answerLate(exchange, answer, { afterMs: this.#options.lateAnswerMs, failed, resource: resourceOf(context) });
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
    about: { operation: RequestName; bucket?: string | undefined; key?: string | undefined },
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

/** Only GET and HEAD can be told that nothing has changed (RFC 9110 §13.2.1). */
function forMethod(error: S3Error, method: string | undefined): S3Error {
  if (error.code !== 'NotModified' || method === 'GET' || method === 'HEAD') return error;
  return new S3Error('PreconditionFailed', undefined, { cause: error });
}

function resourceOf({ bucket, key }: { bucket: string; key: string }): string {
  return `/${bucket}/${encodeKey(key)}`;
}
