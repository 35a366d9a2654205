// Requests to OSS: signed by ali-oss, sent by our own exchange.
import type { IdleAgents } from '../net/idle-agents.ts';
import { type ExchangeOptions, exchange, type Target } from '../object-protocol/exchange.ts';
import type { Wire, WireRequest } from '../object-protocol/wire.ts';
import type { OssSigner, SignedRequest } from './ali-oss-client.ts';

export class OssWire implements Wire {
  readonly #signer: OssSigner;
  readonly #agents: IdleAgents;
  readonly #options: ExchangeOptions;

  constructor(deps: { signer: OssSigner; agents: IdleAgents }, options: ExchangeOptions) {
    this.#signer = deps.signer;
    this.#agents = deps.agents;
    this.#options = options;
  }

  async send({ method, bucket, key, query, headers, body }: WireRequest, signal: AbortSignal) {
    const signed = await this.#signer.sign({
      method,
      ...(bucket === undefined ? {} : { bucket }),
      ...(key === undefined ? {} : { object: key }),
      subres: query ?? {},
      headers: headers ?? {},
    });
    return exchange(targetOf(signed), body, this.#agents, this.#options, signal);
  }

  close(): void {
    this.#agents.close();
  }
}

/** By hand: `new URL` would fold '.' and '..' in keys. */
function targetOf({ url, method, headers }: SignedRequest): Target {
  const match = /^(https?):\/\/([^/:?]+)(?::(\d+))?(\/[^#]*)$/.exec(url);
  if (match === null) throw new Error(`ali-oss made an address that cannot be read: ${url}`);
  const [, scheme, hostname = '', port, path = '/'] = match;
  const secure = scheme === 'https';
  return { secure, hostname, port: Number(port ?? (secure ? 443 : 80)), method, path, headers };
}
