// How the SDK's requests reach the wire: over our own sockets, with the body's life under control. The SDK's own
// handler crashes the process when a body is destroyed with an error, waits for ever when it ends short, and sends the
// body at once however politely it asked to continue.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { BackendError } from '../backend.ts';
import type { IdleAgents } from '../net/idle-agents.ts';
import type { SentTokens } from './sent-tokens.ts';

/** The part of the SDK's request that matters here. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: IncomingMessage;
}

/** How long an origin that was asked 'may I go on?' is waited for before the body goes out anyway. */
const CONTINUE_TIMEOUT_MS = 1_000;

export class S3RequestHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #agents: IdleAgents;
  readonly #tokens: SentTokens;

  constructor(agents: IdleAgents, tokens: SentTokens) {
    this.#agents = agents;
    this.#tokens = tokens;
  }

  handle(
    request: SdkRequest,
    options: { readonly abortSignal?: AbortSignal | undefined } = {},
  ): Promise<{ response: SdkResponse }> {
    return new Promise((resolve, reject) => {
      options.abortSignal?.throwIfAborted();
      this.#tokens.note(header(request.headers, 'x-amz-security-token'));
      const sent = this.#open(request);
      const onAbort = () => fail(options.abortSignal?.reason);
      const fail = (error: unknown) => {
        reject(error);
        sent.destroy();
      };
      options.abortSignal?.addEventListener('abort', onAbort, { once: true });
      sent.once('close', () => options.abortSignal?.removeEventListener('abort', onAbort));
      sent.on('error', fail);
      const upload = sendBody(sent, request, fail);
      sent.once('response', (answer) => {
        const statusCode = answer.statusCode ?? 0;
        if (!upload.isWhole()) {
          refusedEarly(sent, answer, upload);
          if (statusCode < 300) {
            fail(new BackendError('Unavailable', 'The origin acknowledged a body before it had all of it.'));
            return;
          }
        }
        resolve({ response: { statusCode, headers: joined(answer), body: answer } });
      });
    });
  }

  /** The SDK asks for these two of every handler. */
  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  updateHttpClientConfig(): void {}

  destroy(): void {
    this.#agents.close();
  }

  #open(request: SdkRequest): ClientRequest {
    const secure = request.protocol === 'https:';
    const query = queryString(request.query ?? {});
    return (secure ? httpsRequest : httpRequest)({
      agent: secure ? this.#agents.https : this.#agents.http,
      hostname: request.hostname.replace(/^\[|\]$/g, ''),
      port: request.port,
      method: request.method,
      path: query === '' ? request.path : `${request.path}?${query}`,
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, asBytes(value)])),
    });
  }
}

/** Signatures are over UTF-8; Node writes a header's characters as single bytes. */
function asBytes(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

function queryString(query: NonNullable<SdkRequest['query']>): string {
  return Object.entries(query)
    .flatMap(([name, value]) => {
      const values = Array.isArray(value) ? value : [value];
      return values.map((one) => (one === null ? escapeUri(name) : `${escapeUri(name)}=${escapeUri(one)}`));
    })
    .join('&');
}

function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function joined(answer: IncomingMessage): Record<string, string> {
  const entries = Object.entries(answer.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  );
  return Object.fromEntries(entries);
}

/** The SDK writes some of its names with capitals. */
function header(headers: SdkRequest['headers'], wanted: string): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** A body on its way out. */
interface Upload {
  /** Whether the origin was given all of it. */
  isWhole(): boolean;
  stop(): void;
}

function sendBody(sent: ClientRequest, request: SdkRequest, fail: (error: unknown) => void): Upload {
  const { body, headers } = request;
  if (!(body instanceof Readable)) {
    sent.end(typeof body === 'string' || body instanceof Uint8Array ? body : undefined);
    return { isWhole: () => true, stop: () => undefined };
  }
  const promised = header(headers, 'content-length');
  const pump = new BodyPump(body, sent, promised === undefined ? undefined : Number(promised), fail);
  if (header(headers, 'expect') === undefined) pump.start();
  else afterContinue(sent, () => pump.start());
  return pump;
}

function afterContinue(sent: ClientRequest, start: () => void): void {
  const go = () => {
    stop();
    start();
  };
  const stop = () => {
    clearTimeout(timer);
    sent.off('continue', go);
  };
  const timer = setTimeout(go, CONTINUE_TIMEOUT_MS);
  sent.once('continue', go);
  sent.once('response', stop);
  sent.once('close', stop);
  sent.flushHeaders();
}

/** Writes exactly the promised bytes; an origin that got fewer sees a broken request and keeps nothing. */
class BodyPump implements Upload {
  readonly #body: Readable;
  readonly #sent: ClientRequest;
  readonly #promisedBytes: number | undefined;
  readonly #fail: (error: unknown) => void;
  #writtenBytes = 0;

  constructor(body: Readable, sent: ClientRequest, promised: number | undefined, fail: (error: unknown) => void) {
    this.#body = body;
    this.#sent = sent;
    this.#promisedBytes = promised;
    this.#fail = fail;
  }

  start(): void {
    const body = this.#body;
    this.#sent.on('drain', this.#onDrain);
    this.#sent.once('close', () => this.stop());
    body.on('error', this.#fail);
    body.once('close', this.#onClose);
    body.once('end', this.#onEnd);
    body.on('data', this.#onData);
    if (body.destroyed) this.#onClose();
  }

  isWhole(): boolean {
    return this.#promisedBytes === undefined ? this.#sent.writableEnded : this.#writtenBytes === this.#promisedBytes;
  }

  /** A body that was taken whole may still have its end to tell, so it is not held up. */
  stop(): void {
    this.#sent.off('drain', this.#onDrain);
    this.#body.off('data', this.#onData);
    this.#body.off('end', this.#onEnd);
    this.#body.off('close', this.#onClose);
    if (this.isWhole()) this.#body.resume();
    else this.#body.pause();
  }

  readonly #onDrain = (): void => {
    this.#body.resume();
  };

  readonly #onData = (chunk: Buffer): void => {
    this.#writtenBytes += chunk.length;
    if (this.#promisedBytes !== undefined && this.#writtenBytes > this.#promisedBytes) {
      this.#fail(wrongLength(this.#promisedBytes));
    } else if (!this.#sent.write(chunk)) {
      this.#body.pause();
    }
  };

  readonly #onEnd = (): void => {
    this.#body.off('close', this.#onClose);
    if (this.#promisedBytes === undefined || this.#writtenBytes === this.#promisedBytes) this.#sent.end();
    else this.#fail(wrongLength(this.#promisedBytes));
  };

  readonly #onClose = (): void => {
    this.#fail(this.#body.errored ?? new BackendError('Unavailable', 'The body was closed before its end.'));
  };
}

function wrongLength(promised: number): BackendError {
  return new BackendError('Internal', `A body did not carry the ${promised} bytes it promised; nothing was stored.`);
}

/**
 * An origin that answers before it has the whole body has refused it: nothing more is sent, and the connection, which
 * still owes it the rest, is not used again.
 */
function refusedEarly(sent: ClientRequest, answer: IncomingMessage, upload: Upload): void {
  upload.stop();
  answer.once('close', () => sent.destroy());
}
