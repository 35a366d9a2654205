// One HTTP request to an origin that speaks plain HTTP, with its limits: connecting, silence, sockets. Follows nothing,
// repeats nothing, and knows no status; what an answer means is decided by whoever asked.
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { classifyNetworkError } from '../net/classify-network-error.ts';

export interface HttpClientOptions {
  /** From the first SYN to the end of the TLS handshake. Default 3,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long the origin may send no byte, before its answer or in the middle of it. Default 120,000. */
  readonly idleTimeoutMs?: number | undefined;
  /** Per origin host. Default 256. */
  readonly maxSockets?: number | undefined;
  /** PEM; in place of the system's authorities. */
  readonly ca?: string | Buffer | undefined;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** In place of the client's idleTimeoutMs. */
  readonly idleTimeoutMs?: number | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** Undici's: its errors are not classified yet. Consume it, or `discard` it. */
  readonly body: Readable;
}

/** Lower-case names; of a repeated header the values joined by commas. */
export type AnswerHeaders = Readonly<Record<string, string | undefined>>;

export class HttpClient {
  readonly #agent: Agent;

  constructor(options: HttpClientOptions) {
    const idleTimeoutMs = options.idleTimeoutMs ?? 120_000;
    this.#agent = new Agent({
      connect: {
        timeout: options.connectTimeoutMs ?? 3_000,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      },
      connections: options.maxSockets ?? 256,
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
      pipelining: 1,
    });
  }

  /** Rejects with a BackendError or the signal's reason. */
  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const { url, idleTimeoutMs } = request;
    try {
      const answer = await this.#agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: { 'accept-encoding': 'identity', ...request.headers },
        signal,
        ...(idleTimeoutMs === undefined ? {} : { headersTimeout: idleTimeoutMs, bodyTimeout: idleTimeoutMs }),
      });
      return { status: answer.statusCode, headers: flatten(answer.headers), body: answer.body };
    } catch (error) {
      signal.throwIfAborted();
      throw classifyNetworkError(error);
    }
  }

  /** Ends what is still under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Ends an answer whose body nobody wants, and with it the transfer. */
export function discard(answer: HttpAnswer): void {
  answer.body.on('error', () => undefined);
  answer.body.destroy();
}

function flatten(headers: Dispatcher.ResponseData['headers']): AnswerHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
