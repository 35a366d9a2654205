// A backend's settings as the operator writes them, in the words of the backends themselves.
import type { BackendOptions } from '../../backends/open-backend.ts';
import type { BackendConfig } from '../config.ts';

type OnNetwork = Exclude<BackendConfig, { type: 'fs' }>;

export function toBackendOptions(config: BackendConfig): BackendOptions {
  if (config.type === 'fs') return { type: 'fs', root: config.root, fsync: config.fsync, reserveBytes: config.reserve };
  if (config.type === 'webhdfs') {
    return { ...config, ...limitsOf(config), namenodeTimeoutMs: config.namenodeTimeout };
  }
  return { ...config, ...limitsOf(config) };
}

function limitsOf(config: OnNetwork) {
  return {
    connectTimeoutMs: config.connectTimeout,
    idleTimeoutMs: config.idleTimeout,
    maxInFlight: config.maxRequests,
    maxQueued: config.maxQueued,
    // The guard counts requests; sockets must not be a second, lower limit.
    maxSockets: config.maxRequests,
    bytesPerSecond: config.bytesPerSecond,
    retries: config.retries,
    retryDelayMs: config.retryDelay,
    failuresToOpen: config.failuresToOpen,
    openMs: config.openTime,
    maxOpenMs: config.openTimeMax,
    caFile: config.ca,
    ca: undefined,
  };
}
