// The far end of the backend bench, a process of its own so that its CPU is not counted: swallows any PUT and answers
// any GET with as many bytes as its query or range asks for. It speaks just enough of S3, OSS and OBS for one object.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const CHUNK = Buffer.alloc(256 * 1024, 'dfstore');
const ETAG = '"0123456789abcdef0123456789abcdef"';

/** Prints its port, then serves until its standard input ends. */
export function serveOrigin(sizeBytes: number): void {
  const server = createServer((request, response) => {
    if (request.method === 'PUT') swallow(request, response);
    else send(request, response, sizeBytes);
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
  });
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

function swallow(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  request.on('end', () => response.writeHead(200, { ETag: ETAG, 'Content-Length': 0 }).end());
}

function send(request: IncomingMessage, response: ServerResponse, sizeBytes: number): void {
  response.writeHead(200, {
    ETag: ETAG,
    'Content-Length': sizeBytes,
    'Content-Type': 'application/octet-stream',
    'Last-Modified': new Date(0).toUTCString(),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  let left = sizeBytes;
  const more = () => {
    while (left > 0) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
      left -= chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

serveOrigin(Number(process.argv[2]));
