// The connections of one server: how many there are, which are past the limit, and how they end. A client past the limit
// is told so in answer to its request; only when very many come at once are connections dropped without a word.
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

export interface ConnectionOptions {
  readonly maxConnections: number;
  readonly onRefused: () => void;
}

/** Connections that are kept just long enough to be refused in words. */
const REFUSED_IN_WORDS = 64;
/** A client that has just connected has its request on the way; it may not be sent twice by whoever sent it. */
const FIRST_REQUEST_MS = 500;

interface Connection {
  /** Of TCP; under TLS these are not the sockets that requests come from. */
  readonly socket: Socket;
  readonly isPastLimit: boolean;
  /** Requests under way. */
  busy: number;
  /** To the one that began last. */
  answer: ServerResponse | undefined;
  /** Nothing was asked on it yet. */
  isFresh: boolean;
}

export class Connections {
  readonly #server: Server;
  /** By remote address: under TLS the two sockets of a connection have nothing else in common. */
  readonly #open = new Map<string, Connection>();
  /** By the socket that its requests come from, so that its address is looked up once. */
  readonly #asking = new WeakMap<Socket, Connection>();
  #draining = false;

  constructor(server: Server, options: ConnectionOptions) {
    this.#server = server;
    server.maxConnections = options.maxConnections + REFUSED_IN_WORDS;
    server.on('drop', options.onRefused);
    server.on('connection', (socket) => {
      const isPastLimit = this.#open.size >= options.maxConnections;
      if (isPastLimit) options.onRefused();
      const remote = remoteOf(socket);
      const connection: Connection = { socket, isPastLimit, busy: 0, answer: undefined, isFresh: true };
      this.#open.set(remote, connection);
      socket.once('close', () => {
        if (this.#open.get(remote) === connection) this.#open.delete(remote);
      });
    });
  }

  get count(): number {
    return this.#open.size;
  }

  isPastLimit(socket: Socket): boolean {
    return this.#of(socket)?.isPastLimit === true;
  }

  /** Those that are under way. */
  *answers(): Generator<ServerResponse, void, undefined> {
    for (const { answer } of this.#open.values()) if (answer !== undefined) yield answer;
  }

  /** A request began on it. */
  enter(socket: Socket, answer: ServerResponse): void {
    const connection = this.#of(socket);
    if (connection === undefined) return;
    connection.busy += 1;
    connection.answer = answer;
    connection.isFresh = false;
  }

  /** It was answered. */
  leave(socket: Socket): void {
    const connection = this.#of(socket);
    if (connection !== undefined) {
      connection.busy -= 1;
      if (connection.busy === 0) connection.answer = undefined;
    }
    // Whatever is buffered for the client is still sent; the next request would come too late.
    if (this.#draining && (connection?.busy ?? 0) === 0) endSoon(socket);
  }

  /** Stops accepting, ends what is idle or asks nothing in time, and resolves when the last request was answered, or at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    // Those that wait to be accepted already would be reset.
    await turn();
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    this.#endIdle(({ isFresh }) => !isFresh);
    const unasked = setTimeout(() => this.#endIdle(() => true), Math.min(FIRST_REQUEST_MS, deadlineMs));
    const timer = setTimeout(() => {
      for (const { socket } of this.#open.values()) socket.destroy();
    }, deadlineMs);
    await closed;
    clearTimeout(timer);
    clearTimeout(unasked);
  }

  #of(socket: Socket): Connection | undefined {
    const known = this.#asking.get(socket);
    if (known !== undefined) return known;
    const found = this.#open.get(remoteOf(socket));
    if (found !== undefined) this.#asking.set(socket, found);
    return found;
  }

  #endIdle(which: (connection: Connection) => boolean): void {
    for (const connection of this.#open.values()) {
      if (connection.busy === 0 && which(connection)) connection.socket.destroy();
    }
  }
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function endSoon(socket: Duplex): void {
  if (!socket.destroyed) socket.end();
}
