// The S3 endpoint's server: node's own for http or https, with every request handed to the dialect as it came. The
// dialect routes by more than paths and reads bodies itself, so no framework stands between. What does not reach the
// dialect (parser errors, limits) is answered in S3's XML all the same.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from 'pino';
import { settledWithin } from '../concurrency/settled-within.ts';
import { Connections } from './connections.ts';
import { S3Error } from './errors.ts';
import { framingProblem } from './framing.ts';
import type { S3Api } from './s3-api.ts';
import { type StallLimits, watchForStalls } from './stalled-clients.ts';
import { Turns } from './turns.ts';
import { fromParserError, refuseOnSocket, refuseRequest } from './wire-error.ts';

type ServerLimit = 'connections' | 'headers' | 'headersTimeout' | 'bodyTimeout' | 'answerTimeout';

interface S3ServerDeps {
  readonly api: Pick<S3Api, 'handle'>;
  readonly log: Pick<Logger, 'error'>;
  /** A client met a limit. */
  readonly onLimit: (limit: ServerLimit) => void;
}

export interface S3ServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** PEM. Absent: plain http. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly limits: StallLimits & {
    readonly maxConnections: number;
    readonly maxHeaderBytes: number;
    readonly headersTimeoutMs: number;
    readonly keepAliveMs: number;
  };
}

/** How long what is under way may take to notice that its client was cut. */
const GIVE_UP_MS = 1_000;

export class S3Server {
  readonly #deps: S3ServerDeps;
  readonly #options: S3ServerOptions;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #turns = new Turns();
  /** The request that came last on each connection. */
  readonly #latest = new WeakMap<Socket, Latest>();
  readonly #expecting = new WeakSet<IncomingMessage>();
  /** Requests being handled, also of clients that have left: what they began is still being finished or undone. */
  #handling = 0;
  readonly #whenHandled: (() => void)[] = [];
  #draining = false;

