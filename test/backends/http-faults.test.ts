// What the http backend makes of file servers that ignore, omit, invent, redirect, stall and cut.
import { EventEmitter, once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import type { Backend, BackendErrorCode, ReadOptions } from '../../backends/backend.ts';
import { type HttpBackendOptions, openHttpBackend } from '../../backends/http.ts';
import { type Answer, MisbehavingServer } from '../support/misbehaving-server.ts';

const BYTES = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');
const LAST_MODIFIED = 'Mon, 05 Jan 2026 10:00:00 GMT';
const IDLE_MS = 300;
const ref = { bucket: 'b', key: 'k' };
const never = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function world(
  answer: Answer,
  options: Partial<HttpBackendOptions> = {},
): Promise<{ server: MisbehavingServer; backend: Backend }> {
  const server = await MisbehavingServer.start(answer);
  const backend = await openHttpBackend({ endpoint: server.url, idleTimeoutMs: IDLE_MS, ...options });
  opened.push(server, backend);
  return { server, backend };
}

/** A server without ranges that answers with these headers. */
function whole(headers: Record<string, string> = {}): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': BYTES.length, ...headers }).end(BYTES);
  };
}

async function textOf(backend: Backend, options: ReadOptions = {}): Promise<string> {
  return (await buffer((await backend.read(ref, options, never)).body)).toString();
}

async function refused(promise: Promise<unknown>, code: BackendErrorCode): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'BackendError', code });
}

describe('ranges', () => {
  test('of a server that ignores Range the wanted bytes are cut out', async () => {
    const { backend } = await world(whole({ etag: '"e"' }));
    const read = await backend.read(ref, { range: { start: 10, end: 13 } }, never);
    expect(read.range).toEqual({ start: 10, end: 13 });
    expect((await buffer(read.body)).toString()).toBe('abc');
    expect(await textOf(backend, { range: { suffixBytes: 2 } })).toBe('yz');
    await refused(backend.read(ref, { range: { start: 36 } }, never), 'InvalidRange');
  });

  test('a transfer ends once the wanted bytes have come, not at the end of the file', async () => {
    const closed = new EventEmitter();
    const ended = once(closed, 'end');
    const { backend } = await world((_request, response) => {
      response.on('close', () => closed.emit('end'));
      // It would send a gigabyte; what is sent is its beginning.
      response.writeHead(200, { 'content-length': 2 ** 30, etag: '"big"' }).write(Buffer.alloc(100_000, 'x'));
    });
    expect(await textOf(backend, { range: { start: 5, end: 10 } })).toBe('xxxxx');
    await ended;
  });

  test('a reader who leaves while unwanted bytes are awaited ends the transfer', async () => {
    const closed = new EventEmitter();
    const ended = once(closed, 'end');
    const { backend } = await world(
      (_request, response) => {
        response.on('close', () => closed.emit('end'));
        response.writeHead(200, { 'content-length': 2 ** 30, etag: '"big"' }).write('first');
      },
      { idleTimeoutMs: 60_000 },
    );
    const { body } = await backend.read(ref, { range: { start: 1_000_000, end: 1_000_001 } }, never);
    body.resume();
    await new Promise(setImmediate);
    body.destroy();
    await ended;
  });

  test.each([
    ['other bytes', 'bytes 0-2/36'],
    ['no Content-Range', undefined],
    ['an unknown size', 'bytes 10-12/*'],
    ['more than the object has', 'bytes 10-12/11'],
  ])('a 206 with %s is refused before its first byte', async (_name, contentRange) => {
    const { backend } = await world((_request, response) => {
      const headers = contentRange === undefined ? {} : { 'content-range': contentRange };
      response.writeHead(206, { 'content-length': 3, etag: '"e"', ...headers }).end('abc');
    });
    await refused(backend.read(ref, { range: { start: 10, end: 13 } }, never), 'Internal');
  });

  test('a 206 to a request for all of it is refused', async () => {
    const { backend } = await world((_request, response) => {
      response.writeHead(206, { 'content-length': 3, 'content-range': 'bytes 0-2/36', etag: '"e"' }).end('012');
    });
    await refused(backend.read(ref, {}, never), 'Internal');
  });

  test('a changed object is PreconditionFailed even where its new size cannot hold the range', async () => {
    const { backend } = await world((request, response) => {
      const status = request.method === 'GET' ? 416 : 200;
      response.writeHead(status, { 'content-length': 3, 'last-modified': LAST_MODIFIED }).end();
    });
    const conditions = { ifMatch: ['lm-695b8aa0-24'] };
    await refused(backend.read(ref, { conditions, range: { start: 10 } }, never), 'PreconditionFailed');
    await refused(backend.read(ref, { range: { start: 10 } }, never), 'InvalidRange');
  });
});

