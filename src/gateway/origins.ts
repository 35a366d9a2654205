// The configured backends, opened, observed and watched.
import type { Logger } from 'pino';
import type { Backend } from '../../backends/backend.ts';
import { openBackend } from '../../backends/open-backend.ts';
import { BackendChecks } from '../admin/backend-checks.ts';
import type { Metrics } from '../admin/metrics.ts';
import type { CloseStack } from '../concurrency/close-stack.ts';
import { secretValues } from '../config/redact.ts';
import type { Config } from '../config.ts';
import { observeBackend } from '../objects/observed-backend.ts';
import { toBackendOptions } from './backend-options.ts';
import { observeOrigins } from './observe.ts';

interface OriginsDeps {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly opened: CloseStack;
}

export interface Origins {
  readonly backends: ReadonlyMap<string, Backend>;
  readonly checks: BackendChecks;
}

/** Rejects, naming the backend, when one cannot be opened. One that does not answer is not a reason to not start. */
export async function openOrigins(config: Config, deps: OriginsDeps): Promise<Origins> {
  const { log, metrics, opened } = deps;
  const backends = new Map<string, Backend>();
  for (const [name, settings] of Object.entries(config.backends)) {
    const opening = openBackend(toBackendOptions(settings), { name, log, secrets: secretValues(settings) });
    const backend = await opening.catch((cause: Error) => {
      throw new Error(`Backend '${name}' cannot be opened: ${cause.message}`, { cause });
    });
    opened.push(`backend ${name}`, () => backend.close());
    backends.set(name, backend);
  }
  // Checks are no work done for clients: they are not counted.
  const checks = new BackendChecks(
    {
      backends,
      log,
      now: () => new Date(),
      onChecked: (backend, ok) => metrics.set('dfstore_backend_up', { backend }, ok ? 1 : 0),
    },
    { intervalMs: config.admin.checkInterval, timeoutMs: config.admin.checkTimeout },
  );
  opened.push('backend checks', () => checks.close());
  const observed = [...backends].map(
    ([name, backend]) => [name, observeBackend(backend, observeOrigins(name, metrics))] as const,
  );
  return { backends: new Map(observed), checks };
}
