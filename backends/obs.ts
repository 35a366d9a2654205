// Huawei Cloud's Object Storage Service as an origin, through esdk-obs-nodejs 3.26.2 (later releases declare every body
// to be JSON and fail before their first tick).
import { type Backend, BackendError } from './backend.ts';
import { createIdleAgents, type IdleAgentOptions } from './net/idle-agents.ts';
import type { ExchangeOptions } from './object-protocol/exchange.ts';
import { ProtocolBackend } from './object-protocol/protocol-backend.ts';
import { obsDialect } from './obs/obs-dialect.ts';
import { ObsSigner } from './obs/obs-signer.ts';
import { ObsWire } from './obs/obs-wire.ts';

export interface ObsOptions extends IdleAgentOptions, ExchangeOptions {
  /** 'https://obs.eu-west-101.myhuaweicloud.eu'; without a scheme: https. */
  readonly endpoint: string;
  /** Where new buckets are made. */
  readonly region?: string | undefined;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly securityToken?: string | undefined;
  /** 'v2' for servers that speak Amazon's older signatures only. Default 'obs'. */
  readonly signature?: 'obs' | 'v2' | undefined;
  /** Buckets in the path; with signature 'v2' only. Default false. */
  readonly pathStyle?: boolean | undefined;
}

/** Imports esdk-obs-nodejs, so import this file only when an OBS origin is configured. */
export async function openObsBackend(options: ObsOptions): Promise<Backend> {
  const { signature = 'obs', pathStyle = false, region } = options;
  const server = /^https?:\/\//.test(options.endpoint) ? options.endpoint : `https://${options.endpoint}`;
  const isAddress = /^https?:\/\/\d+\.\d+\.\d+\.\d+(:|\/|$)/.test(server);
  // The SDK would switch to signature 'v2' without a word.
  if (signature === 'obs' && (pathStyle || isAddress)) {
    const message = "OBS names buckets in its host names: path style and IP addresses need signature 'v2'.";
    throw new BackendError('Misconfigured', message);
  }
  const endpoint = { server, signature, pathStyle: pathStyle || isAddress, region };
  return new ProtocolBackend({
    wire: new ObsWire({ signer: openSigner(options, endpoint), agents: createIdleAgents(options) }, options),
    dialect: obsDialect(signature, region),
  });
}

function openSigner(...[credentials, endpoint]: ConstructorParameters<typeof ObsSigner>): ObsSigner {
  try {
    return new ObsSigner(credentials, endpoint);
  } catch (cause) {
    const message = `OBS cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}.`;
    throw new BackendError('Misconfigured', message, { cause });
  }
}
