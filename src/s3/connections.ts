// The connections of one server: how many there are, which are past the limit, and how they end. A client past the limit
// is told so in answer to its request; only when very many come at once are connections dropped without a word.
import type { Server } from 'node:http';
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

export class Connections {
  readonly #server: Server;
  /** TCP connections; under TLS these are not the sockets that requests come from. */
  readonly #open = new Set<Socket>();
  /** By remote address: under TLS the two sockets of a connection have nothing else in common. */
  readonly #pastLimit = new Set<string>();
  readonly #busy = new Map<string, number>();
  /** Nothing was asked on these yet. */
  readonly #fresh = new Set<string>();
  #draining = false;

  constructor(server: Server, options: ConnectionOptions) {
    this.#server = server;
    server.maxConnections = options.maxConnections + REFUSED_IN_WORDS;
    server.on('drop', options.onRefused);
    server.on('connection', (socket) => {
      const remote = remoteOf(socket);
      this.#open.add(socket);
      this.#fresh.add(remote);
      if (this.#open.size > options.maxConnections) {
        this.#pastLimit.add(remote);
        options.onRefused();
      }
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#pastLimit.delete(remote);
        this.#fresh.delete(remote);
      });
    });
  }

  get count(): number {
    return this.#open.size;
  }

  isPastLimit(socket: Socket): boolean {
    return this.#pastLimit.has(remoteOf(socket));
  }

  /** A request began on it; the result ends it. */
  enter(socket: Socket): () => void {
    const remote = remoteOf(socket);
    this.#busy.set(remote, (this.#busy.get(remote) ?? 0) + 1);
    this.#fresh.delete(remote);
    return () => {
      const left = (this.#busy.get(remote) ?? 1) - 1;
      if (left > 0) this.#busy.set(remote, left);
      else this.#busy.delete(remote);
      // Whatever is buffered for the client is still sent; the next request would come too late.
      if (left === 0 && this.#draining) endSoon(socket);
    };
  }

  /** Stops accepting, ends what is idle or asks nothing in time, and resolves when the last request was answered, or at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    // Those that wait to be accepted already would be reset.
    await turn();
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    this.#endIdle((remote) => !this.#fresh.has(remote));
    const unasked = setTimeout(() => this.#endIdle(() => true), Math.min(FIRST_REQUEST_MS, deadlineMs));
    const timer = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, deadlineMs);
    await closed;
    clearTimeout(timer);
    clearTimeout(unasked);
  }

  #endIdle(which: (remote: string) => boolean): void {
    for (const socket of this.#open) {
      const remote = remoteOf(socket);
      if (!this.#busy.has(remote) && which(remote)) socket.destroy();
    }
  }
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function endSoon(socket: Duplex): void {
  if (!socket.destroyed) socket.end();
}
