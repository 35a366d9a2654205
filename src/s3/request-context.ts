// What one request is to its operation. What only some operations ask for is made when they ask.
import type { BucketSettings } from '../objects/bucket-settings.ts';
import type { Objects } from '../objects/objects.ts';
import type { Exchange } from './exchange.ts';
import type { OperationName } from './operation.ts';
import type { Access, OperationContext, RequestBody } from './operations/operation-context.ts';
import type { S3Request } from './request.ts';
import { firstValues } from './target.ts';

interface RequestContextDeps {
  readonly operation: OperationName;
  readonly headers: OperationContext['headers'];
  readonly request: S3Request;
  readonly account: string | undefined;
  /** Undefined: none is known. */
  readonly owner: string | undefined;
  readonly objects: Objects;
  readonly settings: BucketSettings;
  readonly body: RequestBody;
  /** As it came: of a posted form, `request` is what it amounts to. */
  readonly exchange: Pick<Exchange, 'signal' | 'request'>;
  readonly accessWith: (signal: AbortSignal) => Access;
}

export class RequestContext implements OperationContext {
  readonly operation: OperationName;
  readonly headers: OperationContext['headers'];
  readonly query: ReadonlyMap<string, string>;
  readonly bucket: string;
  readonly key: string;
  readonly account: string | undefined;
  readonly owner: string;
  readonly objects: Objects;
  readonly settings: BucketSettings;
  readonly body: RequestBody;
  readonly #deps: RequestContextDeps;
  #access: Access | undefined;

  constructor(deps: RequestContextDeps) {
    const { request, account } = deps;
    this.#deps = deps;
    this.operation = deps.operation;
    this.headers = deps.headers;
    this.query = firstValues(request.query);
    this.bucket = request.bucket ?? '';
    this.key = request.key ?? '';
    this.account = account;
    this.owner = deps.owner ?? account ?? 'dfstore';
    this.objects = deps.objects;
    this.settings = deps.settings;
    this.body = deps.body;
  }

  get endpoint(): string {
    const { request, exchange } = this.#deps;
    return `${request.secure ? 'https' : 'http'}://${exchange.request.headers.host ?? 'localhost'}`;
  }

  get access(): Access {
    this.#access ??= this.#deps.accessWith(this.signal);
    return this.#access;
  }

  get signal(): AbortSignal {
    return this.#deps.exchange.signal;
  }
}
