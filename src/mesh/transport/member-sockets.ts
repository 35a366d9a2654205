// Kept connections to other gateways, clear or with certificates.
import { Agent, type ClientRequest, type ClientRequestArgs, request as httpRequest } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { MemberAddress } from '../member-address.ts';
import { certificateProblem, type MeshTls } from './certificates.ts';
import { SocketTap } from './socket-tap.ts';

/** Less than servers of ours keep a connection. */
const KEEP_MS = 50_000;

export interface Outgoing {
  readonly address: MemberAddress;
  readonly path: string;
  /** Names and values in turn; none is added. */
  readonly headers: readonly string[];
}

export interface MemberSocketsOptions {
  readonly tls?: MeshTls | undefined;
  readonly maxIdlePerMember: number;
}

export class MemberSockets {
  readonly #maxIdle: number;
  readonly secure: boolean;
  #agent: Agent;

  constructor(options: MemberSocketsOptions) {
    this.#maxIdle = options.maxIdlePerMember;
    this.secure = options.tls !== undefined;
    this.#agent = makeAgent(options.tls, options.maxIdlePerMember);
  }

  /** New connections are made with these; those in use end with what they are used for. */
  renew(tls: MeshTls): void {
    const old = this.#agent;
    this.#agent = makeAgent(tls, this.#maxIdle);
    old.maxFreeSockets = 0;
    for (const sockets of Object.values(old.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  request({ address: { host, port }, path, headers }: Outgoing): ClientRequest {
    const options = { agent: this.#agent, host, port, path, method: 'POST', headers };
    return this.secure ? httpsRequest(options) : httpRequest(options);
  }

  /** Of a socket that one of these requests is sent by. */
  tapOf(socket: Duplex): SocketTap {
    const tap = taps.get(socket);
    if (tap === undefined) throw new Error('This is no connection to another gateway.');
    return tap;
  }

  /** Those kept for later: where one turned out to be dead, the others are not better. */
  dropIdle({ host, port }: MemberAddress): void {
    for (const [name, sockets] of Object.entries(this.#agent.freeSockets)) {
      if (name.startsWith(`${host}:${port}:`)) for (const socket of sockets ?? []) socket.destroy();
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

const taps = new WeakMap<Duplex, SocketTap>();

class TappedAgent extends Agent {
  override createConnection(options: ClientRequestArgs): Duplex | null | undefined {
    return tapped((tap) => super.createConnection({ ...options, ...tap }));
  }
}

class TappedTlsAgent extends TlsAgent {
  override createConnection(options: ClientRequestArgs): Duplex | null | undefined {
    return tapped((tap) => super.createConnection({ ...options, ...tap }));
  }
}

function tapped(connect: (tap: Pick<SocketTap, 'onread'>) => Duplex | null | undefined): Duplex | null | undefined {
  const tap = new SocketTap();
  const socket = connect({ onread: tap.onread });
  if (socket) {
    tap.attach(socket);
    taps.set(socket, tap);
  }
  return socket;
}

function makeAgent(tls: MeshTls | undefined, maxFreeSockets: number): Agent {
  const kept = { keepAlive: true, scheduling: 'lifo' as const, maxFreeSockets, timeout: KEEP_MS };
  if (tls === undefined) return new TappedAgent(kept);
  return new TappedTlsAgent({
    ...kept,
    ...tls,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    checkServerIdentity: certificateProblem,
  });
}
