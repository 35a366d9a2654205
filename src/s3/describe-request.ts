// A request of Node's as the dialect sees it.
import type { IncomingMessage } from 'node:http';
import type { Exchange } from './exchange.ts';
import type { S3Request } from './request.ts';
import type { Target } from './target.ts';

export function describeRequest(exchange: Exchange, target: Target): S3Request {
  const { headers, method = '', socket } = exchange.request;
  return {
    id: exchange.id,
    method,
    ...target,
    headers: joined(headers),
    remoteAddress: socket.remoteAddress ?? '',
    secure: 'encrypted' in socket,
    body: exchange.request,
    proceed: exchange.proceed,
  };
}

/** Node keeps only set-cookie as a list, which no S3 request has. */
function joined(headers: IncomingMessage['headers']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