describe('identity', () => {
  test('a strong etag is the identity; hexadecimal in upper case is told in lower and asked for in both', async () => {
    const { backend, server } = await world(whole({ etag: '"ABCDEF01"' }));
    const { info } = await backend.head(ref, {}, never);
    expect(info).toMatchObject({ etag: 'abcdef01', identity: 'strong' });
    expect(await textOf(backend, { conditions: { ifMatch: [info.etag] } })).toBe(BYTES.toString());
    expect(server.requests.at(-1)?.headers['if-match']).toBe('"abcdef01", "ABCDEF01"');
  });

  test('If-Match holds against a server that ignores it', async () => {
    const { backend } = await world(whole({ etag: '"new"' }));
    await refused(backend.read(ref, { conditions: { ifMatch: ['old'] } }, never), 'PreconditionFailed');
  });

  test('without an etag, a settled date and the length are the identity, and fills hold to it', async () => {
    const { backend, server } = await world(whole({ 'last-modified': LAST_MODIFIED }));
    const { info } = await backend.head(ref, {}, never);
    expect(info).toMatchObject({ identity: 'strong', lastModified: new Date(LAST_MODIFIED) });
    expect(await textOf(backend, { conditions: { ifMatch: [info.etag] } })).toBe(BYTES.toString());
    server.answer = whole({ 'last-modified': 'Mon, 05 Jan 2026 10:00:01 GMT' });
    await refused(backend.read(ref, { conditions: { ifMatch: [info.etag] } }, never), 'PreconditionFailed');
    expect(server.requests.some(({ headers }) => 'if-match' in headers)).toBe(false);
  });

  test('an unchanged object without an etag is known by its head, without a body', async () => {
    const { backend, server } = await world(whole({ 'last-modified': LAST_MODIFIED }));
    const { info } = await backend.head(ref, {}, never);
    await refused(backend.read(ref, { conditions: { ifNoneMatch: [info.etag] } }, never), 'NotModified');
    expect(server.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
  });

  test('a weak etag is part of an identity that has a date, and none by itself', async () => {
    const { backend, server } = await world(whole({ etag: 'W/"1"', 'last-modified': LAST_MODIFIED }));
    const { info: dated } = await backend.head(ref, {}, never);
    expect(dated.identity).toBe('strong');
    server.answer = whole({ etag: 'W/"2"', 'last-modified': LAST_MODIFIED });
    await refused(backend.read(ref, { conditions: { ifMatch: [dated.etag] } }, never), 'PreconditionFailed');
    server.answer = whole({ etag: 'W/"2"' });
    const { info: weak } = await backend.head(ref, {}, never);
    expect(weak.identity).toBe('none');
    await refused(backend.read(ref, { conditions: { ifMatch: [weak.etag] } }, never), 'PreconditionFailed');
    await refused(backend.head(ref, { conditions: { ifNoneMatch: [weak.etag] } }, never), 'NotModified');
  });

  test('an object without validators is read, matches nothing, and is never not modified', async () => {
    const { backend } = await world(whole());
    const { info } = await backend.head(ref, {}, never);
    expect(info.identity).toBe('none');
    const conditions = { ifNoneMatch: [info.etag] };
    expect(await textOf(backend, { conditions })).toBe(BYTES.toString());
    expect(await textOf(backend, { conditions: { ifModifiedSince: new Date() } })).toBe(BYTES.toString());
    await refused(backend.read(ref, { conditions: { ifMatch: [info.etag] } }, never), 'PreconditionFailed');
  });

  test('compressed answers are refused, unless the server names the compressed bytes', async () => {
    const { backend, server } = await world(whole({ 'content-encoding': 'gzip', 'last-modified': LAST_MODIFIED }));
    await refused(backend.read(ref, {}, never), 'NotSupported');
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
    server.answer = whole({ 'content-encoding': 'gzip', etag: '"gz"' });
    const { info } = await backend.head(ref, {}, never);
    expect(info).toMatchObject({ etag: 'gz', identity: 'strong', headers: { contentEncoding: 'gzip' } });
  });
});

describe('size', () => {
  test('where HEAD is refused or tells no length, the first byte tells it', async () => {
    for (const status of [405, 501, 200]) {
      const { backend } = await world((request, response) => {
        if (request.method === 'HEAD') response.writeHead(status, { 'transfer-encoding': 'chunked' }).end();
        else
          response
            .writeHead(206, { 'content-length': 1, 'content-range': 'bytes 0-0/36', etag: '"e"' })
            .end(BYTES.subarray(0, 1));
      });
      expect((await backend.head(ref, {}, never)).info.sizeBytes).toBe(36);
    }
  });

  test('an object whose length nobody tells is refused with a sentence', async () => {
    const { backend } = await world((_request, response) => {
      response.writeHead(200, { etag: '"e"' });
      response.write(BYTES);
      response.end();
    });
    await refused(backend.head(ref, {}, never), 'NotSupported');
    await expect(backend.read(ref, {}, never)).rejects.toThrow('does not say how long');
  });
});

describe('redirects', () => {
  test('go to a host that is named, without the credentials of the endpoint', async () => {
    const target = await MisbehavingServer.start(whole({ etag: '"there"' }));
    opened.push(target);
    const { backend } = await world(
      (_request, response) => response.writeHead(307, { location: `${target.url}/moved` }).end(),
      {
        redirectHosts: [new URL(target.url).host],
        username: 'reader',
        password: 'secret',
        headers: { 'x-api-key': 'secret' },
      },
    );
    expect(await textOf(backend)).toBe(BYTES.toString());
    expect(target.requests[0]?.url).toBe('/moved');
    expect(target.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(target.requests[0]?.headers).not.toHaveProperty('x-api-key');
  });

  test('to any other host are not followed, and the sentence names the setting', async () => {
    const target = await MisbehavingServer.start(whole());
    opened.push(target);
    const { backend } = await world((_request, response) => response.writeHead(302, { location: target.url }).end());
    const read = backend.read(ref, {}, never);
    await refused(read, 'Misconfigured');
    await expect(read).rejects.toThrow('redirectHosts');
    expect(target.requests).toEqual([]);
  });

  test('in a circle end', async () => {
    const { backend, server } = await world((_request, response) => response.writeHead(302, { location: '/x' }).end());
    await refused(backend.read(ref, {}, never), 'Internal');
    expect(server.requests).toHaveLength(6);
  });
});

describe('keys', () => {
  test.each(['..', 'a/../b', './a', 'a/.', 'x/..'])('%s, which a URL would fold away, is refused', async (key) => {
    const { backend, server } = await world(whole());
    await refused(backend.read({ bucket: 'b', key }, {}, never), 'InvalidArgument');
    expect(server.requests).toEqual([]);
  });

  test('every byte that means something in a URL is escaped, and slashes are kept', async () => {
    const { backend, server } = await world(whole());
    await backend.head({ bucket: 'b', key: "/a//b?c#d%2e %/é+&;='" }, {}, never);
    expect(server.requests[0]?.url).toBe('//a//b%3Fc%23d%252e%20%25/%C3%A9%2B%26%3B%3D%27');
  });
});

describe('failures', () => {
  test.each<[number, BackendErrorCode]>([
    [400, 'InvalidArgument'],
    [401, 'AccessDenied'],
    [403, 'AccessDenied'],
    [404, 'NoSuchKey'],
    [410, 'NoSuchKey'],
    [414, 'KeyTooLong'],
    [418, 'Internal'],
    [429, 'SlowDown'],
    [500, 'Internal'],
    [502, 'Unavailable'],
    [503, 'SlowDown'],
    [504, 'Unavailable'],
  ])('HTTP %i is %s', async (status, code) => {
    const { backend } = await world((_request, response) => response.writeHead(status).end('no'));
    await refused(backend.read(ref, {}, never), code);
    await refused(backend.head(ref, {}, never), code);
  });

  test('rejected credentials are the trouble of the operator', async () => {
    const options = { username: 'reader', password: 'wrong' };
    const { backend, server } = await world((_request, response) => response.writeHead(401).end(), options);
    await refused(backend.read(ref, {}, never), 'Misconfigured');
    await refused(backend.check(never), 'Misconfigured');
    const expected = `Basic ${Buffer.from('reader:wrong').toString('base64')}`;
    expect(server.requests[0]?.headers.authorization).toBe(expected);
  });

  test('a server that stalls before its answer is a Timeout within the idle limit', async () => {
    const { backend } = await world(() => undefined);
    const began = performance.now();
    await refused(backend.read(ref, {}, never), 'Timeout');
    expect(performance.now() - began).toBeLessThan(IDLE_MS * 6);
  });

  test('a server that stalls in the middle of a body ends the body with a Timeout', async () => {
    const { backend } = await world((_request, response) => {
      response.writeHead(200, { 'content-length': 100, etag: '"e"' }).write('half');
    });
    const began = performance.now();
    await refused(textOf(backend), 'Timeout');
    await refused(textOf(backend, { range: { start: 50, end: 60 } }), 'Timeout');
    expect(performance.now() - began).toBeLessThan(IDLE_MS * 12);
  });

  test('a server that cuts a body ends it with an error, whether the range was honoured or cut here', async () => {
    const { backend } = await world((_request, response) => {
      response.writeHead(200, { 'content-length': 100, etag: '"e"' }).write('half', () => response.destroy());
    });
    await refused(textOf(backend), 'Unavailable');
    await refused(textOf(backend, { range: { start: 2, end: 60 } }), 'Unavailable');
  });

  test('a body that nobody has begun to read when it breaks does not end the process', async () => {
    const { backend } = await world((_request, response) => {
      response.writeHead(200, { 'content-length': 100, etag: '"e"' }).write('half', () => response.destroy());
    });
    const { body } = await backend.read(ref, { range: { start: 2, end: 60 } }, never);
    const plain = await backend.read(ref, {}, never);
    if (!plain.body.closed) await new Promise((resolve) => plain.body.once('close', resolve));
    expect(plain.body.errored).toMatchObject({ code: 'Unavailable' });
    await refused(buffer(body), 'Unavailable');
  });

  test('a server that closes the connection under a slow reader still gives all its bytes', async () => {
    const bytes = Buffer.alloc(300_000, 'x');
    const { backend } = await world((_request, response) => {
      response.writeHead(200, { 'content-length': bytes.length, etag: '"e"', connection: 'close' }).end(bytes);
    });
    const { body } = await backend.read(ref, {}, never);
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(await buffer(body)).toEqual(bytes);
  });

  test('nobody listening and an unknown host are Unavailable', async () => {
    const server = await MisbehavingServer.start(whole());
    const endpoint = server.url;
    await server.close();
    const gone = await openHttpBackend({ endpoint });
    const unknown = await openHttpBackend({ endpoint: 'http://no-such-host.invalid' });
    opened.push(gone, unknown);
    await refused(gone.read(ref, {}, never), 'Unavailable');
    await refused(unknown.check(never), 'Unavailable');
  });

  test.each(['ftp://host/', 'nonsense', 'http://u:p@host/', 'http://host/?q', 'http://host/#f'])(
    'the endpoint %s is refused when it is opened',
    async (endpoint) => {
      await refused(openHttpBackend({ endpoint }), 'Misconfigured');
    },
  );
});
