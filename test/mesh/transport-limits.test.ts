// Limits of the mesh port, and what is no call of it: answered with what is wrong, counted, and nothing of it handled.
import { expect, onTestFinished, test, vi } from 'vitest';
import { HEADERS } from '../../src/mesh/transport/protocol.ts';
import { RequestSigner } from '../../src/mesh/transport/request-signer.ts';
import { SharedSecret } from '../../src/mesh/transport/shared-secret.ts';
import {
  anySignal,
  LIST_HASH,
  latch,
  makeClient,
  memberAt,
  problemOf,
  SECRET,
  type ServerWorld,
  sendRaw,
  startBehindProxy,
  startServer,
} from '../support/mesh-wire.ts';
import { receivedBytes } from '../support/received-bytes.ts';

const echo = { kind: 'ask', handle: async (body: unknown) => body } as const;

function sign(world: ServerWorld, call: string, body: string) {
  const secret = new SharedSecret(SECRET);
  const signer = new RequestSigner({ self: memberAt(1), secret, listHash: () => LIST_HASH, now: () => Date.now() });
  signer.learn(world.self);
  return { ...signer.sign(world.self.id, call as 'hello', body), body };
}

test('a body past the limit is refused, whether it says its length or not', async () => {
  const world = await startServer({ hello: echo }, { maxBodyBytes: 1_000 });
  const { client } = makeClient();
  expect(await client.ask(world.self.id, 'hello', 'x'.repeat(998), anySignal())).toHaveLength(998);
  expect(await problemOf(client.ask(world.self.id, 'hello', 'x'.repeat(999), anySignal()))).toBe(
    `Malformed: ${world.self.id}: The body is longer than 1000 bytes.`,
  );
  const request = sign(world, 'hello', JSON.stringify('x'.repeat(5_000)));
  const at = request.headers.indexOf('content-length');
  const chunked = { ...request, headers: request.headers.toSpliced(at, 2, 'transfer-encoding', 'chunked') };
  expect((await sendRaw(world.server.port, chunked)).status).toBe(400);
  expect(world.refused).toEqual(['body', 'body']);
});

test.each(['', '{', 'undefined', '{"a":1}x'])('a body that is not JSON is refused: %j', async (body) => {
  const world = await startServer({ hello: echo });
  const answer = await sendRaw(world.server.port, sign(world, 'hello', body));
  expect([answer.status, JSON.parse(answer.text)]).toEqual([
    400,
    { code: 'Malformed', message: 'The body is not JSON.' },
  ]);
  expect(world.refused).toEqual(['body']);
});

test('calls that are not offered are answered, and so are paths that are none', async () => {
  const world = await startServer({ hello: echo });
  const { client } = makeClient();
  expect(await problemOf(client.ask(world.self.id, 'peek', 1, anySignal()))).toBe(
    `Malformed: ${world.self.id}: This gateway offers no call 'peek'.`,
  );
  for (const call of ['toString', '__proto__', '../v1/hello', 'hello/', 'hello?x=1', '%68ello']) {
    expect([call, (await sendRaw(world.server.port, sign(world, call, '1'))).status]).toEqual([call, 404]);
  }
  const { headers } = sign(world, 'hello', '');
  expect((await sendRaw(world.server.port, { method: 'GET', path: '/mesh/v1/hello', headers })).status).toBe(400);
});

test('who does not say who asks, or which version it speaks, is refused', async () => {
  const world = await startServer({ hello: echo });
  const request = sign(world, 'hello', '1');
  for (const [header, value, reason] of [
    [HEADERS.version, '2.0', 'version'],
    [HEADERS.version, 'x', 'version'],
    [HEADERS.from, 'id=nowhere', 'identity'],
    [HEADERS.from, 'x'.repeat(2_000), 'identity'],
  ] as const) {
    const headers = request.headers.with(request.headers.indexOf(header) + 1, value);
    expect((await sendRaw(world.server.port, { ...request, headers })).status).toBe(400);
    expect(world.refused.at(-1)).toBe(reason);
  }
});

test('past the requests of all, or of one caller, the next is told that there is no room', async () => {
  const held = latch();
  const hold = { kind: 'ask', handle: () => held.opened } as const;
  const { self, server, refused } = await startServer({ hello: hold }, { maxRequests: 3, maxRequestsPerMember: 2 });
  const [one, other] = [makeClient(), makeClient({}, { self: memberAt(2) })];
  const ask = ({ client }: typeof one) => client.ask(self.id, 'hello', 1, anySignal());
  const asked = [ask(one), ask(one)];
  await expect.poll(() => server.requestsInFlight).toBe(2);
  expect(await problemOf(ask(one))).toMatch(/^Busy: .*2 requests of 127.0.0.1:1 are in flight here/);
  asked.push(ask(other));
  await expect.poll(() => server.requestsInFlight).toBe(3);
  expect(await problemOf(ask(other))).toMatch(/^Busy: .*3 requests are in flight here/);
  expect(refused).toEqual(['limit', 'limit']);
  held.open();
  await Promise.all(asked);
  expect(server.requestsInFlight).toBe(0);
  await ask(one);
});

