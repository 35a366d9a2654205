// One request and its response on the wire: when the client leaves, what answers look like, and what becomes of a body
// that nobody read. Knows nothing of operations.
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { turnEnd } from '../concurrency/loop-turn.ts';
import type { Chunk, Source } from '../objects/objects.ts';
import { type Answer, commonHeaders, type ErrorContext, errorDocument, renderError } from './answer.ts';
import { type PumpedBody, pumpBody } from './body-pump.ts';
import { discardRest } from './discard-rest.ts';
import type { S3Error } from './errors.ts';
import { requestId } from './request-id.ts';
import { renderXml, XML_DECLARATION } from './xml.ts';

export interface ExchangeOptions {
  /** A body this small that nobody read is read to keep the connection. */
  readonly keepAliveRestBytes: number;
  /** How much of an unread body is taken so that the client gets to read its answer before the connection closes. */
  readonly lingerBytes: number;
  readonly lingerMs: number;
}

/** How much of each connection's traffic earlier requests accounted for. */
const accounted = new WeakMap<Socket, { read: number; written: number }>();

export class Exchange {
  readonly id = requestId();
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: ExchangeOptions;
  readonly #socket: Socket;
  #abort: AbortController | undefined;
  #awaitsContinue: boolean;
  #status = 0;
  readonly #served: Partial<Record<Source, number>> = {};

  constructor(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean, options: ExchangeOptions) {
    this.request = request;
    this.#response = response;
    this.#options = options;
    this.#socket = request.socket;
    this.#awaitsContinue = expectsContinue;
    // What a broken connection means is decided by whoever reads or writes; these only must not go unheard.
    request.on('error', unheard);
    response.on('error', unheard);
  }

  /** Aborts when the client leaves before it has its answer. Made when somebody first waits: most answers are at hand. */
  get signal(): AbortSignal {
    this.#abort ??= this.#watchClient();
    return this.#abort.signal;
  }

  /** Bytes of objects that were sent, by where they came from. */
  get served(): Readonly<Partial<Record<Source, number>>> {
    return this.#served;
  }

  /** What was answered; 0: nothing. */
  get status(): number {
    return this.#status;
  }

  readonly proceed = (): void => {
    if (!this.#awaitsContinue) return;
    this.#awaitsContinue = false;
    this.#response.writeContinue();
  };

  /** At once, where all of the answer is at hand. */
  send(answer: Answer): Promise<void> | void {
    const { body } = answer;
    if (body === undefined || !('chunks' in body)) return this.#sendDocument(answer, body);
    if (body.whole !== undefined && totalBytes(body.whole) === body.sizeBytes) {
      this.#writeHead(answer.status, answer.headers ?? {});
      return this.#sendWhole(body.whole);
    }
    return this.#sendChunks(answer, body);
  }

  async #sendChunks(answer: Answer, body: PumpedBody): Promise<void> {
    const begin = () => this.#writeHead(answer.status, answer.headers ?? {});
    await pumpBody(body, this.#response, begin, (chunk) => this.#count(chunk), this.signal);
  }

  async #sendDocument(answer: Answer, body: Exclude<Answer['body'], PumpedBody>): Promise<void> {
    if (body === undefined) {
      const length = answer.headers?.['Content-Length'] ?? (answer.status === 204 ? undefined : '0');
      await this.#finish(answer.status, { ...answer.headers, 'Content-Length': length }, '');
      return;
    }
    const isXml = 'xml' in body;
    const text = isXml ? XML_DECLARATION + renderXml(body.xml) : body.json;
    const described = {
      'Content-Type': isXml ? 'application/xml' : 'application/json',
      'Content-Length': String(Buffer.byteLength(text)),
    };
    await this.#finish(answer.status, { ...answer.headers, ...described }, text);
  }

  /** Whatever can still be said of an error; a body that is under way can only be cut. */
  async fail(error: S3Error, context: Omit<ErrorContext, 'requestId'>): Promise<void> {
    if (this.#response.headersSent || this.signal.aborted) {
      this.cut();
      return;
    }
    const rendered = renderError(error, { ...context, requestId: this.id });
    if (this.request.method !== 'HEAD') {
      await this.#finish(rendered.status, rendered.headers, rendered.body);
      return;
    }
    const { 'Content-Type': _, 'Content-Length': __, ...headers } = rendered.headers;
    await this.#finish(rendered.status, headers, '');
  }

  /** Never a clean end: the client must not take what it has for all there is. */
  cut(): void {
    this.#response.destroy();
    this.#socket.destroy();
  }

