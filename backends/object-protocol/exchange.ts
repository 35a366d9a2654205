// One HTTP request, from its first byte to the head of its answer. SDKs pipe bodies and lose what happens to them;
// this sends exactly the promised bytes or breaks the connection, so that an origin never commits what was cut short:
// - a body that errors, ends early or is too long destroys the request, and the caller gets the body's very error;
// - an answer that comes before the body was sent (a refusal) ends the sending and is the outcome;
// - large bodies ask first (Expect: 100-continue), so that a refusal costs no upload.
// The body's stream stays its owner's: it is let go of, never destroyed.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BackendError } from '../backend.ts';
import { classifyNetworkError } from '../net/classify-network-error.ts';
import type { IdleAgents } from '../net/idle-agents.ts';
import type { SizedBody } from './wire.ts';

export interface Target {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  readonly method: string;
  /** Path and query as they were signed: nothing is folded or encoded again. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ExchangeOptions {
  /** Bodies from this size on ask first. Default 1 MiB. */
  readonly askFirstBytes?: number | undefined;
  /** How long an asking body waits for an origin that does not know the question. Default 1,000. */
  readonly askTimeoutMs?: number | undefined;
}

export function exchange(
  target: Target,
  body: SizedBody | undefined,
  agents: Pick<IdleAgents, 'http' | 'https'>,
  options: ExchangeOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  if (signal.aborted) return Promise.reject(signal.reason);
  const isLarge = body !== undefined && body.sizeBytes >= (options.askFirstBytes ?? 1024 * 1024);
  // Node writes the head of a request that asks as UTF-8, and header values are bytes already, one a character.
  const asks = isLarge && Object.values(target.headers).every((value) => /^[\x20-\x7e]*$/.test(value));
  const open = target.secure ? httpsRequest : httpRequest;
  const request = open({
    agent: target.secure ? agents.https : agents.http,
    hostname: target.hostname,
    port: target.port,
    method: target.method,
    path: target.path,
    headers: { ...target.headers, ...(asks ? { Expect: '100-continue' } : {}) },
  });
  request.setNoDelay(true);
  return new Exchange(request, body, signal).run(asks ? (options.askTimeoutMs ?? 1_000) : undefined);
}

class Exchange {
  readonly #request: ClientRequest;
  readonly #body: SizedBody | undefined;
  readonly #signal: AbortSignal;
  #resolve: (response: IncomingMessage) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #sentBytes = 0;
  #last: Buffer | undefined;
  #started = false;
  #ended = false;
  #settled = false;

  constructor(request: ClientRequest, body: SizedBody | undefined, signal: AbortSignal) {
    this.#request = request;
    this.#body = body;
    this.#signal = signal;
  }

  run(askTimeoutMs: number | undefined): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#signal.addEventListener('abort', this.#onAbort, { once: true });
      this.#request.once('response', this.#onResponse);
      this.#request.on('error', (error) => this.#fail(classifyNetworkError(error)));
      this.#request.on('close', () =>
        this.#fail(new BackendError('Unavailable', 'The origin closed the connection without an answer.')),
      );
      if (this.#body !== undefined) this.#watchBody(this.#body);
      if (askTimeoutMs === undefined) this.#send();
      else this.#ask(askTimeoutMs);
    });
  }

  #ask(askTimeoutMs: number): void {
    const timer = setTimeout(() => this.#send(), askTimeoutMs);
    this.#request.once('continue', () => {
      clearTimeout(timer);
      this.#send();
    });
    this.#request.once('close', () => clearTimeout(timer));
  }

  #send(): void {
    if (this.#settled || this.#started) return;
    this.#started = true;
    if (this.#body === undefined) {
      this.#ended = true;
      this.#request.end();
      return;
    }
    // An empty body too is put only once its stream has ended well.
    const { stream } = this.#body;
    this.#request.on('drain', () => this.#settled || stream.resume());
    stream.on('data', this.#onData).once('end', this.#onEnd).resume();
  }

  /** From the start, so that a body that fails while the origin is still being asked is not missed. */
  #watchBody({ stream }: SizedBody): void {
    stream.on('error', this.#onBodyError);
    stream.once('close', this.#onBodyClose);
    if (stream.errored !== null) this.#onBodyError(stream.errored);
    else if (stream.destroyed && !stream.readableEnded) this.#onBodyClose();
  }

  readonly #onData = (chunk: Buffer): void => {
    const body = this.#body;
    if (body === undefined || this.#settled) return;
    this.#sentBytes += chunk.length;
    body.tap?.(chunk);
    if (this.#sentBytes > body.sizeBytes) {
      this.#fail(new BackendError('Internal', `The body is longer than its ${body.sizeBytes} bytes; nothing was put.`));
    } else if (this.#sentBytes === body.sizeBytes) {
      // Held back until the stream has ended well: with it the origin has all it was promised, and commits.
      this.#last = chunk;
    } else if (!this.#request.write(chunk)) {
      body.stream.pause();
    }
  };

  readonly #onEnd = (): void => {
    if (this.#sentBytes === this.#body?.sizeBytes) {
      this.#ended = true;
      // Not end(last): when Node knows the length before it writes the head, it recodes a Content-Disposition.
      if (this.#last !== undefined) this.#request.write(this.#last);
      this.#request.end();
    } else {
      const message = `The body ended after ${this.#sentBytes} of its ${this.#body?.sizeBytes} bytes; nothing was put.`;
      this.#fail(new BackendError('Internal', message));
    }
  };

  readonly #onBodyError = (error: Error): void => {
    if (!this.#ended) this.#fail(error);
  };

  readonly #onBodyClose = (): void => {
    if (this.#ended || this.#body?.stream.readableEnded === true) return;
    const message = `The body was given up after ${this.#sentBytes} bytes; nothing was put.`;
    this.#fail(this.#body?.stream.errored ?? new BackendError('Internal', message));
  };

  readonly #onAbort = (): void => this.#fail(this.#signal.reason);

  readonly #onResponse = (response: IncomingMessage): void => {
    if (this.#settled) {
      response.destroy();
      return;
    }
    if (!this.#ended) {
      if ((response.statusCode ?? 0) < 300) {
        response.destroy();
        this.#fail(new BackendError('Internal', 'The origin reported success before it had the whole body.'));
        return;
      }
      // The request can never be finished now, so its connection cannot be used again.
      response.once('end', () => this.#request.destroy());
    }
    this.#settle();
    this.#resolve(response);
  };

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settle();
    this.#request.destroy();
    this.#reject(error);
  }

  #settle(): void {
    this.#settled = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    const stream = this.#body?.stream;
    stream?.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onBodyClose);
    // An owner that gives up its body after us must not meet an unhandled 'error'; nobody else may be listening.
    if (stream !== undefined && !stream.readableEnded) stream.pause();
  }
}
