// The S3 endpoint's server by itself, before a dialect that only notes what reaches it: what is refused is refused in
// S3's XML, limits hold, stalled clients are let go, and stopping loses nobody's answer.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test } from 'vitest';
import { S3Server, type S3ServerOptions } from '../../src/s3/s3-server.ts';
import { RawConnection, sendRaw } from '../support/raw-connection.ts';

type Handle = (req: IncomingMessage, res: ServerResponse, context: { expectsContinue: boolean }) => Promise<void>;

interface World {
  readonly server: S3Server;
  readonly port: number;
  /** 'METHOD url' of every request that reached the dialect. */
  readonly seen: string[];
  readonly limits: string[];
  readonly errors: unknown[];
}

const PATIENT: S3ServerOptions['limits'] = {
  maxConnections: 100,
  maxHeaderBytes: 8_192,
  headersTimeoutMs: 60_000,
  bodyTimeoutMs: 60_000,
  answerTimeoutMs: 60_000,
  keepAliveMs: 60_000,
};

/** Answers with the number of bytes the body had. */
const countBody: Handle = async (req, res) => {
  let bytes = 0;
  for await (const chunk of req) bytes += (chunk as Buffer).length;
  res.end(`${bytes} bytes`);
};

function gateOf(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((open) => {
    resolve = open;
  });
  return { promise, resolve };
}

async function serve(
  limits: Partial<S3ServerOptions['limits']> = {},
  handle: Handle = countBody,
  tls?: S3ServerOptions['tls'],
): Promise<World> {
  const seen: string[] = [];
  const reached: string[] = [];
  const errors: unknown[] = [];
  const server = await S3Server.open(
    {
      api: {
        handle: (req, res, context) => {
          seen.push(`${req.method} ${req.url}`);
          return handle(req, res, context);
        },
      },
      log: { error: (fields: unknown) => void errors.push(fields) },
      onLimit: (limit) => void reached.push(limit),
    },
    { host: '127.0.0.1', port: 0, tls, limits: { ...PATIENT, ...limits } },
  );
  onTestFinished(() => server.close(0));
  return { server, port: server.port, seen, limits: reached, errors };
}

function expectXmlError(answer: string, status: number, code: string): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toMatch(/\r\ncontent-type: application\/xml\r\n/i);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  expect(answer).toContain(`<Code>${code}</Code>`);
  const [, id] = /\r\nx-amz-request-id: (\w+)\r\n/i.exec(answer) ?? [];
  expect(answer).toContain(`<RequestId>${id}</RequestId>`);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`content-length: ${body.length}\\b`, 'i'));
}

