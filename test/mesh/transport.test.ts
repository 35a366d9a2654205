// Both ends of the mesh port on real sockets: what is called is answered, both sides learn who the other is, connections
// are kept, and closing loses nobody's answer.
import { expect, test } from 'vitest';
import { MeshError } from '../../src/mesh/transport.ts';
import {
  anySignal,
  collect,
  latch,
  listen,
  makeClient,
  memberAt,
  problemOf,
  startBehindProxy,
  startServer,
} from '../support/mesh-wire.ts';
import { receivedBytes } from '../support/received-bytes.ts';

const echo = { kind: 'ask', handle: async (body: unknown) => body } as const;

test('an ask is answered with a value, lines with values, bytes with bytes', async () => {
  const { self } = await startServer({
    hello: { kind: 'ask', handle: async (body, caller) => ({ body, caller: caller.id }) },
    acquire: {
      kind: 'lines',
      handle: async function* (body) {
        yield body;
        yield null;
        yield 'ü'.repeat(3);
      },
    },
    piece: {
      kind: 'bytes',
      handle: async (_body, _caller, out) => {
        await out.write(Buffer.from('first '));
        await out.write(Buffer.from('second'));
      },
    },
  });
  const { client } = makeClient();
  expect(await client.ask(self.id, 'hello', { a: 1 }, anySignal())).toEqual({ body: { a: 1 }, caller: '127.0.0.1:1' });
  expect(await collect(await client.lines(self.id, 'acquire', [7], anySignal()))).toEqual([[7], null, 'üüü']);
  const bytes = await collect(await receivedBytes(client, self.id, 'piece', {}, anySignal()));
  expect(Buffer.concat(bytes).toString()).toBe('first second');
});

test('answers that have nothing to say are whole too', async () => {
  const { self } = await startServer({
    hello: { kind: 'ask', handle: async () => undefined },
    acquire: { kind: 'lines', handle: async function* () {} },
    piece: { kind: 'bytes', handle: async () => undefined },
  });
  const { client } = makeClient();
  expect(await client.ask(self.id, 'hello', undefined, anySignal())).toBe(null);
  expect(await collect(await client.lines(self.id, 'acquire', {}, anySignal()))).toEqual([]);
  expect(await collect(await receivedBytes(client, self.id, 'piece', {}, anySignal()))).toEqual([]);
});

test('both sides learn who the other is, and that its list is another one', async () => {
  const server = await startServer({ hello: echo });
  const same = makeClient();
  await same.client.ask(server.self.id, 'hello', 1, anySignal());
  expect(server.members.at(-1)).toEqual(same.self);
  expect(same.members.at(-1)).toEqual(server.self);
  expect([...server.otherLists, ...same.otherLists]).toEqual([]);

  const other = makeClient({}, { self: memberAt(2, { zone: undefined, role: 'seed' }), listHash: 'beef' });
  await other.client.ask(server.self.id, 'hello', 1, anySignal());
  expect(server.members.at(-1)).toEqual(other.self);
  expect(server.otherLists).toContain('127.0.0.1:2 beef');
  expect(other.otherLists).toContain(`${server.self.id} cafe`);
});

test('errors of handlers arrive with their code, and failures without what they say', async () => {
  const { self, log } = await startServer({
    hello: {
      kind: 'ask',
      handle: async (body) => {
        if (body === 'fail') throw new Error('internal detail');
        throw new MeshError(body as 'NotHeld', 'As the handler says.');
      },
    },
  });
  const { client } = makeClient();
  for (const code of ['Unreachable', 'Refused', 'NotHeld', 'Busy', 'Malformed', 'Unproved', 'Closed']) {
    expect(await problemOf(client.ask(self.id, 'hello', code, anySignal()))).toBe(
      `${code}: ${self.id}: As the handler says.`,
    );
  }
  const failed = await problemOf(client.ask(self.id, 'hello', 'fail', anySignal()));
  expect(failed).toBe(`Unreachable: ${self.id}: The call failed there; its log says why.`);
  expect(log.text).toContain('internal detail');
});

test('a thousand calls one after the other take one connection', async () => {
  const { self, proxy } = await startBehindProxy({ hello: echo });
  const { client } = makeClient();
  for (let call = 0; call < 1_000; call += 1) {
    expect(await client.ask(self.id, 'hello', call, anySignal())).toBe(call);
  }
  expect(proxy.connections).toBe(1);
});

test('a kept connection that the other side closed is not held against it', async () => {
  const first = await startServer({ hello: echo });
  const { client } = makeClient();
  const ask = () => client.ask(first.self.id, 'hello', 1, anySignal());
  await Promise.all(Array.from({ length: 8 }, ask));
  await first.server.close(0);
  // The same port at once: the kept connections are dead, their ends may not have been read yet.
  const second = await startServer({ hello: echo }, { port: first.server.port }, { incarnation: 'run-2' });
  expect(second.self.id).toBe(first.self.id);
  expect(await Promise.all(Array.from({ length: 8 }, ask))).toEqual(Array(8).fill(1));
});

test('a kept connection that is reset before an answer is replaced by a fresh one', async () => {
  const { self, proxy } = await startBehindProxy({ hello: echo });
  const { client } = makeClient();
  expect(await client.ask(self.id, 'hello', 1, anySignal())).toBe(1);
  proxy.resetNext();
  expect(await client.ask(self.id, 'hello', 2, anySignal())).toBe(2);
  expect(proxy.connections).toBe(2);
});

test('a fresh connection that is reset is not tried again', async () => {
  const { self, proxy } = await startBehindProxy({ hello: echo });
  const { client } = makeClient();
  proxy.resetNext();
  expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toMatch(/^Unreachable: .* cannot be reached: /);
  expect(proxy.connections).toBe(1);
});

test('who listens before it can serve says that it is busy', async () => {
  const { server } = await listen();
  const { client } = makeClient();
  const problem = await problemOf(client.ask(`127.0.0.1:${server.port}`, 'hello', 1, anySignal()));
  expect(problem).toBe(`Busy: 127.0.0.1:${server.port}: This gateway is starting.`);
});

test('closing lets what is in flight finish, and refuses what comes then', async () => {
  const entered = latch();
  const held = latch();
  const { self, server } = await startServer({
    hello: {
      kind: 'ask',
      handle: async () => {
        entered.open();
        await held.opened;
        return 'finished';
      },
    },
  });
  const { client } = makeClient();
  const asked = client.ask(self.id, 'hello', 1, anySignal());
  await entered.opened;
  const closed = server.close(10_000);
  held.open();
  expect(await asked).toBe('finished');
  await closed;
  expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toMatch(/^Unreachable: /);
});

test('a closed client asks nobody', async () => {
  const { self } = await startServer({ hello: echo });
  const { client } = makeClient();
  client.close();
  expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toBe('Closed: This gateway is stopping.');
});
