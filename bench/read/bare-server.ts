// The least that node:http can do for the same requests: bytes from memory, nobody asked who wants them, nothing logged.
// What a gateway costs beyond this is its own.
import { randomFillSync } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BIG, SMALL } from './nginx-process.ts';

/** As much as one client gets before the others have their turn. */
const SLICE_BYTES = 1024 ** 2;

const objects = new Map(
  [BIG, SMALL].map(({ name, bytes }) => [`/${name}`, randomFillSync(Buffer.allocUnsafeSlow(bytes))]),
);

const server = createServer({ noDelay: true }, ({ url = '', headers }, response) => {
  const object = objects.get(url);
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  const bytes = first === undefined ? object : object?.subarray(Number(first), Number(last) + 1);
  if (bytes === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(first === undefined ? 200 : 206, { 'Content-Length': bytes.length });
  send(response, bytes, 0);
});

function send(response: ServerResponse, bytes: Buffer, from: number): void {
  const end = from + SLICE_BYTES;
  if (end >= bytes.length) response.end(from === 0 ? bytes : bytes.subarray(from));
  else response.write(bytes.subarray(from, end), () => setImmediate(send, response, bytes, end));
}

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