describe('what is not HTTP', () => {
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
  test.each([
    ['no request line', `nonsense\r\n\r\n${smuggled}`],
    ['two Content-Lengths', `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n${smuggled}`],
    [
      'the same Content-Length twice',
      `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n${smuggled}`,
    ],
    ['a list of Content-Lengths', `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 5\r\n\r\n${smuggled}`],
    [
      'Content-Length and Transfer-Encoding',
      `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    [
      'Transfer-Encoding and Content-Length',
      `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    [
      'a Transfer-Encoding nobody knows',
      `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    [
      'chunked before another coding',
      `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['a space before the colon', `GET /a HTTP/1.1\r\nHost : a\r\n\r\n${smuggled}`],
    [
      'a folded header',
      `GET /a HTTP/1.1\r\nHost: a\r\nX-Long: a\r\n b\r\n\r\n${smuggled}`.replace('X-Long', 'Transfer-Encoding'),
    ],
    ['a NUL in a header', `GET /a HTTP/1.1\r\nHost: a\0b\r\n\r\n${smuggled}`],
    ['a negative Content-Length', `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n${smuggled}`],
    ['no version', `GET /a\r\n\r\n${smuggled}`],
    ['a bare line feed for the end of a header', `GET /a HTTP/1.1\nHost: a\n\n${smuggled}`],
  ])('%s is answered 400 in XML, and what follows is never read as a request', async (_, text) => {
    const { port, seen } = await serve();
    expectXmlError(await sendRaw(port, text), 400, 'BadRequest');
    expect(seen).toEqual([]);
  });

  test('a chunk that is not one is answered 400, and the dialect learns that the client is gone', async () => {
    const world = await serve();
    const chunked = 'PUT /b/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n';
    expectXmlError(await sendRaw(world.port, chunked + smuggled), 400, 'BadRequest');
    expect(world.seen).toEqual(['PUT /b/k']);
    await expect.poll(() => world.errors).toHaveLength(1);
  });

  test('garbage behind a request that is being answered closes the connection and mixes no answers', async () => {
    const gate = gateOf();
    const { port, seen } = await serve({}, async (_req, res) => {
      await gate.promise;
      res.end('late');
    });
    const answer = await sendRaw(port, 'GET /first HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n');
    gate.resolve();
    expect(answer).toBe('');
    expect(seen).toEqual(['GET /first']);
  });

  test('garbage behind an answered request is answered as garbage', async () => {
    const { port } = await serve();
    const client = await RawConnection.open(port);
    client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until('0 bytes');
    client.received = '';
    client.send('nonsense\r\n\r\n');
    expectXmlError(await client.rest(), 400, 'BadRequest');
  });

  test('what comes behind the last request of a connection does not disturb its answer', async () => {
    const { port, seen } = await serve();
    const request = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    expect(await sendRaw(port, request + smuggled)).toMatch(/^HTTP\/1.1 200 (.|\s)*\r\n\r\n0 bytes$/);
    expect(seen).toEqual(['GET /last']);
  });

  test('CONNECT is refused', async () => {
    const { port, seen } = await serve();
    expectXmlError(await sendRaw(port, 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n'), 405, 'MethodNotAllowed');
    expect(seen).toEqual([]);
  });
});

test('clients that reset their connections at any moment harm nobody', async () => {
  const world = await serve({ maxHeaderBytes: 4_096 });
  const requests = [
    'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n',
    'nonsense\r\n\r\n',
    'PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc',
    'PUT /a HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 9\r\n\r\n',
    `GET /a HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(8_000)}\r\n\r\n`,
  ];
  const clients = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const client = await RawConnection.open(world.port);
      client.send(requests[index % requests.length] ?? '');
      if (index % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      client.socket.resetAndDestroy();
      return client;
    }),
  );
  await Promise.all(clients.map(({ closed }) => closed));
  await expect.poll(() => world.server.connections).toBe(0);
  expect(await sendRaw(world.port, 'GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(/ 200 /);
});

describe('headers', () => {
  test('more than the limit is answered in XML', async () => {
    const { port, seen, limits } = await serve({ maxHeaderBytes: 8_192 });
    const flood = `GET /a HTTP/1.1\r\nHost: a\r\nX-Flood: ${'x'.repeat(9_000)}\r\n\r\n`;
    expectXmlError(await sendRaw(port, flood), 400, 'RequestHeaderSectionTooLarge');
    expect(seen).toEqual([]);
    expect(limits).toEqual(['headers']);
  });

  test('thousands of small headers that fit are all there', async () => {
    const count = 3_000;
    const { port } = await serve({ maxHeaderBytes: 65_536 }, async (req, res) => {
      res.end(`${Object.keys(req.headers).length} headers`);
    });
    const many = Array.from({ length: count }, (_, index) => `h${index}: x\r\n`).join('');
    const answer = await sendRaw(port, `GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${many}\r\n`);
    expect(answer).toContain(`${count + 2} headers`);
  });

  test('no Host, or two, is refused', async () => {
    const { port, seen } = await serve();
    expectXmlError(await sendRaw(port, 'GET /a HTTP/1.1\r\n\r\n'), 400, 'BadRequest');
    expectXmlError(await sendRaw(port, 'GET /a HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n'), 400, 'BadRequest');
    expect(seen).toEqual([]);
  });

  test('an expectation that nobody knows is answered 417', async () => {
    const { port, seen } = await serve();
    const request = 'PUT /a/b HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 3\r\n\r\n';
    expectXmlError(await sendRaw(port, request), 417, 'ExpectationFailed');
    expect(seen).toEqual([]);
  });

  test('a client that waits for 100 Continue gets it from the dialect, not before', async () => {
    const gate = gateOf();
    const { port } = await serve({}, async (req, res, context) => {
      expect(context.expectsContinue).toBe(true);
      await gate.promise;
      res.writeContinue();
      await countBody(req, res, context);
    });
    const client = await RawConnection.open(port);
    client.send(
      'PUT /a/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n',
    );
    const answered = client.until('100 Continue');
    expect(client.received).toBe('');
    gate.resolve();
    await answered;
    client.send('abc');
    expect(await client.rest()).toContain('3 bytes');
  });
});

describe('what reaches the dialect', () => {
  test.each(['PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'M-SEARCH', 'DELETE', 'HEAD'])('%s', async (method) => {
    const { port, seen } = await serve();
    const answer = await sendRaw(port, `${method} /b/k?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(seen).toEqual([`${method} /b/k?x`]);
  });

  test.each([
    '/%zz',
    '/%',
    '/%FF',
    '//a//../b',
    '/a%2Fb',
    '/;x',
    `/${'long'.repeat(500)}`,
    'http://a/b/k',
    '/?a=%zz',
    '*',
  ])('the path %s, as it was sent', async (path) => {
    const { port, seen } = await serve();
    const method = path === '*' ? 'OPTIONS' : 'GET';
    const answer = await sendRaw(port, `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(seen).toEqual([`${method} ${path}`]);
  });

  test.each(['application/json', 'application/octet-stream', 'text/plain', 'no/such;;type', ''])(
    'a body of type %j that nobody else has touched',
    async (type) => {
      const { port } = await serve();
      const head = `PUT /b/k HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: 1\r\n\r\n`;
      expect(await sendRaw(port, `${head}{`)).toContain('1 bytes');
    },
  );

  test('an upgrade that nobody offers is an ordinary request', async () => {
    const { port } = await serve();
    const answer = await sendRaw(
      port,
      'GET /b HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  test('a dialect that fails against its promise costs its client the connection, and is logged', async () => {
    const world = await serve({}, async () => {
      throw new Error('broken');
    });
    expect(await sendRaw(world.port, 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('');
    expect(world.errors).toHaveLength(1);
  });
});

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