  /** Begins a 200 whose outcome is not known yet; spaces keep the client waiting. */
  beginLate(): {
    space: () => void;
    end: (outcome: Answer | S3Error, context: Omit<ErrorContext, 'requestId'>) => void;
  } {
    const response = this.#response;
    this.#writeHead(200, { 'Content-Type': 'application/xml' });
    response.write(XML_DECLARATION);
    return {
      space: () => void response.write(' '),
      end: (outcome, context) => {
        if (outcome instanceof Error) {
          this.#status = outcome.status;
          response.end(renderXml(errorDocument(outcome, { ...context, requestId: this.id })));
        } else {
          const { body } = outcome;
          response.end(body !== undefined && 'xml' in body ? renderXml(body.xml) : '');
        }
      },
    };
  }

  /** Bytes on the wire since the connection's last request, headers and framing included. */
  traffic(): { bytesIn: number; bytesOut: number } {
    const { bytesRead, bytesWritten } = this.#socket;
    const counted = accounted.get(this.#socket);
    if (counted === undefined) {
      accounted.set(this.#socket, { read: bytesRead, written: bytesWritten });
      return { bytesIn: bytesRead, bytesOut: bytesWritten };
    }
    const traffic = { bytesIn: bytesRead - counted.read, bytesOut: bytesWritten - counted.written };
    counted.read = bytesRead;
    counted.written = bytesWritten;
    return traffic;
  }

  #watchClient(): AbortController {
    const abort = new AbortController();
    const response = this.#response;
    // One request may wait for many things at once: the head of each of a thousand buckets, say. None stays for long.
    setMaxListeners(0, abort.signal);
    const left = (): void => {
      if (!response.writableFinished) abort.abort(new Error('The client closed the connection.'));
    };
    if (response.destroyed) left();
    else response.once('close', left);
    return abort;
  }

  /** In one call, with the head: what is written waits for the end. */
  async #sendWhole(chunks: readonly Chunk[]): Promise<void> {
    const response = this.#response;
    await turnEnd();
    if (response.closed) {
      for (const chunk of chunks) chunk.release();
      return;
    }
    // Also where the client leaves before it has taken them.
    response.on('close', () => {
      for (const chunk of chunks) chunk.release();
    });
    for (const chunk of chunks) this.#count(chunk);
    for (const { bytes } of chunks.slice(0, -1)) response.write(bytes);
    response.end(chunks.at(-1)?.bytes);
  }

  #count({ source, bytes }: Chunk): void {
    this.#served[source] = (this.#served[source] ?? 0) + bytes.length;
  }

  #writeHead(status: number, headers: Readonly<Record<string, string | undefined>>): void {
    this.#status = status;
    // A flat list is what Node writes without building an object of it first.
    const list: string[] = [];
    const common = commonHeaders(this.id);
    for (const name in common) if (headers[name] === undefined) list.push(name, common[name] ?? '');
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined && name !== 'Content-Length') list.push(name, value);
    }
    // Last: Node recodes a Content-Disposition that it meets when it knows the length.
    const length = headers['Content-Length'];
    if (length !== undefined) list.push('Content-Length', length);
    this.#response.writeHead(status, list);
  }

  async #finish(status: number, headers: Readonly<Record<string, string | undefined>>, body: string): Promise<void> {
    const rest = this.#unreadBytes();
    if (rest <= this.#options.keepAliveRestBytes) {
      this.#writeHead(status, headers);
      this.#response.end(body);
      this.request.resume();
      return;
    }
    // Closing on bytes that were not read resets the connection, and the answer may be lost with it.
    this.#writeHead(status, { ...headers, Connection: 'close' });
    if (body === '') this.#response.flushHeaders();
    else this.#response.write(body);
    // A client that still waits for '100 Continue' has sent nothing.
    if (!this.#awaitsContinue) await discardRest(this.request, this.#options, this.signal);
    this.#response.end();
  }

  /** Of the request's body, at most; infinite where its length is not known or the client was never told to send it. */
  #unreadBytes(): number {
    const { headers, complete } = this.request;
    const length = Number(headers['content-length'] ?? 0);
    if (complete || (length === 0 && headers['transfer-encoding'] === undefined)) return 0;
    if (this.#awaitsContinue || headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY;
    return length;
  }
}

function totalBytes(chunks: readonly Chunk[]): number {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.bytes.length;
  return bytes;
}

function unheard(): void {
  // Somebody else is told.
}
