// The connections of the S3 endpoint: how many there may be, and what becomes of them when it stops.
import { describe, expect, test } from 'vitest';
import { expectXmlError, gateOf, serve } from '../support/bare-s3-server.ts';
import { RawConnection, sendRaw } from '../support/raw-connection.ts';

describe('the limit of connections', () => {
  test('one more is told to slow down, and there is room again when one leaves', async () => {
    const { port, limits, seen } = await serve({ maxConnections: 2 });
    const first = await RawConnection.open(port);
    const second = await RawConnection.open(port);
    const refused = await sendRaw(port, 'GET /refused HTTP/1.1\r\nHost: a\r\n\r\n');
    expectXmlError(refused, 503, 'SlowDown');
    expect(refused).toMatch(/\r\nretry-after: 1\r\n/i);
    expect(limits).toEqual(['connections']);

    first.send('GET /first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await first.rest()).toMatch(/^HTTP\/1.1 200 /);
    expect(await sendRaw(port, 'GET /third HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 200 /,
    );
    expect(seen).toEqual(['GET /first', 'GET /third']);
    second.socket.destroy();
  });

  test('one that is refused while it sends a body still reads why', async () => {
    const { port, seen } = await serve({ maxConnections: 1 });
    const first = await RawConnection.open(port);
    const body = 'x'.repeat(500_000);
    const answer = await sendRaw(port, `PUT /b/k HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expectXmlError(answer, 503, 'SlowDown');
    expect(seen).toEqual([]);
    first.socket.destroy();
  });

  test('a flood holds a bounded number of them, and those within the limit are served through it', async () => {
    const { server, port } = await serve({ maxConnections: 2 });
    const first = await RawConnection.open(port);
    const flood = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(port)));
    await expect.poll(() => flood.filter(({ socket }) => socket.destroyed).length).toBeGreaterThan(100);
    expect(server.connections).toBeLessThanOrEqual(2 + 64);
    first.send('GET /first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await first.rest()).toMatch(/^HTTP\/1.1 200 /);
    for (const { socket } of flood) socket.destroy();
  });
});

describe('stopping', () => {
  test('requests in flight get their answers, idle connections end, new ones are refused', async () => {
    const gate = gateOf();
    const { server, port, seen } = await serve({}, async (_req, res) => {
      await gate.promise;
      res.end('all of it');
    });
    const idle = await RawConnection.open(port);
    const busy = await RawConnection.open(port);
    busy.send('GET /b/k HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => [server.connections, ...seen]).toEqual([2, 'GET /b/k']);
    const closing = server.close(60_000);
    await idle.closed;
    await expect(RawConnection.open(port)).rejects.toThrow('ECONNREFUSED');
    gate.resolve();
    const answer = await busy.rest();
    expect(answer).toContain('all of it');
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    await closing;
  });

  test('whoever has just connected may still ask, and is answered', async () => {
    const { server, port, seen } = await serve({}, async (_req, res) => void res.end('all of it'));
    const asked = await RawConnection.open(port);
    asked.send('GET /b/first HTTP/1.1\r\nHost: a\r\n\r\n');
    await asked.until('all of it');
    const fresh = await RawConnection.open(port);
    const silent = await RawConnection.open(port);
    await expect.poll(() => server.connections).toBe(3);
    const closing = server.close(60_000);
    await asked.closed;
    fresh.send('GET /b/k HTTP/1.1\r\nHost: a\r\n\r\n');
    const answer = await fresh.rest();
    expect(answer).toContain('all of it');
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(seen).toEqual(['GET /b/first', 'GET /b/k']);
    await silent.closed;
    await closing;
  });

  test('an answer that had begun is finished before its connection ends', async () => {
    const gate = gateOf();
    const { server, port } = await serve({}, async (_req, res) => {
      res.writeHead(200, { 'content-length': 10 });
      res.write('begun');
      await gate.promise;
      res.end('ended');
    });
    const client = await RawConnection.open(port);
    client.send('GET /b/k HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until('begun');
    const closing = server.close(60_000);
    gate.resolve();
    expect(await client.rest()).toContain('begunended');
    await closing;
  });

  test('what a client began before it left is finished before the server is closed', async () => {
    const gate = gateOf();
    let finished = false;
    const { server, port, seen } = await serve({}, async () => {
      await gate.promise;
      finished = true;
    });
    const client = await RawConnection.open(port);
    client.send('DELETE /b/k HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => seen).toHaveLength(1);
    client.socket.destroy();
    const closing = server.close(60_000).then(() => finished);
    gate.resolve();
    expect(await closing).toBe(true);
  });

  test('a client that takes too long is cut at the deadline', async () => {
    const { server, port, seen } = await serve({}, () => new Promise(() => undefined));
    const client = await RawConnection.open(port);
    client.send('GET /b/k HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => seen).toHaveLength(1);
    await server.close(50);
    expect(await client.rest()).toBe('');
  });
});
