// Builds everything from the configuration and closes it last-first: with gateway/, the only place that sees all rooms.
import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import { Metrics } from './admin/metrics.ts';
import { CloseStack } from './concurrency/close-stack.ts';
import { type Address, formatAddress, reachableUrl } from './config/units.ts';
import type { Config } from './config.ts';
import { type Life, openAdmin } from './gateway/admin.ts';
import { openCredentials } from './gateway/credentials.ts';
import { openObjects } from './gateway/object-cache.ts';
import { openOrigins } from './gateway/origins.ts';
import { openS3Endpoint } from './gateway/s3-endpoint.ts';
import { METRICS } from './metrics.ts';
import type { Credential } from './s3/auth/credentials.ts';

export interface GatewayDeps {
  readonly log: Logger;
  /** Nobody configured a key, so one was made, just now; it is in `file` too. */
  readonly onFirstPair: (pair: Credential, file: string) => void;
}

export interface Gateway {
  /** With the ports that were really taken. */
  readonly s3Url: string;
  readonly adminUrl: string;
  /** Finishes requests in flight, up to the configured time, and closes everything. May be called more than once. */
  close(): Promise<void>;
}

/** Rejects, with everything closed again, when a part of it cannot be opened. */
export async function openGateway(config: Config, deps: GatewayDeps): Promise<Gateway> {
  const opened = new CloseStack();
  try {
    return await open(config, deps, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function open(config: Config, { log, onFirstPair }: GatewayDeps, opened: CloseStack): Promise<Gateway> {
  const metrics = new Metrics(METRICS);
  const life: Life = { phase: 'starting', startedAt: new Date(), endpoint: undefined };
  await mkdir(config.data, { recursive: true });
  const credentials = await openCredentials(config, { log, opened, onFirstPair });
  const origins = await openOrigins(config, { log, metrics, opened });
  const found = await openObjects(config, { backends: origins.backends, log, metrics, opened });
  const admin = await listening(
    openAdmin(config, { metrics, origins, opened: found, life, log }),
    'admin.listen',
    config.admin.listen,
  );
  opened.push('admin port', () => admin.close());
  const { objects, settings } = found;
  const opening = openS3Endpoint(config, { objects, settings, credentials, log, metrics });
  const endpoint = await listening(opening, 'listen', config.listen);
  opened.push('S3 endpoint', () => endpoint.close());
  life.endpoint = endpoint;
  life.phase = 'serving';
  const scheme = config.tls.cert === undefined ? 'http' : 'https';
  return {
    s3Url: reachableUrl(scheme, { ...config.listen, port: endpoint.server.port }),
    adminUrl: reachableUrl('http', { ...config.admin.listen, port: admin.port }),
    close: () => {
      life.phase = 'stopping';
      return opened.close();
    },
  };
}

/** What the system calls EADDRINUSE, in words that name the setting. */
function listening<T>(opening: Promise<T>, setting: string, address: Address): Promise<T> {
  return opening.catch((cause: NodeJS.ErrnoException) => {
    if (cause.syscall !== 'listen' && cause.syscall !== 'getaddrinfo') throw cause;
    throw new Error(`Cannot listen on ${formatAddress(address)} (setting ${setting}): ${cause.message}`, { cause });
  });
}
