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
    rawPath: target.rawPath,
    query: target.query,
    bucket: target.bucket,
    key: target.key,
    headers: joined(headers),
    remoteAddress: socket.remoteAddress ?? '',
    secure: 'encrypted' in socket,
    body: exchange.request,
    proceed: exchange.proceed,
  };
}

/** Node keeps only set-cookie as a list. */
function joined(headers: IncomingMessage['headers']): S3Request['headers'] {
  const { 'set-cookie': cookies } = headers;
  if (cookies === undefined) return headers as S3Request['headers'];
  return { ...(headers as S3Request['headers']), 'set-cookie': cookies.join(', ') };
}
