// The admin port over what the gateway is made of.
import type { Logger } from 'pino';
import { AdminServer } from '../admin/admin-server.ts';
import type { Metrics } from '../admin/metrics.ts';
import type { Config } from '../config.ts';
import { describeMesh } from './describe-mesh.ts';
import type { OpenedObjects } from './object-cache.ts';
import type { Origins } from './origins.ts';
import { preheatOver } from './preheat.ts';
import type { S3Endpoint } from './s3-endpoint.ts';
import { describeStatus } from './status.ts';
import { whereOver } from './where.ts';

/** What becomes of the gateway. */
export interface Life {
  phase: 'starting' | 'serving' | 'stopping';
  readonly startedAt: Date;
  endpoint: S3Endpoint | undefined;
}

export interface AdminDeps {
  readonly metrics: Metrics;
  readonly origins: Origins;
  readonly opened: OpenedObjects;
  readonly life: Life;
  readonly log: Logger;
}

export function openAdmin(config: Config, deps: AdminDeps): Promise<AdminServer> {
  const { metrics, opened, log } = deps;
  const { objects, cache } = opened;
  return AdminServer.open(
    {
      notReady: readiness(deps),
      status: (signal) => status(config, deps, signal),
      metrics,
      verifyCache: cache?.verify,
      preheat: cache && preheatOver(config, objects, cache),
      where: whereOver(cache),
      log,
    },
    { ...config.admin.listen, token: config.admin.token },
  );
}

function readiness({ life, origins, opened }: AdminDeps): () => string | undefined {
  const mesh = opened.cache?.mesh;
  let isMeshKnown = mesh === undefined;
  mesh?.members.ready.then(() => {
    isMeshKnown = true;
  });
  return () => {
    if (life.phase !== 'serving') return `The gateway is ${life.phase}.`;
    if (!origins.checks.firstDone) return 'The backends have not answered yet.';
    return isMeshKnown ? undefined : 'The list of gateways has not been read yet.';
  };
}

async function status(
  config: Config,
  { life, metrics, origins, opened }: AdminDeps,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const mesh = opened.cache?.mesh;
  return describeStatus({
    config,
    checks: origins.checks,
    metrics,
    cache: opened.cache?.usage(),
    mesh: mesh && (await describeMesh(mesh, signal)),
    phase: life.phase,
    startedAt: life.startedAt,
    now: new Date(),
    connections: life.endpoint?.server.connections ?? 0,
    requestsInFlight: life.endpoint?.admission.inFlight ?? 0,
  });
}
