// Sockets that cannot hang, against servers that would let them.
import { type ClientRequest, createServer, type IncomingMessage, request, type Server } from 'node:http';
import { createServer as createRawServer, type Server as RawServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { classifyNetworkError } from '../../../backends/net/classify-network-error.ts';
import { createIdleAgents, type IdleAgentOptions, type IdleAgents } from '../../../backends/net/idle-agents.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

function agents(options: IdleAgentOptions): IdleAgents {
  const made = createIdleAgents(options);
  closers.push(() => made.close());
  return made;
}

async function listening(server: Server | RawServer): Promise<number> {
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function get(port: number, agent: IdleAgents['http']): ClientRequest {
  return request({ host: '127.0.0.1', port, agent }).end();
}

function answered(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', reject);
  });
}

test('a request that nobody answers ends after the idle limit, as a Timeout', async () => {
  const port = await listening(createServer(() => undefined));
  const error = await answered(get(port, agents({ idleTimeoutMs: 100 }).http)).catch((reason: unknown) => reason);
  expect(classifyNetworkError(error)).toMatchObject({ code: 'Timeout', nativeCode: 'IDLE_TIMEOUT' });
});

test('a body that trickles is not idle, however long it takes', async () => {
  const server = createServer((_request, response) => {
    let sent = 0;
    const timer = setInterval(() => {
      sent += 1;
      response.write('x');
      if (sent < 8) return;
      clearInterval(timer);
      response.end();
    }, 50);
  });
  const port = await listening(server);
  const answer = await answered(get(port, agents({ idleTimeoutMs: 250 }).http));
  expect((await buffer(answer)).length).toBe(8);
});

test('a connection is used again, and let go of when it rests too long', async () => {
  let connections = 0;
  const server = createServer((_request, response) => response.end('ok'));
  server.keepAliveTimeout = 60_000;
  server.on('connection', () => {
    connections += 1;
  });
  const port = await listening(server);
  const { http } = agents({ keepAliveMs: 200, idleTimeoutMs: 60_000 });
  for (let i = 0; i < 3; i += 1) await buffer(await answered(get(port, http)));
  expect(connections).toBe(1);
  await expect.poll(() => Object.keys(http.freeSockets).length).toBe(0);
  await buffer(await answered(get(port, http)));
  expect(connections).toBe(2);
});

test('a handshake that does not come about ends after the connect limit', async () => {
  const mute = createRawServer((socket) => {
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
  });
  const port = await listening(mute);
  const { https } = agents({ connectTimeoutMs: 100, idleTimeoutMs: 60_000 });
  const { request: secureRequest } = await import('node:https');
  const sent = secureRequest({ host: '127.0.0.1', port, agent: https }).end();
  const error = await answered(sent).catch((reason: unknown) => reason);
  expect(classifyNetworkError(error)).toMatchObject({ code: 'Unavailable', nativeCode: 'CONNECT_TIMEOUT' });
});

test('the code decides however deep it is wrapped, and every error becomes a sentence', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const wrapped = new Error('fetch failed', {
    cause: Object.assign(new Error('x', { cause: refused }), { code: 'ERR_X' }),
  });
  expect(classifyNetworkError(wrapped)).toMatchObject({ code: 'Unavailable', nativeCode: 'ECONNREFUSED' });
  const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
  expect(classifyNetworkError(expired).message).toContain('TLS certificate is not trusted');
  expect(classifyNetworkError('odd')).toMatchObject({ code: 'Unavailable' });
  expect(classifyNetworkError(classifyNetworkError(refused)).nativeCode).toBe('ECONNREFUSED');
});
