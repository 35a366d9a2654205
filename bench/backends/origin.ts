// The far end of the backend bench, a process of its own so that its CPU is not counted: swallows any PUT that is long
// enough and answers any GET with the object. It speaks just enough of S3, OSS and OBS for one object, and checks no
// signature. Like OSS it tells the CRC-64 of what it has, so that the oss backend verifies as it does in service.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { chunkAt, crc64Of } from './bench-object.ts';

const ETAG = '"0123456789abcdef0123456789abcdef"';

/** Prints its port, then serves until its standard input ends. */
async function serveOrigin(sizeBytes: number): Promise<void> {
  const crc64 = await crc64Of(sizeBytes);
  const server = createServer((request, response) => {
    response.setHeader('ETag', ETAG);
    response.setHeader('x-oss-hash-crc64ecma', crc64);
    if (request.method === 'PUT') swallow(request, response, sizeBytes);
    else send(request, response, sizeBytes);
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
  });
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

/** Chunked signatures make a body longer, never shorter. */
function swallow(request: IncomingMessage, response: ServerResponse, sizeBytes: number): void {
  let receivedBytes = 0;
  request.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length;
  });
  request.on('end', () => {
    response.writeHead(receivedBytes < sizeBytes ? 400 : 200, { 'Content-Length': 0 }).end();
  });
}

function send(request: IncomingMessage, response: ServerResponse, sizeBytes: number): void {
  response.writeHead(200, {
    'Content-Length': sizeBytes,
    'Content-Type': 'application/octet-stream',
    'Last-Modified': new Date(0).toUTCString(),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  let at = 0;
  const more = () => {
    for (let chunk = chunkAt(at, sizeBytes); chunk.length > 0; chunk = chunkAt(at, sizeBytes)) {
      at += chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

await serveOrigin(Number(process.argv[2]));
