// Alibaba Cloud's Object Storage Service as an origin, through ali-oss (signatures V4; V1 is closed to new accounts).
import { type Backend, BackendError } from './backend.ts';
import { createIdleAgents, type IdleAgentOptions } from './net/idle-agents.ts';
import type { ExchangeOptions } from './object-protocol/exchange.ts';
import { ProtocolBackend } from './object-protocol/protocol-backend.ts';
import { OssSigner } from './oss/ali-oss-client.ts';
import { OSS_DIALECT } from './oss/oss-dialect.ts';
import { OssWire } from './oss/oss-wire.ts';

export interface OssOptions extends IdleAgentOptions, ExchangeOptions {
  /** 'oss-cn-hangzhou'. */
  readonly region: string;
  /** A host, or an address with http:// or https://; absent: the region's own. Never an IP address. */
  readonly endpoint?: string | undefined;
  /** Use the region's endpoint within Alibaba's network. Default false. */
  readonly internal?: boolean | undefined;
  /** https where the endpoint names no scheme. Default true. */
  readonly secure?: boolean | undefined;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Of temporary credentials. */
  readonly stsToken?: string | undefined;
}

/** Imports ali-oss, so import this file only when an OSS origin is configured. */
export async function openOssBackend(options: OssOptions): Promise<Backend> {
  const { region, endpoint, internal = false, secure = true } = options;
  if (endpoint !== undefined && /^(https?:\/\/)?(\d+\.\d+\.\d+\.\d+|\[)/.test(endpoint)) {
    throw new BackendError(
      'Misconfigured',
      'OSS names buckets in its host names: the endpoint cannot be an IP address.',
    );
  }
  const signer = openSigner(options, { region, endpoint, internal, secure });
  return new ProtocolBackend({
    wire: new OssWire({ signer, agents: createIdleAgents(options) }, options),
    dialect: OSS_DIALECT,
  });
}

function openSigner(...[credentials, endpoint]: ConstructorParameters<typeof OssSigner>): OssSigner {
  try {
    return new OssSigner(credentials, endpoint);
  } catch (cause) {
    const message = `OSS cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}.`;
    throw new BackendError('Misconfigured', message, { cause });
  }
}
