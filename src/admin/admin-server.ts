// The admin port: whether the gateway lives and is ready, what it is and does, and its metrics. Reads only, JSON (but
// for the metrics), and says nothing of secrets.
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import type { Logger } from 'pino';
import { refusalOf } from './admin-access.ts';
import type { Metrics } from './metrics.ts';

interface AdminServerDeps {
  /** Undefined: ready. Otherwise why not. */
  readonly notReady: () => string | undefined;
  readonly status: () => Promise<Record<string, unknown>>;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  readonly log: Pick<Logger, 'error'>;
}

interface AdminServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly token?: string | undefined;
}

/** What orchestrators ask, without a token and from anywhere. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

export class AdminServer {
  readonly #app: FastifyInstance;

  private constructor(app: FastifyInstance) {
    this.#app = app;
  }

  /** Resolves when it listens. */
  static async open(deps: AdminServerDeps, options: AdminServerOptions): Promise<AdminServer> {
    const app = fastify({
      logger: false,
      forceCloseConnections: true,
      bodyLimit: 64 * 1024,
      return503OnClosing: false,
    });
    app.server.maxConnections = 256;
    app.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
      if (OPEN_PATHS.has(request.url.split('?')[0] ?? '')) return;
      const refusal = refusalOf(request.raw, options.token);
      if (refusal === undefined) return;
      if (refusal.status === 401) reply.header('www-authenticate', 'Bearer');
      await reply.code(refusal.status).send({ error: refusal.message });
    });
    addRoutes(app, deps);
    await app.listen({ host: options.host, port: options.port });
    app.server.on('error', (error) => deps.log.error({ err: error }, 'A connection could not be accepted.'));
    return new AdminServer(app);
  }

  get port(): number {
    return (this.#app.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await this.#app.close();
  }
}

function addRoutes(app: FastifyInstance, { notReady, status, metrics }: AdminServerDeps): void {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reason = notReady();
    if (reason === undefined) return { status: 'ready' };
    return reply.code(503).send({ status: 'not ready', reason });
  });
  app.get('/status', () => status());
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `There is no ${request.method} ${request.url.split('?')[0]} on the admin port.` }),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500;
    return reply.code(status).send({ error: error.message });
  });
}
