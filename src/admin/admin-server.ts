// The admin port: whether the gateway lives and is ready, what it is and does, its metrics, who holds an object's pieces,
// the verification of its cache and preheats. Speaks JSON (but for the metrics), and says nothing of secrets.
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import type { Logger } from 'pino';
import { refusalOf } from './admin-access.ts';
import { CacheVerification, type VerifyCache } from './cache-verification.ts';
import type { Metrics } from './metrics.ts';
import { type Preheat, PreheatRoute } from './preheat-route.ts';
import { addWhere, type Where } from './where-route.ts';

interface AdminServerDeps {
  /** Undefined: ready. Otherwise why not. */
  readonly notReady: () => string | undefined;
  readonly status: (signal: AbortSignal) => Promise<Record<string, unknown>>;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  /** Undefined: nothing is cached. */
  readonly verifyCache?: VerifyCache | undefined;
  /** Undefined: nothing is cached. */
  readonly preheat?: Preheat | undefined;
  readonly where: Where;
  readonly log: Pick<Logger, 'error' | 'warn' | 'info'>;
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
  /** Answers that go on for long. */
  readonly #long: readonly { close(): Promise<void> }[];

  private constructor(app: FastifyInstance, long: readonly { close(): Promise<void> }[]) {
    this.#app = app;
    this.#long = long;
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
    const preheats = new PreheatRoute({ preheat: deps.preheat, log: deps.log });
    addRoutes(app, deps, preheats);
    addVerification(app, verification);
    addWhere(app, deps.where);
    preheats.add(app);
    await app.listen({ host: options.host, port: options.port });
    app.server.on('error', (error) => deps.log.error({ err: error }, 'A connection could not be accepted.'));
    return new AdminServer(app, verification === undefined ? [preheats] : [verification, preheats]);
  }

  get port(): number {
    return (this.#app.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await Promise.all(this.#long.map((answers) => answers.close()));
    await this.#app.close();
  }
}

function addRoutes(app: FastifyInstance, deps: AdminServerDeps, preheats: Pick<PreheatRoute, 'latest'>): void {
  const { notReady, status, metrics } = deps;
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const reason = notReady();
    if (reason === undefined) return { status: 'ready' };
    return reply.code(503).send({ status: 'not ready', reason });
  });
  app.get('/status', async (_request, reply) => {
    const left = new AbortController();
    reply.raw.once('close', () => left.abort());
    return { ...(await status(left.signal)), preheat: preheats.latest ?? null };
  });
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
