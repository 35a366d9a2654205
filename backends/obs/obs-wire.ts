// Requests to OBS: signed by esdk-obs-nodejs, sent by our own exchange.
import type { IdleAgents } from '../net/idle-agents.ts';
import { type ExchangeOptions, exchange } from '../object-protocol/exchange.ts';
import type { Wire, WireRequest } from '../object-protocol/wire.ts';
import type { ObsSigner } from './obs-signer.ts';

export class ObsWire implements Wire {
  readonly #signer: ObsSigner;
  readonly #agents: IdleAgents;
  readonly #options: ExchangeOptions;

  constructor(deps: { signer: ObsSigner; agents: IdleAgents }, options: ExchangeOptions) {
    this.#signer = deps.signer;
    this.#agents = deps.agents;
    this.#options = options;
  }

  async send({ method, bucket, key, query, headers, body }: WireRequest, signal: AbortSignal) {
    const signed = this.#signer.sign({ method, bucket, key, query: query ?? {}, headers: withLength(headers, body) });
    const { host, ...rest } = signed;
    const target = { ...rest, hostname: host, secure: this.#signer.secure };
    return exchange(target, body, this.#agents, this.#options, signal);
  }

  close(): void {
    this.#signer.close();
    this.#agents.close();
  }
}

/** Some servers refuse a PUT without a body that does not say so. */
function withLength(headers: WireRequest['headers'] = {}, body: WireRequest['body']): Record<string, string> {
  return body === undefined ? { ...headers } : { ...headers, 'Content-Length': String(body.sizeBytes) };
}
