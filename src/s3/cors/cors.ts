// What pages of other origins may do with a bucket, told to their browsers: on every answer, and to the question that
// browsers ask before (preflight). It is the browser that keeps to it; whether a request is allowed is decided elsewhere.
import type { IncomingHttpHeaders } from 'node:http';
import { BackendError } from '../../../backends/backend.ts';
import type { BucketSettings } from '../../objects/bucket-settings.ts';
import type { Answer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { type CorsRule, ruleFor } from './cors-rules.ts';

/** The name that a bucket's rules are kept under. */
export const CORS_DOCUMENT = 'cors';

const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

interface CorsRequest {
  readonly method: string;
  readonly bucket: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

export class Cors {
  readonly #settings: Pick<BucketSettings, 'get'>;

  constructor(deps: { readonly settings: Pick<BucketSettings, 'get'> }) {
    this.#settings = deps.settings;
  }

  /** What the answer to this request has to say, whatever else it says. */
  async headersFor(request: CorsRequest, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { origin } = request.headers;
    if (origin === undefined || request.bucket === undefined) return {};
    const rules = await this.#rules(request.bucket, signal);
    const rule = rules && ruleFor(rules, { origin, method: methodOf(request), headers: [] });
    return rule === undefined ? {} : headersOf(rule, origin);
  }

  /** Throws AccessForbidden, BadRequest. */
  async preflight(request: CorsRequest, signal: AbortSignal): Promise<Answer> {
    const { headers, bucket } = request;
    const { origin } = headers;
    const method = headers['access-control-request-method'];
    if (origin === undefined) {
      throw new S3Error('BadRequest', 'Insufficient information. Origin request header needed.');
    }
    if (method === undefined) throw new S3Error('BadRequest', 'Invalid Access-Control-Request-Method: null');
    const rules = bucket === undefined ? undefined : await this.#rules(bucket, signal);
    if (rules === undefined) throw forbidden('CORS is not enabled for this bucket.', method);
    const asked = listOf(headers['access-control-request-headers']);
    const rule = ruleFor(rules, { origin, method, headers: asked });
    if (rule === undefined) {
      throw forbidden(
        'This CORS request is not allowed. This is usually because the evaluation of Origin, request method / ' +
          "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        method,
      );
    }
    const allowed = asked.length === 0 ? undefined : asked.join(', ');
    return { status: 200, headers: { ...headersOf(rule, origin), 'Access-Control-Allow-Headers': allowed } };
  }

  async #rules(bucket: string, signal: AbortSignal): Promise<readonly CorsRule[] | undefined> {
    try {
      const document = await this.#settings.get(bucket, CORS_DOCUMENT, signal);
      return document === undefined ? undefined : (JSON.parse(document) as readonly CorsRule[]);
    } catch (error) {
      if (error instanceof BackendError && error.code === 'NoSuchBucket') return undefined;
      throw error;
    }
  }
}

/** Browsers let no page set this header, so whoever sends it asks what would be. */
function methodOf({ method, headers }: CorsRequest): string {
  return headers['access-control-request-method'] ?? method;
}

function headersOf(rule: CorsRule, origin: string): Record<string, string> {
  const { allowedMethods, exposeHeaders, maxAgeSeconds } = rule;
  const forAll = rule.allowedOrigins.includes('*');
  return {
    'Access-Control-Allow-Origin': forAll ? '*' : origin,
    ...(forAll ? {} : { 'Access-Control-Allow-Credentials': 'true' }),
    'Access-Control-Allow-Methods': allowedMethods.join(', '),
    ...(exposeHeaders.length > 0 ? { 'Access-Control-Expose-Headers': exposeHeaders.join(', ') } : {}),
    ...(maxAgeSeconds === undefined ? {} : { 'Access-Control-Max-Age': String(maxAgeSeconds) }),
    Vary: VARY,
  };
}

function listOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

function forbidden(message: string, method: string): S3Error {
  return new S3Error('AccessForbidden', `CORSResponse: ${message}`, { details: { Method: method } });
}
