// Errors of requests that never became one: what the HTTP parser refuses is answered with S3's XML, written to the
// socket by hand, and the connection is closed, since nobody knows where the next request would begin.
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { renderError } from './answer.ts';
import { discardRest } from './discard-rest.ts';
import { S3Error } from './errors.ts';

const PARSER_ERRORS: Readonly<Record<string, () => S3Error>> = {
  HPE_HEADER_OVERFLOW: () => new S3Error('RequestHeaderSectionTooLarge'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: () => new S3Error('BadRequest', 'The chunk extensions of the body are too large.'),
  ERR_HTTP_REQUEST_TIMEOUT: () => new S3Error('RequestTimeout'),
};

/** Undefined: not the parser's, and nobody is there to be answered. */
export function fromParserError({ code = '' }: { readonly code?: string | undefined }): S3Error | undefined {
  const known = PARSER_ERRORS[code];
  if (known !== undefined) return known();
  return code.startsWith('HPE_') ? new S3Error('BadRequest') : undefined;
}

/** Answers on a socket that has no response object, and closes it. `isHead`: the answer has no body. */
export function refuseOnSocket(socket: Duplex, error: S3Error, isHead = false): void {
  // After CONNECT node listens no more; a client that resets the connection must not end the process.
  socket.on('error', () => socket.destroy());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = render(error, '/');
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${isHead ? '' : body}`, () =>
    socket.destroy(),
  );
}

/** A client that is still sending gets to read its answer before the connection closes. */
const LINGER = { lingerBytes: 1024 ** 2, lingerMs: 1_000 };

/** Answers a request that does not reach the dialect, and closes its connection. Never rejects. */
export async function refuseRequest(request: IncomingMessage, response: ServerResponse, error: S3Error): Promise<void> {
  const { status, headers, body } = render(error, request.url ?? '/');
  response.writeHead(status, headers);
  if (request.method === 'HEAD') response.flushHeaders();
  else response.write(body);
  // Clients that wait to be told to go on, or that were waited for in vain, send nothing.
  const maySend = request.headers.expect === undefined && error.code !== 'RequestTimeout';
  if (maySend) await discardRest(request, LINGER, NEVER);
  response.end();
}

const NEVER = new AbortController().signal;

function render(error: S3Error, resource: string): { status: number; headers: Record<string, string>; body: string } {
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  const rendered = renderError(error, { requestId, resource: resource.split('?')[0] ?? '/' });
  return { ...rendered, headers: { ...rendered.headers, Date: new Date().toUTCString(), Connection: 'close' } };
}
