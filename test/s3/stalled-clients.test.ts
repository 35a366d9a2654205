// Clients that stop in the middle: they are told and let go, and nobody else is blamed.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';
import { countBody, expectXmlError, gateOf, type Handle, serve } from '../support/bare-s3-server.ts';
import { RawConnection, sendRaw } from '../support/raw-connection.ts';

/** The very timer that lets stalled clients go, seen firing in vain. */
async function timersFired(response: ServerResponse, times: number): Promise<void> {
  for (let fired = 0; fired < times; fired += 1) await once(response, 'timeout');
}

describe('clients that stall', () => {
  test('over https they are told and cut just so', async () => {
    const certificate = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
    const tls = { cert: Buffer.from(certificate.cert), key: Buffer.from(certificate.private) };
    const left = gateOf();
    const answerBig: Handle = async (req, res, context) => {
      if (req.method === 'PUT') return countBody(req, res, context);
      res.once('close', left.resolve);
      res.write(Buffer.alloc(64 * 1024 * 1024));
    };
    const { port, limits } = await serve({ bodyTimeoutMs: 300, answerTimeoutMs: 300 }, answerBig, tls);
    const sender = await RawConnection.open(port, { ca: certificate.cert });
    sender.send('PUT /b/k HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf');
    expectXmlError(await sender.rest(), 400, 'RequestTimeout');
    const taker = await RawConnection.open(port, { ca: certificate.cert });
    taker.socket.pause();
    taker.send('GET /b/k HTTP/1.1\r\nHost: a\r\n\r\n');
    await left.promise;
    expect(limits).toEqual(['bodyTimeout', 'answerTimeout']);
    taker.socket.destroy();
  });

  test('one that never sends its headers is told, and let go', async () => {
    const { port, limits } = await serve({ headersTimeoutMs: 200 });
    expectXmlError(await sendRaw(port, 'GET /a HTTP/1.1\r\nHost'), 400, 'RequestTimeout');
    expectXmlError(await sendRaw(port, ''), 400, 'RequestTimeout');
    expect(limits).toEqual(['headersTimeout', 'headersTimeout']);
  });

  test('one that stops in the middle of a body is told, and let go', async () => {
    const { port, limits, errors } = await serve({ bodyTimeoutMs: 200 });
    const answer = await sendRaw(port, 'PUT /b/k HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf');
    expectXmlError(answer, 400, 'RequestTimeout');
    expect(limits).toEqual(['bodyTimeout']);
    // The dialect is told as well: it gives up what it holds for the request.
    await expect.poll(() => errors).toMatchObject([{ err: { code: 'RequestTimeout' } }]);
  });

  test('one whose body the dialect does not read yet is not to blame', async () => {
    const begun = gateOf();
    const { port, limits } = await serve({ bodyTimeoutMs: 100 }, async (req, res, context) => {
      await timersFired(res, 3);
      begun.resolve();
      await countBody(req, res, context);
    });
    const client = await RawConnection.open(port);
    client.send('PUT /b/k HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab');
    await begun.promise;
    client.send('cd');
    expect(await client.rest()).toContain('4 bytes');
    expect(limits).toEqual([]);
  });

  test('one that sends slowly but surely is served', async () => {
    const { port } = await serve({ bodyTimeoutMs: 1_000 });
    const client = await RawConnection.open(port);
    client.send('PUT /b/k HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 20\r\n\r\n');
    let sent = 0;
    const dripping = setInterval(() => {
      client.send('x');
      sent += 1;
      if (sent === 20) clearInterval(dripping);
    }, 100);
    expect(await client.rest()).toContain('20 bytes');
  });

  test('one that takes nothing of its answer is cut, and the dialect learns of it', async () => {
    const left = gateOf();
    const { port, limits } = await serve({ answerTimeoutMs: 300 }, async (_req, res) => {
      res.once('close', () => left.resolve());
      res.write(Buffer.alloc(64 * 1024 * 1024));
      await left.promise;
    });
    const client = await RawConnection.open(port);
    client.socket.pause();
    client.send('GET /b/k HTTP/1.1\r\nHost: a\r\n\r\n');
    await left.promise;
    expect(limits).toEqual(['answerTimeout']);
  });

  test('one that takes its answer slowly but surely gets all of it', async () => {
    const size = 24 * 1024 * 1024;
    const { port, limits } = await serve({ answerTimeoutMs: 1_000 }, async (_req, res) => {
      res.end(Buffer.alloc(size));
    });
    const client = await RawConnection.open(port);
    let received = 0;
    client.socket.removeAllListeners('data').on('data', (chunk) => {
      received += chunk.length;
    });
    const sipping = setInterval(() => {
      client.socket.resume();
      setImmediate(() => client.socket.pause());
    }, 20);
    client.send('GET /b/k HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.closed;
    clearInterval(sipping);
    expect(received).toBeGreaterThan(size);
    expect(limits).toEqual([]);
  });

  test('one whose answer takes an origin long is not to blame', async () => {
    const { port, limits } = await serve({ answerTimeoutMs: 100 }, async (_req, res) => {
      res.write('first');
      await timersFired(res, 3);
      res.end('last');
    });
    expect(await sendRaw(port, 'GET /b/k HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toContain('last');
    expect(limits).toEqual([]);
  });

  test('an idle connection is closed after its time, and serves until then', async () => {
    const { port } = await serve({ keepAliveMs: 300, answerTimeoutMs: 60_000 });
    const client = await RawConnection.open(port);
    for (const path of ['/1', '/2']) {
      client.received = '';
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.until('0 bytes');
    }
    await client.closed;
  });
});
