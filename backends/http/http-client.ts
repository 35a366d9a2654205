// One HTTP request to an origin that speaks plain HTTP, with its limits: connecting, silence, sockets. Follows nothing
// and knows no status; what an answer means is decided by whoever asked. Over node:http, because
// undici 7 ends the process when a server closes a connection whose answer is still being read
// (https://github.com/nodejs/undici/issues/5360).
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { classifyNetworkError } from '../net/classify-network-error.ts';
import { createIdleAgents, type IdleAgentOptions, type IdleAgents } from '../net/idle-agents.ts';

export type HttpClientOptions = Pick<IdleAgentOptions, 'connectTimeoutMs' | 'idleTimeoutMs' | 'maxSockets' | 'ca'>;

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** Its errors are not classified yet. Consume it, or `discard` it. */
  readonly body: IncomingMessage;
}

/** Lower-case names; of a repeated header the values joined by commas. */
export type AnswerHeaders = Readonly<Record<string, string | undefined>>;

/** A body up to this size is read to its end rather than ended with its connection. */
const DRAIN_MAX_BYTES = 64 * 1024;

const MAX_STALE = 4;

export class HttpClient {
  readonly #agents: IdleAgents;

  constructor(options: HttpClientOptions) {
    this.#agents = createIdleAgents(options);
  }

  /** Rejects with a BackendError or the signal's reason. */
  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        const body = await this.#send(request, signal);
        return { status: body.statusCode ?? 0, headers: flatten(body.headers), body };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof StaleConnectionError) || attempt === MAX_STALE) throw classifyNetworkError(error);
      }
    }
  }

  /** Ends what is still under way. */
  close(): void {
    this.#agents.close();
  }

  #send({ method, url, headers }: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const options = { method, headers: { 'accept-encoding': 'identity', ...headers }, signal };
      const sent =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, agent: this.#agents.https })
          : httpRequest(url, { ...options, agent: this.#agents.http });
      // Errors after the answer began reach the body too; here they find a listener that no longer counts.
      sent.on('error', (error) => reject(isStale(sent, error) ? new StaleConnectionError(error) : error));
      sent.once('response', (answer: IncomingMessage) => {
        answer.on('error', () => undefined);
        resolve(answer);
      });
      sent.end();
    });
  }
}

/**
 * A server may close a connection it had promised to keep, as nginx does after each 412. Whoever reuses it before that
 * is known gets no answer; the request was not begun and is sent again.
 */
class StaleConnectionError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function isStale(sent: ClientRequest, error: Error): boolean {
  return sent.reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** Lets go of an answer whose body nobody wants; what is long is not transferred to its end. */
export function discard({ status, headers, body }: HttpAnswer): void {
  const hasBody = body.complete === false && status !== 304 && status !== 204;
  if (hasBody && !(Number(headers['content-length']) <= DRAIN_MAX_BYTES)) body.destroy();
  else body.resume();
}

function flatten(headers: IncomingMessage['headers']): AnswerHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
