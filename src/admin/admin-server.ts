// The admin port: whether the gateway lives and is ready, what it is and does, its metrics, and the verification of its
// cache. Changes nothing, speaks JSON (but for the metrics), and says nothing of secrets.
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import type { Logger } from 'pino';
import { refusalOf } from './admin-access.ts';
import { CacheVerification, type VerifyCache } from './cache-verification.ts';
import type { Metrics } from './metrics.ts';

interface AdminServerDeps {
  /** Undefined: ready. Otherwise why not. */
  readonly notReady: () => string | undefined;
  readonly status: () => Promise<Record<string, unknown>>;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  /** Undefined: nothing is cached. */
  readonly verifyCache?: VerifyCache | undefined;
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
  readonly #verification: CacheVerification | undefined;

  private constructor(app: FastifyInstance, verification: CacheVerification | undefined) {
    this.#app = app;
    this.#verification = verification;
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
    const verification = deps.verifyCache && verificationOf(deps.verifyCache);
    addRoutes(app, deps);
    addVerification(app, verification);
    await app.listen({ host: options.host, port: options.port });
    app.server.on('error', (error) => deps.log.error({ err: error }, 'A connection could not be accepted.'));
    return new AdminServer(app, verification);
  }

  get port(): number {
    return (this.#app.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await this.#verification?.close();
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

const PROGRESS_MS = 500;

function verificationOf(verify: VerifyCache): CacheVerification {
  return new CacheVerification({ verify, now: () => performance.now() }, { progressMs: PROGRESS_MS });
}

function addVerification(app: FastifyInstance, verification: CacheVerification | undefined): void {
  app.post<{ Querystring: { bytesPerSecond?: string | string[] } }>('/cache/verify', async (request, reply) => {
    if (verification === undefined) {
      return reply.code(409).send({ error: 'This gateway caches nothing: cache.enabled is false.' });
    }
    const bytesPerSecond = wholeNumber(request.query.bytesPerSecond);
    if (bytesPerSecond === 0) {
      return reply.code(400).send({ error: 'bytesPerSecond must be a whole number from 1 up.' });
    }
    const left = new AbortController();
    reply.raw.once('close', () => left.abort());
    const lines = verification.start({ bytesPerSecond }, left.signal);
    if (lines === undefined) return reply.code(409).send({ error: 'The cache is being verified already.' });
    return reply.type('application/x-ndjson').send(lines);
  });
}

/** Undefined where nothing was said, 0 for what is no whole number. */
function wholeNumber(text: string | string[] | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : 0;
  return Number.isSafeInteger(value) ? value : 0;
}
