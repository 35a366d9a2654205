// Stands between a gateway and an origin that really stores, and misbehaves on the way as a test tells it to: what went
// wrong is the proxy's doing, what is stored is the origin's to show. Requests that no rule is about pass unchanged.
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
  request as sendRequest,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export type ProxyFault =
  /** Takes the request, all of it, and says nothing. Nothing reaches the origin. */
  | { readonly kind: 'silent' }
  /** Answers in the origin's place, without reading a body. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  /** Passes this much of the answer's body on, then nothing more. */
  | { readonly kind: 'stall-answer'; readonly afterBytes: number }
  /** Passes this much of the answer's body on, then cuts the connection. */
  | { readonly kind: 'cut-answer'; readonly afterBytes: number }
  /** Lets the origin do all of it, and cuts the connection in place of the answer. */
  | { readonly kind: 'lose-answer' }
  /** Passes this much of the request's body to the origin, then reads no further. */
  | { readonly kind: 'stall-upload'; readonly afterBytes: number }
  /** Passes this much of the request's body to the origin, then cuts both connections. */
  | { readonly kind: 'cut-upload'; readonly afterBytes: number }
  /** The answer in pieces, the head first after a pause. */
  | { readonly kind: 'slow'; readonly pieces: number; readonly everyMs: number };

export interface ProxyRule {
  readonly fault: ProxyFault;
  readonly when: (request: IncomingMessage) => boolean;
  /** How many requests it is for; default: all. */
  readonly times?: number | undefined;
}

interface FaultyProxyOptions {
  readonly originUrl: string;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
}

export class FaultyProxy {
  readonly #server: Server;
  readonly #origin: URL;
  readonly #secure: boolean;
  #rules: { readonly rule: ProxyRule; left: number }[] = [];
  /** 'METHOD path?query' of every request that came. */
  readonly seen: string[] = [];
  /** Connections that were made, whatever became of them. */
  connections = 0;

  private constructor({ originUrl, tls }: FaultyProxyOptions) {
    this.#origin = new URL(originUrl);
    this.#secure = tls !== undefined;
    this.#server = tls === undefined ? createServer() : createTlsServer(tls);
    this.#server.on('connection', () => {
      this.connections += 1;
    });
    this.#server.on('request', (request, response) => this.#serve(request, response, false));
    this.#server.on('checkContinue', (request, response) => this.#serve(request, response, true));
  }

  static async start(options: FaultyProxyOptions): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `${this.#secure ? 'https' : 'http'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Rules are for the requests that match; the first that has not been used up decides. */
  misbehave(...rules: readonly ProxyRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }));
  }

  behave(): void {
    this.#rules = [];
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse, asks: boolean): void {
    this.seen.push(`${request.method} ${request.url}`);
    // Whoever asked leaves in every way there is.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const fault = this.#take(request);
    if (fault?.kind === 'answer') {
      refuse(response, fault);
      return;
    }
    if (asks) response.writeContinue();
    if (fault?.kind === 'silent') request.resume();
    else this.#forward(request, response, fault);
  }

  #take(request: IncomingMessage): ProxyFault | undefined {
    const found = this.#rules.find(({ rule, left }) => left > 0 && rule.when(request));
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.rule.fault;
  }

  #forward(request: IncomingMessage, response: ServerResponse, fault: ProxyFault | undefined): void {
    const { method, url: path, headers } = request;
    const { hostname: host, port } = this.#origin;
    const { expect: _, ...forwarded } = headers;
    const onward = sendRequest({ host, port, method, path, headers: forwarded, agent: false }, (answer) => {
      pass(answer, response, fault);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => {
      if (!response.writableFinished) onward.destroy();
    });
    if (fault?.kind !== 'stall-upload' && fault?.kind !== 'cut-upload') {
      request.pipe(onward);
      return;
    }
    takePart(request, fault.afterBytes, (part) => {
      onward.write(part, () => {
        if (fault.kind === 'stall-upload') return;
        onward.destroy();
        request.socket.destroy();
      });
    });
  }
}

/** One error document for a bare code, one for a HEAD. */
function refuse(response: ServerResponse, { status, code }: { status: number; code: string }): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test says</Message></Error>`;
  response.writeHead(status, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function takePart(request: IncomingMessage, bytes: number, then: (part: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes < bytes) return;
    request.off('data', onData).pause();
    then(Buffer.concat(chunks).subarray(0, bytes));
  };
  request.on('data', onData);
}

function pass(answer: IncomingMessage, response: ServerResponse, fault: ProxyFault | undefined): void {
  answer.on('error', () => response.destroy());
  if (fault?.kind === 'lose-answer') {
    answer.resume().on('end', () => response.destroy());
    return;
  }
  const head = () => response.writeHead(answer.statusCode ?? 502, answer.headers as OutgoingHttpHeaders);
  if (fault?.kind === 'slow') {
    drip(answer, response, fault, head);
    return;
  }
  head();
  if (fault?.kind !== 'stall-answer' && fault?.kind !== 'cut-answer') {
    answer.pipe(response);
    return;
  }
  takePart(answer, fault.afterBytes, (part) => {
    response.write(part, () => {
      if (fault.kind === 'cut-answer') response.destroy();
    });
  });
}

function drip(
  answer: IncomingMessage,
  response: ServerResponse,
  { pieces, everyMs }: { pieces: number; everyMs: number },
  head: () => void,
): void {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  answer.on('end', () => {
    const body = Buffer.concat(chunks);
    const size = Math.max(1, Math.ceil(body.length / pieces));
    let at = 0;
    const timer = setInterval(() => {
      if (!response.headersSent) head();
      response.write(body.subarray(at, at + size));
      at += size;
      if (at < body.length) return;
      clearInterval(timer);
      response.end();
    }, everyMs);
    response.on('close', () => clearInterval(timer));
  });
}
