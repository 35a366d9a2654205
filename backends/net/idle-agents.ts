// Connection pools for an origin, http and https, whose sockets cannot hang: connecting has a limit, and a socket over
// which no byte came or went for the idle limit is destroyed, whether its request waits for headers, is in the middle
// of a body (either way), or its reader stopped reading. SDKs' own timeouts are left off: some count from the start of
// the request, some do not fire on a stalled download at all.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type LookupFunction, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

export interface IdleAgentOptions {
  /** From the first SYN to the end of the TLS handshake. Default 3,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Complete and copy may be silent for minutes at real origins. Default 120,000. */
  readonly idleTimeoutMs?: number | undefined;
  /** How long an unused connection is kept for the next request. Default 4,000: less than servers keep it. */
  readonly keepAliveMs?: number | undefined;
  /** Per origin host. Default 256. */
  readonly maxSockets?: number | undefined;
  /** PEM; in place of the system's authorities. */
  readonly ca?: string | Buffer | undefined;
  readonly lookup?: LookupFunction | undefined;
}

export interface IdleAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  close(): void;
}

/** Why a socket was destroyed by its pool; classifyNetworkError knows the codes. */
class SocketTimeoutError extends Error {
  override readonly name = 'SocketTimeoutError';
  readonly code: 'CONNECT_TIMEOUT' | 'IDLE_TIMEOUT';

  constructor(code: SocketTimeoutError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export function createIdleAgents(options: IdleAgentOptions): IdleAgents {
  const limits: SocketLimits = {
    connectTimeoutMs: options.connectTimeoutMs ?? 3_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 120_000,
    keepAliveMs: options.keepAliveMs ?? 4_000,
  };
  const pool = {
    keepAlive: true,
    scheduling: 'lifo' as const,
    maxSockets: options.maxSockets ?? 256,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  };
  const http = new HttpAgent(pool);
  const https = new HttpsAgent({ ...pool, ...(options.ca === undefined ? {} : { ca: options.ca }) });
  watchSockets(http, limits);
  watchSockets(https, limits);
  return {
    http,
    https,
    close: () => {
      http.destroy();
      https.destroy();
    },
  };
}

interface SocketLimits {
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
}

/** Hooks into the agent's three documented points: a socket is made, rests in the pool, is taken again. */
function watchSockets(agent: HttpAgent, limits: SocketLimits): void {
  const resting = new WeakSet<Duplex>();
  const createConnection = agent.createConnection.bind(agent);
  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  const reuseSocket = agent.reuseSocket.bind(agent);
  agent.createConnection = (options, callback) => {
    const made = createConnection(options, callback);
    if (made instanceof Socket) {
      limitConnect(made, limits.connectTimeoutMs);
      limitIdle(made, limits, (socket) => resting.has(socket));
    }
    return made;
  };
  agent.keepSocketAlive = (socket) => {
    resting.add(socket);
    return keepSocketAlive(socket);
  };
  agent.reuseSocket = (socket, request) => {
    resting.delete(socket);
    reuseSocket(socket, request);
  };
}

function limitConnect(socket: Socket, connectTimeoutMs: number): void {
  const message = `The origin accepted no connection within ${connectTimeoutMs} ms.`;
  const timer = setTimeout(() => socket.destroy(new SocketTimeoutError('CONNECT_TIMEOUT', message)), connectTimeoutMs);
  const stop = () => clearTimeout(timer);
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', stop);
  socket.once('close', stop);
}

/** Counts bytes rather than using socket.setTimeout, which SDKs set for themselves. */
function limitIdle(socket: Socket, limits: SocketLimits, isResting: (socket: Socket) => boolean): void {
  let seenBytes = 0;
  let seenAt = performance.now();
  const everyMs = Math.max(10, Math.min(1_000, limits.idleTimeoutMs / 4, limits.keepAliveMs / 4));
  const timer = setInterval(() => {
    const bytes = socket.bytesRead + socket.bytesWritten;
    const now = performance.now();
    if (bytes !== seenBytes || socket.connecting) {
      seenBytes = bytes;
      seenAt = now;
      return;
    }
    if (isResting(socket)) {
      if (now - seenAt >= limits.keepAliveMs) socket.destroy();
    } else if (now - seenAt >= limits.idleTimeoutMs) {
      const message = `No byte came from the origin or went to it for ${limits.idleTimeoutMs} ms.`;
      socket.destroy(new SocketTimeoutError('IDLE_TIMEOUT', message));
    }
  }, everyMs);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