  private constructor(deps: S3ServerDeps, options: S3ServerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#server = this.#createServer();
    this.#connections = new Connections(this.#server, {
      maxConnections: options.limits.maxConnections,
      onRefused: () => deps.onLimit('connections'),
    });
  }

  /** Resolves when it listens. */
  static async open(deps: S3ServerDeps, options: S3ServerOptions): Promise<S3Server> {
    const opened = new S3Server(deps, options);
    await new Promise<void>((resolve, reject) => {
      opened.#server.once('error', reject);
      opened.#server.listen({ host: options.host, port: options.port }, () => {
        opened.#server.off('error', reject);
        // Accepting may fail, as when the process is out of file descriptors; those that are served still are.
        opened.#server.on('error', (error) => deps.log.error({ err: error }, 'A connection could not be accepted.'));
        resolve();
      });
    });
    return opened;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#connections.count;
  }

  /** Of an endpoint over https: new connections are made with these. */
  renew(tls: NonNullable<S3ServerOptions['tls']>): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(tls);
  }

  /** Finishes the requests in flight, up to the deadline. */
  async close(deadlineMs: number): Promise<void> {
    this.#draining = true;
    for (const response of this.#connections.answers()) lastOfConnection(response);
    const endsAt = performance.now() + deadlineMs;
    await this.#connections.drain(deadlineMs);
    await settledWithin([this.#untilHandled()], Math.max(GIVE_UP_MS, endsAt - performance.now()));
  }

  #createServer(): Server {
    const { tls, limits } = this.#options;
    const handler = (request: IncomingMessage, response: ServerResponse) => this.#dispatch(request, response);
    const options = {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      // Large uploads take long; watchForStalls ends those that do not move.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: Math.max(50, Math.min(5_000, limits.headersTimeoutMs / 4)),
      noDelay: true,
      // Node's own refusal has no body.
      requireHostHeader: false,
    };
    const server =
      tls === undefined
        ? createServer(options, handler)
        : createTlsServer({ ...options, ...tls, handshakeTimeout: limits.headersTimeoutMs }, handler);
    // Limited by their bytes; a limit on their number would drop the rest silently.
    server.maxHeadersCount = 0;
    server.on('checkContinue', (request, response) => {
      this.#expecting.add(request);
      handler(request, response);
    });
    // Whoever expects what nobody knows may be served as if it had not said so (RFC 9110 §10.1.1), as S3 does.
    server.on('checkExpectation', handler);
    server.on('connect', (_request, socket) => refuseOnSocket(socket, new S3Error('MethodNotAllowed')));
    server.on('clientError', (error, socket) => this.#parserError(error, socket as Socket));
    return server;
  }

  #dispatch(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const refusal = this.#refusalOf(request);
    this.#latest.set(socket, { request, response, fate: refusal === undefined ? 'served' : 'refused' });
    this.#turns.take(socket, () => this.#begin(request, response, refusal));
  }

  #begin(request: IncomingMessage, response: ServerResponse, refusal: S3Error | undefined): void {
    const { socket } = request;
    this.#connections.enter(socket, response);
    // It comes once; listening once would cost another function and its removal.
    response.on('close', () => {
      // First: a connection on which a request waits is not idle.
      this.#turns.pass(socket);
      this.#connections.leave(socket);
    });
    if (refusal !== undefined) {
      this.#refuse(request, response, refusal);
      return;
    }
    if (this.#draining) lastOfConnection(response);
    watchForStalls(request, response, this.#options.limits, {
      bodyStalled: () => this.#bodyStalled(request, response),
      answerStalled: () => {
        this.#deps.onLimit('answerTimeout');
        socket.destroy();
      },
    });
    void this.#handle(request, response);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#handling += 1;
    try {
      await this.#deps.api.handle(request, response, { expectsContinue: this.#expecting.has(request) });
    } catch (error) {
      this.#cut(request, error);
    } finally {
      this.#handling -= 1;
      if (this.#handling === 0) for (const handled of this.#whenHandled.splice(0)) handled();
    }
  }

  #untilHandled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#handling === 0) resolve();
      else this.#whenHandled.push(resolve);
    });
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: S3Error): void {
    refuseRequest(request, response, error).catch((failure) => this.#cut(request, failure));
  }

  #cut({ socket }: IncomingMessage, error: unknown): void {
    this.#deps.log.error({ err: error }, 'A request was not answered; its connection is cut.');
    socket.destroy();
  }

  #refusalOf(request: IncomingMessage): S3Error | undefined {
    if (this.#connections.isPastLimit(request.socket)) {
      return new S3Error('SlowDown', undefined, { headers: { 'Retry-After': '1' } });
    }
    const problem = framingProblem(request);
    return problem === undefined ? undefined : new S3Error('BadRequest', problem);
  }

  #bodyStalled(request: IncomingMessage, response: ServerResponse): void {
    this.#deps.onLimit('bodyTimeout');
    if (response.headersSent) {
      request.socket.destroy();
      return;
    }
    const timeout = new S3Error('RequestTimeout');
    // Once it is answered, node tells whoever still waits for the rest of the request nothing more.
    response.once('close', () => request.destroy(timeout));
    this.#refuse(request, response, timeout);
  }

  #parserError(error: ParserError, socket: Socket): void {
    // What comes behind the last request of a connection is nobody's; its answer stands, and then Node closes.
    if (error.code === 'HPE_CLOSED_CONNECTION') return;
    const refusal = fromParserError(error);
    if (refusal?.code === 'RequestHeaderSectionTooLarge') this.#deps.onLimit('headers');
    if (refusal?.code === 'RequestTimeout') this.#deps.onLimit('headersTimeout');
    const latest = this.#latest.get(socket);
    if (latest?.fate === 'last') return;
    if (latest?.fate === 'refused') socket.destroySoon();
    // The connection broke, or never became one (a TLS handshake that failed).
    else if (refusal === undefined) socket.destroy();
    else if (latest === undefined || latest.response.writableFinished)
      refuseOnSocket(socket, refusal, beginsAsHead(error));
    else if (latest.request.complete) endAfter(latest, socket);
    // Its body broke off. Answers that are under way, to it or to an earlier request, must not be mixed with this one;
    // what of them is written is still sent.
    else if (socketIsAnswering(latest)) socket.destroySoon();
    else {
      const isHead = latest.request.method === 'HEAD';
      refuseOnSocket(socket, isCutShort(error) ? new S3Error('IncompleteBody') : refusal, isHead);
    }
  }
}

interface ParserError extends Error {
  readonly code?: string;
  /** What the parser was given last. */
  readonly rawPacket?: unknown;
}

/** As far as can be told of a request that never became one: its head came at once. */
function beginsAsHead({ rawPacket }: ParserError): boolean {
  return Buffer.isBuffer(rawPacket) && rawPacket.toString('latin1', 0, 5) === 'HEAD ';
}

interface Latest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** last: nothing that comes behind it is read. */
  fate: 'served' | 'refused' | 'last';
}

/** What came behind the request is no request: its answer stands, and is the last. */
function endAfter(latest: Latest, socket: Socket): void {
  latest.fate = 'last';
  lastOfConnection(latest.response);
  latest.response.once('finish', () => socket.destroySoon());
}

/** The client ended the connection before it had sent the body it promised. */
function isCutShort({ code }: { readonly code?: string }): boolean {
  return code === 'HPE_INVALID_EOF_STATE';
}

function lastOfConnection(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

/** Its answer has begun, or waits for that of an earlier request. */
function socketIsAnswering({ response }: Latest): boolean {
  return response.headersSent || response.socket === null;
}
