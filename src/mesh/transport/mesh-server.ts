// The mesh port: other gateways' calls, on a server of its own. It may listen before there is anything to serve, so that
// a gateway knows its port before it says who it is.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { settledWithin } from '../../concurrency/settled-within.ts';
import type { MeshTls } from './certificates.ts';
import type { RefusalReason } from './gatekeeper.ts';
import { MeshCalls, type MeshCallsDeps, type MeshCallsOptions } from './mesh-calls.ts';
import { statusOf } from './protocol.ts';
import { Refusals } from './refusals.ts';

export interface MeshServerDeps {
  readonly log: Pick<Logger, 'warn' | 'error'>;
  /** A request was not handled. */
  readonly refused: (reason: RefusalReason) => void;
}

export interface MeshServerOptions extends MeshCallsOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: MeshTls | undefined;
  /** Past it, requests on further connections are answered Busy. */
  readonly maxConnections: number;
  /** How long a caller may take to send its headers, and then its body. */
  readonly headersTimeoutMs: number;
}

/** Longer than any client of ours keeps an idle connection, so that it is never we who close one that is about to be used. */
const KEEP_ALIVE_MS = 60_000;
const MIN_TLS = 'TLSv1.3';
const MAX_HEADER_BYTES = 8 * 1024;
/** Beyond maxConnections, those that can still be told. */
const SPARE_CONNECTIONS = 64;

export class MeshServer {
  readonly #server: Server;
  readonly #refusals: Refusals;
  readonly #options: MeshServerOptions;
  readonly #log: MeshServerDeps['log'];
  readonly #overLimit = new WeakSet<Duplex>();
  #connections = 0;
  #port = 0;
  #calls: MeshCalls | undefined;
  #closing: Promise<void> | undefined;

  private constructor({ log, refused }: MeshServerDeps, options: MeshServerOptions) {
    this.#options = options;
    this.#log = log;
    this.#refusals = new Refusals({ count: refused, log, now: () => performance.now() });
    this.#server = this.#create();
    this.#server.on('error', (error) => log.error({ err: error }, 'The mesh port cannot accept connections.'));
    this.#server.on('tlsClientError', (error, socket) => {
      this.#refusals.add('certificate', socket.remoteAddress, error.message);
    });
    this.#server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket) => this.#count(socket));
  }

  /** Resolves when it listens. Until serve() everybody is told that it is not ready. */
  static async listen(deps: MeshServerDeps, options: MeshServerOptions): Promise<MeshServer> {
    const mesh = new MeshServer(deps, options);
    mesh.#server.listen({ host: options.host, port: options.port });
    await once(mesh.#server, 'listening');
    mesh.#port = (mesh.#server.address() as AddressInfo).port;
    return mesh;
  }

  get port(): number {
    return this.#port;
  }

  get requestsInFlight(): number {
    return this.#calls?.inFlight ?? 0;
  }

  serve(deps: Omit<MeshCallsDeps, 'refusals' | 'log'>): void {
    this.#calls = new MeshCalls(
      { ...deps, refusals: this.#refusals, log: this.#log },
      { ...this.#options, requireCertificate: this.#options.tls !== undefined },
    );
  }

  /** Of a server with certificates: new connections are made with these. */
  renew(tls: MeshTls): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext({ ...tls, minVersion: MIN_TLS });
  }

  /** Stops listening, lets what is in flight finish for this long, and cuts the rest. */
  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    await settledWithin([closed], drainMs);
    this.#server.closeAllConnections();
    await closed;
  }

  #create(): Server {
    const { tls, headersTimeoutMs, maxConnections } = this.#options;
    const options = {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: headersTimeoutMs,
      requestTimeout: 2 * headersTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(1_000, headersTimeoutMs / 2)),
      maxHeaderSize: MAX_HEADER_BYTES,
    };
    const onRequest = (req: IncomingMessage, res: ServerResponse) => this.#handle(req, res);
    const server =
      tls === undefined
        ? createServer(options, onRequest)
        : createTlsServer(
            { ...options, ...tls, requestCert: true, rejectUnauthorized: true, minVersion: MIN_TLS },
            onRequest,
          );
    server.maxConnections = maxConnections + SPARE_CONNECTIONS;
    return server;
  }

  #count(socket: Duplex): void {
    this.#connections += 1;
    if (this.#connections > this.#options.maxConnections) this.#overLimit.add(socket);
    socket.once('close', () => {
      this.#connections -= 1;
    });
  }

  #handle(req: IncomingMessage, res: ServerResponse): void {
    res.once('close', () => {
      // A kept connection whose last answer has gone out would be waited for.
      if (this.#closing !== undefined) setImmediate(() => this.#server.closeIdleConnections());
    });
    if (this.#overLimit.has(req.socket)) {
      this.#refusals.add('limit', req.socket.remoteAddress, 'Too many connections.');
      sayBusy(res, 'Too many gateways are connected to this one.');
    } else if (this.#calls === undefined || this.#closing !== undefined) {
      sayBusy(res, this.#calls === undefined ? 'This gateway is starting.' : 'This gateway is stopping.');
    } else {
      this.#calls.handle(req, res);
    }
  }
}

function sayBusy(res: ServerResponse, message: string): void {
  const text = JSON.stringify({ code: 'Busy', message });
  res.writeHead(statusOf('Busy'), { 'content-type': 'application/json', connection: 'close' }).end(text);
}