test('past the requests of one caller in a second the next is told that there is no room, others are not', async () => {
  const echo = { kind: 'ask', handle: async (body: unknown) => body } as const;
  const { self, refused } = await startServer({ hello: echo }, { maxRequestsPerSecond: 2 });
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const [one, other] = [makeClient(), makeClient({}, { self: memberAt(2) })];
  const ask = ({ client }: typeof one) => client.ask(self.id, 'hello', 1, anySignal());
  await ask(one);
  await ask(one);
  expect(await problemOf(ask(one))).toMatch(/^Busy: .*127.0.0.1:1 has made more than 2 requests in a second/);
  expect(refused).toEqual(['limit']);
  await ask(other);
  vi.advanceTimersByTime(500);
  await ask(one);
  expect(await problemOf(ask(one))).toMatch(/^Busy/);
});

test('past the connections the next is told that there is no room', async () => {
  const held = latch();
  const hold = { kind: 'ask', handle: () => held.opened } as const;
  const { self, server } = await startServer({ hello: hold }, { maxConnections: 2 });
  const { client } = makeClient();
  const ask = () => client.ask(self.id, 'hello', 1, anySignal());
  const asked = [ask(), ask()];
  await expect.poll(() => server.requestsInFlight).toBe(2);
  expect(await problemOf(ask())).toBe(`Busy: ${self.id}: Too many gateways are connected to this one.`);
  held.open();
  await Promise.all(asked);
});

test('a client has its own limit of calls to one gateway', async () => {
  const held = latch();
  const { self } = await startServer({ hello: { kind: 'ask', handle: () => held.opened } });
  const { client } = makeClient({ maxCallsPerMember: 1 });
  const asked = client.ask(self.id, 'hello', 1, anySignal());
  expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toBe(
    `Busy: 1 calls to ${self.id} are in flight; that is the limit.`,
  );
  held.open();
  await asked;
  await client.ask(self.id, 'hello', 1, anySignal());
});

test('an answer past the limit is given up', async () => {
  const { self } = await startServer({ hello: { kind: 'ask', handle: async () => 'x'.repeat(2_000) } });
  const { client } = makeClient({ maxAnswerBytes: 1_000 });
  expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toMatch(/^Malformed: .*more than 1000 bytes/);
});

test('a gateway that hangs is seen within the limits for headers', async () => {
  const { self, proxy } = await startBehindProxy({ hello: echo });
  proxy.hold();
  const { client } = makeClient({ askTimeoutMs: 50, linesTimeoutMs: 60, bytesTimeoutMs: 70 });
  const late = (limitMs: number) => `Unreachable: ${self.id} gave no answer within ${limitMs} ms.`;
  expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toBe(late(50));
  expect(await problemOf(client.lines(self.id, 'acquire', 1, anySignal()))).toBe(late(60));
  expect(await problemOf(receivedBytes(client, self.id, 'piece', 1, anySignal()))).toBe(late(70));
});

test('calls that may take longer have limits of their own', async () => {
  const { self, proxy } = await startBehindProxy({ hello: echo });
  proxy.hold();
  const { client } = makeClient({ askTimeoutMs: 10_000, callTimeoutsMs: { 'name-begin': 40 } });
  expect(await problemOf(client.ask(self.id, 'name-begin', 1, anySignal()))).toMatch(/within 40 ms\.$/);
});

test('a caller that gives up rejects with its reason', async () => {
  const { self, proxy } = await startBehindProxy({ hello: echo });
  proxy.hold();
  const { client } = makeClient();
  const leaving = new AbortController();
  const asked = client.ask(self.id, 'hello', 1, leaving.signal);
  await expect.poll(() => proxy.connections).toBe(1);
  leaving.abort(new Error('no longer wanted'));
  await expect(asked).rejects.toThrow('no longer wanted');
  await expect(client.ask(self.id, 'hello', 1, leaving.signal)).rejects.toThrow('no longer wanted');
});

test('nobody listening, and nowhere to ask', async () => {
  const { self, server } = await startServer({ hello: echo });
  await server.close(0);
  const { client } = makeClient();
  expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toMatch(/^Unreachable: .*ECONNREFUSED/);
  expect(await problemOf(client.ask('nowhere', 'hello', 1, anySignal()))).toMatch(
    /^Malformed: 'nowhere' is no address/,
  );
});
