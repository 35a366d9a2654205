// Answers that come bit by bit: headers at once, signs of life, never a short clean end, bounded memory, and both sides
// learn at once that the other has left.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MeshError } from '../../src/mesh/transport.ts';
import {
  anySignal,
  collect,
  latch,
  makeClient,
  problemOf,
  startBehindProxy,
  startServer,
} from '../support/mesh-wire.ts';
import { receivedBytes } from '../support/received-bytes.ts';

const MIB = 1024 * 1024;

test('headers come before the first line is decided', async () => {
  const decided = latch();
  const { self } = await startServer({
    acquire: {
      kind: 'lines',
      handle: async function* () {
        await decided.opened;
        yield 'decided';
      },
    },
  });
  const { client } = makeClient();
  const lines = await client.lines(self.id, 'acquire', 1, anySignal());
  decided.open();
  expect(await collect(lines)).toEqual(['decided']);
});

test('each line comes when it is decided', async () => {
  const steps = [latch(), latch()];
  const { self } = await startServer({
    acquire: {
      kind: 'lines',
      handle: async function* () {
        yield 0;
        await steps[0]?.opened;
        yield 1;
        await steps[1]?.opened;
        yield 2;
      },
    },
  });
  const { client } = makeClient();
  const lines = await client.lines(self.id, 'acquire', 1, anySignal());
  expect((await lines.next()).value).toBe(0);
  steps[0]?.open();
  expect((await lines.next()).value).toBe(1);
  steps[1]?.open();
  expect((await lines.next()).value).toBe(2);
  expect((await lines.next()).done).toBe(true);
});

test('an answer in lines that waits gives signs of life, and one that gives none is given up', async () => {
  const decided = latch();
  const handlers = {
    acquire: {
      kind: 'lines',
      handle: async function* () {
        await decided.opened;
        yield 'decided';
      },
    },
  } as const;
  const { self, proxy } = await startBehindProxy(handlers, { heartbeatMs: 5 });
  const { client } = makeClient({ silenceTimeoutMs: 1_000 });
  const lines = await client.lines(self.id, 'acquire', 1, anySignal());
  const before = proxy.answered;
  const first = lines.next();
  await expect.poll(() => proxy.answered - before).toBeGreaterThan(20);
  decided.open();
  expect((await first).value).toBe('decided');
  await lines.return();

  const hung = await startBehindProxy({ acquire: { kind: 'lines', handle: never } }, { heartbeatMs: 5 });
  const impatient = makeClient({ silenceTimeoutMs: 50 });
  const silent = await impatient.client.lines(hung.self.id, 'acquire', 1, anySignal());
  hung.proxy.hold();
  expect(await problemOf(silent.next())).toBe(`Unreachable: ${hung.self.id} gave no sign of life for 50 ms.`);
});

test.each(['lines', 'bytes'] as const)('an error before the first byte is the answer: %s', async (kind) => {
  const fail = () => Promise.reject(new MeshError('NotHeld', 'It was evicted.'));
  const { self } = await startServer({
    acquire: { kind: 'lines', handle: () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) }) },
    piece: { kind: 'bytes', handle: fail },
  });
  const { client } = makeClient();
  const answer =
    kind === 'lines'
      ? client.lines(self.id, 'acquire', 1, anySignal())
      : receivedBytes(client, self.id, 'piece', 1, anySignal());
  expect(await problemOf(answer)).toBe(`NotHeld: ${self.id}: It was evicted.`);
});

test('an error after the first byte cuts the answer; it never ends cleanly', async () => {
  const { self } = await startServer({
    acquire: {
      kind: 'lines',
      handle: async function* () {
        yield 'first';
        await turn();
        await turn();
        throw new MeshError('NotHeld', 'It was evicted.');
      },
    },
    piece: {
      kind: 'bytes',
      handle: async (_body, _caller, out) => {
        await out.write(Buffer.alloc(1_000));
        throw new MeshError('NotHeld', 'It was evicted.');
      },
    },
  });
  const { client } = makeClient();
  const broken = `Unreachable: ${self.id} broke off in the middle of an answer.`;
  expect(await problemOf(client.lines(self.id, 'acquire', 1, anySignal()).then(collect))).toBe(broken);
  expect(await problemOf(receivedBytes(client, self.id, 'piece', 1, anySignal()).then(collect))).toBe(broken);
});

test('a gateway that dies in the middle is seen at once', async () => {
  const { self, server } = await startServer({
    piece: {
      kind: 'bytes',
      handle: async (_body, _caller, out, signal) => {
        await out.write(Buffer.alloc(1_000));
        await aborted(signal);
      },
    },
  });
  const { client } = makeClient();
  const bytes = await receivedBytes(client, self.id, 'piece', 1, anySignal());
  expect((await bytes.next()).value).toHaveLength(1_000);
  const next = problemOf(bytes.next());
  await server.close(0);
  expect(await next).toBe(`Unreachable: ${self.id} broke off in the middle of an answer.`);
});

