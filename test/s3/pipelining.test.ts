// Requests that a client sends without waiting for answers: answered in order, one at a time, and given up with their
// connection.
import { describe, expect, test } from 'vitest';
import { countBody, expectXmlError, gateOf, type Handle, serve } from '../support/bare-s3-server.ts';
import { RawConnection, sendRaw } from '../support/raw-connection.ts';

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

/** Answers with the path when its gate opens. */
function gated(paths: readonly string[]): { handle: Handle; gates: ReadonlyMap<string, ReturnType<typeof gateOf>> } {
  const gates = new Map(paths.map((path) => [path, gateOf()]));
  return {
    gates,
    handle: async (req, res) => {
      await gates.get(req.url ?? '')?.promise;
      res.end(`answer to ${req.url}`);
    },
  };
}

describe('pipelined requests', () => {
  test('each begins when the one before it was answered, and the answers come in order', async () => {
    const { handle, gates } = gated(['/1', '/2', '/3']);
    const { port, seen } = await serve({}, handle);
    const client = await RawConnection.open(port);
    client.send(get('/1') + get('/2') + get('/3', 'Connection: close\r\n'));
    await expect.poll(() => seen).toEqual(['GET /1']);
    gates.get('/3')?.resolve();
    gates.get('/2')?.resolve();
    // A round trip of another client: whatever would have begun has begun.
    await sendRaw(port, get('/other', 'Connection: close\r\n'));
    expect(seen).toEqual(['GET /1', 'GET /other']);
    gates.get('/1')?.resolve();
    const answers = (await client.rest()).match(/answer to \/\d/g);
    expect(answers).toEqual(['answer to /1', 'answer to /2', 'answer to /3']);
    expect(seen).toEqual(['GET /1', 'GET /other', 'GET /2', 'GET /3']);
  });

  test('bodies between them go each to its own request', async () => {
    const { port } = await serve();
    const put = (body: string, more = '') =>
      `PUT /b/k HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
    const answer = await sendRaw(port, put('abc') + put('defgh') + put('', 'Connection: close\r\n'));
    expect(answer.match(/\d+ bytes/g)).toEqual(['3 bytes', '5 bytes', '0 bytes']);
  });

  test('one that is refused is refused in its turn, and nothing behind it begins', async () => {
    const { handle, gates } = gated(['/1']);
    const { port, seen } = await serve({}, handle);
    const client = await RawConnection.open(port);
    client.send(`${get('/1')}GET /2 HTTP/1.1\r\n\r\n${get('/3')}`);
    await expect.poll(() => seen).toEqual(['GET /1']);
    gates.get('/1')?.resolve();
    const [first = '', second = ''] = (await client.rest()).split(/(?=HTTP\/1\.1 400)/);
    expect(first).toContain('answer to /1');
    expectXmlError(second, 400, 'BadRequest');
    expect(seen).toEqual(['GET /1']);
  });

  test('those that wait when their client leaves never begin', async () => {
    const { handle, gates } = gated(['/1']);
    const { server, port, seen } = await serve({}, handle);
    const client = await RawConnection.open(port);
    client.send(get('/1') + get('/2'));
    await expect.poll(() => seen).toEqual(['GET /1']);
    client.socket.resetAndDestroy();
    await expect.poll(() => server.connections).toBe(0);
    gates.get('/1')?.resolve();
    await sendRaw(port, get('/other', 'Connection: close\r\n'));
    expect(seen).toEqual(['GET /1', 'GET /other']);
  });

  test('more of them than anybody sends costs the connection', async () => {
    const { handle } = gated(['/1']);
    const { port, seen } = await serve({}, handle);
    expect(await sendRaw(port, get('/1') + get('/more').repeat(100))).toBe('');
    expect(seen).toEqual(['GET /1']);
  });

  test('a request whose body breaks off does not disturb the answer before it', async () => {
    const { handle, gates } = gated(['/1']);
    const { port, seen } = await serve({}, (req, res, context) =>
      req.method === 'PUT' ? countBody(req, res, context) : handle(req, res, context),
    );
    const client = await RawConnection.open(port);
    client.send(`${get('/1')}PUT /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`);
    await client.closed;
    gates.get('/1')?.resolve();
    expect(client.received).toBe('');
    expect(seen).toEqual(['GET /1']);
  });
});
