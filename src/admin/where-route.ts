// GET /where: which gateways hold which pieces of one object.
import type { FastifyInstance } from 'fastify';
import type { ObjectRef } from '../../backends/backend.ts';
import type { Located } from '../mesh/piece-locator.ts';

interface WhereAnswer extends Located {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly pieceSize: number;
}

/** A sentence for the operator where there is nothing to tell. */
export type Where = (ref: ObjectRef, signal: AbortSignal) => Promise<WhereAnswer | string>;

export function addWhere(app: FastifyInstance, where: Where): void {
  app.get<{ Querystring: Readonly<Record<string, string | string[]>> }>('/where', async (request, reply) => {
    const { bucket, key } = request.query;
    if (typeof bucket !== 'string' || typeof key !== 'string' || bucket === '' || key === '') {
      return reply.code(400).send({ error: 'bucket and key must name one object.' });
    }
    const left = new AbortController();
    reply.raw.once('close', () => left.abort());
    const answer = await where({ bucket, key }, left.signal);
    return typeof answer === 'string' ? reply.code(409).send({ error: answer }) : answer;
  });
}
