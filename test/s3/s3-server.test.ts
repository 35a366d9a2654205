// The S3 endpoint's server by itself: what is not HTTP is refused in S3's XML, and everything else reaches the dialect as
// it was sent.
import { describe, expect, test } from 'vitest';
import { countBody, expectXmlError, gateOf, serve } from '../support/bare-s3-server.ts';
import { RawConnection, sendRaw } from '../support/raw-connection.ts';

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

  test('garbage behind a request that is being answered lets it have its answer, and is the end', async () => {
    const gate = gateOf();
    const { port, seen } = await serve({}, async (_req, res) => {
      await gate.promise;
      res.end('the answer');
    });
    const client = await RawConnection.open(port);
    client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n');
    await expect.poll(() => seen).toEqual(['GET /first']);
    gate.resolve();
    expect(await client.rest()).toMatch(/^HTTP\/1.1 200 .*\r\nconnection: close\r\n.*\r\n\r\nthe answer$/is);
    expect(seen).toEqual(['GET /first']);
  });

  test('an answer that was written before its client ended the body short still arrives whole', async () => {
    const answer = 'x'.repeat(30_000_000);
    const { port } = await serve({}, async (_req, res) => {
      res.writeHead(403, { connection: 'close', 'content-length': answer.length });
      res.write(answer);
      // Ended only when the body is; as an early refusal waits for what is still coming.
      await new Promise(() => undefined);
    });
    const client = await RawConnection.open(port);
    client.send('PUT /b/k HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    client.socket.once('data', () => client.socket.end());
    expect((await client.rest()).split('\r\n\r\n')[1]).toHaveLength(answer.length);
  });

  test('a body that its client ends short is answered as incomplete', async () => {
    const { port } = await serve();
    const client = await RawConnection.open(port);
    client.send('PUT /b/k HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    client.socket.end();
    expectXmlError(await client.rest(), 400, 'IncompleteBody');
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

  test.each([
    ['headers that are none', 'HEAD /a HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['a body that is none', 'HEAD /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('HEAD with %s is answered without a body', async (_, text) => {
    const { port } = await serve({}, () => new Promise(() => undefined));
    expect(await sendRaw(port, text)).toMatch(/^HTTP\/1.1 400 [^<]*\r\n\r\n$/);
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

  test('a request line that names another host than the Host header is refused', async () => {
    const { port, seen } = await serve();
    expectXmlError(await sendRaw(port, 'GET http://b/k HTTP/1.1\r\nHost: a\r\n\r\n'), 400, 'BadRequest');
    expect(seen).toEqual([]);
    const same = 'GET http://A:80/k HTTP/1.1\r\nHost: a:9000\r\nConnection: close\r\n\r\n';
    expect(await sendRaw(port, same)).toMatch(/^HTTP\/1.1 200 /);
  });

  test.each(['wonders', '200', ''])(
    'the expectation %j, which nobody knows, is served as if it had not been said',
    async (said) => {
      const { port } = await serve();
      const head = `PUT /a/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: ${said}\r\nContent-Length: 3\r\n\r\n`;
      expect(await sendRaw(port, `${head}abc`)).toMatch(/^HTTP\/1.1 200 (.|\s)*3 bytes$/);
    },
  );

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

describe('trap 6: what reaches the dialect', () => {
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
