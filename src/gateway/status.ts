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
  /** Undefined: this gateway is the whole of its mesh. */
  readonly mesh: Readonly<Record<string, unknown>> | undefined;
  readonly connections: number;
  readonly requestsInFlight: number;
}

export async function describeStatus(sources: StatusSources): Promise<Record<string, unknown>> {
  const { config, phase, startedAt, now, checks, metrics, cache, mesh, connections, requestsInFlight } = sources;
  const backends = Object.entries(config.backends).map(([name, backend]) => [
    name,
    { ...redactBackend(backend), lastCheck: checks.last(name) ?? null },
  ]);
  const sum = async (
    name: 'dfstore_origin_read_bytes_total' | 'dfstore_peer_read_bytes_total' | 'dfstore_peer_sent_bytes_total',
  ) => {
    const [bytes = 0] = Object.values(await metrics.totals(name, 'all'));
    return bytes;
  };
  return {
    version: VERSION,
    phase,
    startedAt: startedAt.toISOString(),
    uptimeSeconds: Math.floor((now.getTime() - startedAt.getTime()) / 1_000),
    backends: Object.fromEntries(backends),
    buckets: config.buckets,
    cache: cache ?? null,
    mesh: mesh ?? null,
    connections,
    requestsInFlight,
    requests: await metrics.totals('dfstore_s3_requests_total', 'operation'),
    originRequests: await metrics.totals('dfstore_origin_requests_total', 'operation'),
    originReadBytes: await sum('dfstore_origin_read_bytes_total'),
    peerReadBytes: await sum('dfstore_peer_read_bytes_total'),
    peerSentBytes: await sum('dfstore_peer_sent_bytes_total'),
    servedBytes: await metrics.totals('dfstore_served_bytes_total', 'source'),
    limited: await metrics.totals('dfstore_s3_limited_total', 'limit'),
  };
}