test('a reader that does not read stops the writer; all bytes arrive when it reads', async () => {
  let written = 0;
  const { self } = await startServer({
    piece: {
      kind: 'bytes',
      handle: async (_body, _caller, out) => {
        for (; written < 64; written += 1) await out.write(Buffer.alloc(MIB, written));
      },
    },
  });
  const { client } = makeClient();
  const bytes = await receivedBytes(client, self.id, 'piece', 1, anySignal());
  // What the kernel takes on both sides is not ours to bound, so that its size is found out: it stops growing.
  let seen = -1;
  await expect
    .poll(
      () => {
        const grows = written !== seen;
        seen = written;
        return grows;
      },
      { interval: 200 },
    )
    .toBe(false);
  expect(written).toBeLessThan(32);
  let received = 0;
  for await (const chunk of bytes) {
    expect(chunk[0]).toBe(Math.floor(received / MIB));
    received += chunk.length;
  }
  expect(received).toBe(64 * MIB);
});

test('memory given to a write may be used again when it resolves', async () => {
  const { self } = await startServer({
    piece: {
      kind: 'bytes',
      handle: async (_body, _caller, out) => {
        const buffer = Buffer.alloc(MIB);
        for (let turns = 0; turns < 16; turns += 1) await out.write(buffer.fill(turns));
      },
    },
  });
  const { client } = makeClient();
  const received = Buffer.concat(await collect(await receivedBytes(client, self.id, 'piece', 1, anySignal())));
  for (let turns = 0; turns < 16; turns += 1) {
    expect(received.subarray(turns * MIB, (turns + 1) * MIB).equals(Buffer.alloc(MIB, turns))).toBe(true);
  }
});

test('a caller that reads as fast as it is written to keeps nobody else from being served', async () => {
  let reading = true;
  const { self } = await startServer({
    piece: {
      kind: 'bytes',
      handle: async (_body, _caller, out) => {
        const buffer = Buffer.alloc(16 * 1024);
        while (reading) await out.write(buffer);
      },
    },
    hello: { kind: 'ask', handle: async () => 'served' },
  });
  const { client } = makeClient();
  const bytes = await receivedBytes(client, self.id, 'piece', 1, anySignal());
  const drained = collect(bytes);
  for (let call = 0; call < 20; call += 1) expect(await client.ask(self.id, 'hello', 1, anySignal())).toBe('served');
  reading = false;
  await drained;
});

interface Leaving {
  readonly how: string;
  readonly leave: (values: AsyncGenerator<unknown, void, undefined>, controller: AbortController) => unknown;
}

const LEAVING: readonly Leaving[] = [
  { how: 'its signal', leave: (_values, controller) => controller.abort(new Error('left')) },
  { how: 'return() before the first value', leave: (values) => values.return() },
  { how: 'return() after the first value', leave: (values) => values.next().then(() => values.return()) },
];

test.each(LEAVING)('a caller that leaves by $how ends the handler, for lines and for bytes', async ({ leave }) => {
  const ended: string[] = [];
  const { self, server } = await startServer({
    acquire: {
      kind: 'lines',
      handle: async function* (_body, _caller, signal) {
        try {
          yield 1;
          await aborted(signal);
        } finally {
          ended.push('lines');
        }
      },
    },
    piece: {
      kind: 'bytes',
      handle: async (_body, _caller, out, signal) => {
        try {
          await out.write(Buffer.alloc(10));
          await aborted(signal);
        } finally {
          ended.push('bytes');
        }
      },
    },
  });
  const { client } = makeClient();
  const controllers = [new AbortController(), new AbortController()] as const;
  await leave(await client.lines(self.id, 'acquire', 1, controllers[0].signal), controllers[0]);
  await leave(await receivedBytes(client, self.id, 'piece', 1, controllers[1].signal), controllers[1]);
  await expect.poll(() => ended.toSorted()).toEqual(['bytes', 'lines']);
  await expect.poll(() => server.requestsInFlight).toBe(0);
});

test('a write to a caller that has left rejects', async () => {
  const problems: string[] = [];
  const { self } = await startServer({
    piece: {
      kind: 'bytes',
      handle: async (_body, _caller, out) => {
        for (;;) {
          const problem = await problemOf(out.write(Buffer.alloc(MIB)));
          if (problem.startsWith('no problem')) continue;
          problems.push(problem, await problemOf(out.write(Buffer.alloc(MIB))));
          return;
        }
      },
    },
  });
  const { client } = makeClient();
  const bytes = await receivedBytes(client, self.id, 'piece', 1, anySignal());
  await bytes.next();
  await bytes.return();
  const left = 'Unreachable: Whoever asked for these bytes has left.';
  await expect.poll(() => problems).toEqual([left, left]);
});

test('whoever stops after the last line of an answer that came whole keeps the connection', async () => {
  const { self, proxy } = await startBehindProxy({
    acquire: {
      kind: 'lines',
      handle: async function* () {
        yield 1;
      },
    },
  });
  const { client } = makeClient();
  for (let call = 0; call < 20; call += 1) {
    const lines = await client.lines(self.id, 'acquire', 1, anySignal());
    expect((await lines.next()).value).toBe(1);
    await lines.return();
  }
  expect(proxy.connections).toBe(1);
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function never(_body: unknown, _caller: unknown, signal: AbortSignal): AsyncIterable<unknown> {
  const next = async () => {
    await aborted(signal);
    return { done: true, value: undefined } as const;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
