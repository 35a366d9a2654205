// What becomes of an answer's bytes when its client has left before it was given.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Exchange } from '../../src/s3/exchange.ts';

const OPTIONS = { keepAliveRestBytes: 0, lingerBytes: 0, lingerMs: 0 };

test('bytes at hand are given back, whether their client has left or takes them', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const leaves of [true, false]) {
    const client = connect(port, '127.0.0.1', () =>
      client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    );
    client.on('error', () => undefined);
    const [request, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
    if (leaves) {
      client.destroy();
      await once(response, 'close');
    }
    const release = vi.fn();
    const whole = ['ab', 'c'].map((part) => ({ bytes: Buffer.from(part), source: 'memory' as const, release }));
    const chunks = (async function* () {
      yield* whole;
    })();
    const taken = leaves ? undefined : text(client);
    const answer = { status: 200, headers: { 'Content-Length': '3' }, body: { chunks, sizeBytes: 3, whole } };
    await new Exchange(request, response, false, OPTIONS).send(answer);
    await expect.poll(() => release.mock.calls.length).toBe(2);
    if (taken !== undefined) expect((await taken).split('\r\n\r\n')[1]).toBe('abc');
  }
});
