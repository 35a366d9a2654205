// Kept connections to other gateways, clear or with certificates.
import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import type { MemberAddress } from '../member-address.ts';
import { certificateProblem, type MeshTls } from './certificates.ts';

/** Less than servers of ours keep a connection. */
const KEEP_MS = 50_000;

export interface Outgoing {
  readonly address: MemberAddress;
  readonly path: string;
  /** Names and values in turn; none is added. */
  readonly headers: readonly string[];
}

export class MemberSockets {
  readonly #agent: Agent;
  readonly #secure: boolean;

  constructor(options: { readonly tls?: MeshTls | undefined; readonly maxIdlePerMember: number }) {
    const kept = {
      keepAlive: true,
      scheduling: 'lifo' as const,
      maxFreeSockets: options.maxIdlePerMember,
      timeout: KEEP_MS,
    };
    this.#secure = options.tls !== undefined;
    this.#agent =
      options.tls === undefined
        ? new Agent(kept)
        : new TlsAgent({
            ...kept,
            ...options.tls,
            rejectUnauthorized: true,
            minVersion: 'TLSv1.3',
            checkServerIdentity: certificateProblem,
          });
  }

  get secure(): boolean {
    return this.#secure;
  }

  request({ address: { host, port }, path, headers }: Outgoing): ClientRequest {
    const options = { agent: this.#agent, host, port, path, method: 'POST', headers };
    return this.#secure ? httpsRequest(options) : httpRequest(options);
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
