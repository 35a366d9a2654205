// POST /preheat: what it is asked, and its answer of a JSON document a line. With wait=false it goes on after its first
// line was answered, and GET /status has its latest one.
import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { ExclusiveLines } from './exclusive-lines.ts';
import type { PreheatLine, PreheatRequest } from './preheater.ts';

export type Preheat = (request: PreheatRequest, signal: AbortSignal) => AsyncIterable<PreheatLine>;

interface PreheatRouteDeps {
  /** Undefined: nothing is cached. */
  readonly preheat: Preheat | undefined;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

type Query = Readonly<Record<string, string | string[]>>;

export class PreheatRoute {
  readonly #deps: PreheatRouteDeps;
  readonly #lines = new ExclusiveLines();
  #latest: PreheatLine | undefined;

  constructor(deps: PreheatRouteDeps) {
    this.#deps = deps;
  }

  /** Of the last preheat that this gateway was asked for; undefined: there was none. */
  get latest(): PreheatLine | undefined {
    return this.#latest;
  }

  add(app: FastifyInstance): void {
    app.post<{ Querystring: Query }>('/preheat', async (request, reply) => {
      const { preheat } = this.#deps;
      if (preheat === undefined) {
        return reply.code(409).send({ error: 'This gateway caches nothing: cache.enabled is false.' });
      }
      const asked = readQuery(request.query);
      if (typeof asked === 'string') return reply.code(400).send({ error: asked });
      const left = new AbortController();
      if (asked.wait) reply.raw.once('close', () => left.abort());
      const lines = this.#lines.start((signal) => this.#noted(preheat(asked.request, signal), signal), left.signal);
      if (lines === undefined) return reply.code(409).send({ error: 'This gateway is preheating already.' });
      reply.type('application/x-ndjson');
      if (asked.wait) return reply.send(lines);
      const [first] = await once(lines, 'data');
      lines.resume();
      return reply.send(first);
    });
  }

  close(): Promise<void> {
    return this.#lines.close();
  }

  async *#noted(lines: AsyncIterable<PreheatLine>, signal: AbortSignal): AsyncGenerator<PreheatLine, void, undefined> {
    const { log } = this.#deps;
    try {
      for await (const line of lines) {
        if (line.type !== 'unread' && line.type !== 'lost') this.#latest = line;
        if (line.type === 'summary') log.info(line, 'A preheat has ended.');
        yield line;
      }
    } catch (error) {
      const why = signal.aborted ? 'It was stopped.' : error instanceof Error ? error.message : String(error);
      this.#latest = { type: 'failed', error: why };
      log.warn({ err: error }, 'A preheat did not come to its end.');
      yield this.#latest;
    }
  }
}

/** A sentence where something is wrong. */
function readQuery(query: Query): { readonly request: PreheatRequest; readonly wait: boolean } | string {
  const { bucket, prefix = '', to, zone, all, wait } = query;
  if (typeof bucket !== 'string' || bucket === '') return 'bucket must name the bucket.';
  if (typeof prefix !== 'string') return 'prefix must be given once.';
  if (zone !== undefined && (typeof zone !== 'string' || zone === '')) return 'zone must name one zone.';
  const count = to === undefined ? undefined : Number(to);
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0)) return 'to must be a whole number from 1 up.';
  for (const [name, flag] of Object.entries({ all, wait })) {
    if (flag !== undefined && flag !== 'true' && flag !== 'false') return `${name} must be true or false.`;
  }
  if (all === 'true' && (count !== undefined || zone !== undefined)) return 'all excludes to and zone.';
  return { request: { bucket, prefix, to: count, zone, all: all === 'true' }, wait: wait !== 'false' };
}
