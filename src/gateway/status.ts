// What GET /status answers: what this gateway is, how its origins do, and what it has served.
import type { BackendChecks } from '../admin/backend-checks.ts';
import type { Metrics } from '../admin/metrics.ts';
import { redactBackend } from '../config/redact.ts';
import type { Config } from '../config.ts';
import type { Usage } from '../pieces/piece-store.ts';
import { VERSION } from './version.ts';

interface StatusSources {
  readonly config: Config;
  readonly phase: string;
  readonly startedAt: Date;
  readonly now: Date;
  readonly checks: Pick<BackendChecks, 'last'>;
  readonly metrics: Pick<Metrics, 'totals'>;
  /** Undefined: nothing is cached. */
  readonly cache: Usage | undefined;
  readonly connections: number;
  readonly requestsInFlight: number;
}

export async function describeStatus(sources: StatusSources): Promise<Record<string, unknown>> {
  const { config, phase, startedAt, now, checks, metrics, cache, connections, requestsInFlight } = sources;
  const backends = Object.entries(config.backends).map(([name, backend]) => [
    name,
    { ...redactBackend(backend), lastCheck: checks.last(name) ?? null },
  ]);
  const [originReadBytes = 0] = Object.values(await metrics.totals('dfstore_origin_read_bytes_total', 'source'));
  return {
    version: VERSION,
    phase,
    startedAt: startedAt.toISOString(),
    uptimeSeconds: Math.floor((now.getTime() - startedAt.getTime()) / 1_000),
    backends: Object.fromEntries(backends),
    buckets: config.buckets,
    cache: cache ?? null,
    connections,
    requestsInFlight,
    requests: await metrics.totals('dfstore_s3_requests_total', 'operation'),
    originRequests: await metrics.totals('dfstore_origin_requests_total', 'operation'),
    originReadBytes,
    servedBytes: await metrics.totals('dfstore_served_bytes_total', 'source'),
    limited: await metrics.totals('dfstore_s3_limited_total', 'limit'),
  };
}
