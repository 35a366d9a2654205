// Answers in bytes, which are read straight into the memory they are for: the connections that they come by are kept,
// and what is no such answer is told from one.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Gatekeeper } from '../../src/mesh/transport/gatekeeper.ts';
import { writeMember } from '../../src/mesh/transport/member-header.ts';
import { TYPES } from '../../src/mesh/transport/protocol.ts';
import { Reply } from '../../src/mesh/transport/reply.ts';
import { SharedSecret } from '../../src/mesh/transport/shared-secret.ts';
import type { ByteTarget } from '../../src/mesh/transport.ts';
import { makeAuthority } from '../support/mesh-certificates.ts';
import {
  anySignal,
  LIST_HASH,
  makeClient,
  memberAt,
  problemOf,
  SECRET,
  startBehindProxy,
  startServer,
} from '../support/mesh-wire.ts';

const MIB = 1024 * 1024;

/** One memory for all that comes, given in parts; between two parts there is none for a while. */
class Memory implements ByteTarget {
  readonly bytes: Buffer;
  at = 0;
  readonly #partBytes: number;
  #waits = false;

  constructor(options: { bytes: number; partBytes: number }) {
    this.bytes = Buffer.alloc(options.bytes);
    this.#partBytes = options.partBytes;
  }

  space(): Uint8Array | Promise<void> {
    if (this.#waits) {
      this.#waits = false;
      return turn();
    }
    const end = (Math.floor(this.at / this.#partBytes) + 1) * this.#partBytes;
    return this.bytes.subarray(this.at, Math.min(end, this.bytes.length));
  }

  taken(bytes: number): void {
    this.at += bytes;
    this.#waits = this.at % this.#partBytes === 0;
  }
}

/** Of any length, no two places in the vicinity of each other alike. */
const CONTENT = Buffer.from(Uint32Array.from({ length: MIB }, (_, index) => index * 2_654_435_761).buffer);

test.each(['clear', 'with certificates'])(
  'answers of any size come whole by one connection, %s, to a reader that lets the writer wait',
  async (how) => {
    const authority = how === 'clear' ? undefined : await makeAuthority('mesh');
    const tls = authority && (await authority.issue(['127.0.0.1']));
    const handlers = {
      piece: {
        kind: 'bytes',
        handle: async (body, _caller, out) => {
          const bytes = CONTENT.subarray(0, Number(body));
          for (let at = 0; at < bytes.length; at += MIB)
            await out.write(CONTENT.subarray(0, 12), bytes.subarray(at, at + MIB));
        },
      },
    } as const satisfies Parameters<typeof startBehindProxy>[0];
    const { self, proxy } = await startBehindProxy(handlers, { tls });
    const { client } = makeClient({ tls });
    for (const length of [1, 100, 16_000, 16_384, 70_000, MIB - 1, MIB, CONTENT.length, 3, 300_000]) {
      const parts = Math.ceil(length / MIB);
      const into = new Memory({ bytes: length + 12 * parts, partBytes: 60_000 });
      await client.bytes(self.id, 'piece', length, into, anySignal());
      const sent = Array.from({ length: parts }, (_, part) => [
        CONTENT.subarray(0, 12),
        CONTENT.subarray(part * MIB, Math.min(length, (part + 1) * MIB)),
      ]).flat();
      expect(into.bytes.equals(Buffer.concat(sent))).toBe(true);
    }
    expect(proxy.connections).toBe(1);
  },
);

test('what its reader throws ends an answer, and the connection with it', async () => {
  const { self, server } = await startServer({
    piece: {
      kind: 'bytes',
      handle: async (_body, _caller, out, signal) => {
        while (!signal.aborted) await out.write(CONTENT);
      },
    },
  });
  const { client } = makeClient();
  let taken = 0;
  const into: ByteTarget = {
    space: () => Buffer.alloc(100_000),
    taken: (bytes) => {
      taken += bytes;
      if (taken > MIB) throw new RangeError('That is not what was asked for.');
    },
  };
  expect(await problemOf(client.bytes(self.id, 'piece', 1, into, anySignal()))).toMatch('not what was asked for');
  const before = taken;
  await expect.poll(() => server.requestsInFlight).toBe(0);
  expect(taken).toBe(before);
});

test('a reader that has no room, and never will, ends an answer', async () => {
  const { self } = await startServer({
    piece: { kind: 'bytes', handle: async (_body, _caller, out) => out.write(Buffer.alloc(1_000)) },
  });
  const { client } = makeClient();
  const into: ByteTarget = { space: () => Promise.reject(new Error('full')), taken: () => undefined };
  expect(await problemOf(client.bytes(self.id, 'piece', 1, into, anySignal()))).toBe('Error: full');
});

test('of an answer in bytes only one in chunks is taken, and no wrong ones', async () => {
  const answers: ((reply: Reply) => void)[] = [
    (reply) => reply.streamedWhole(TYPES.bytes, 'in one'),
    (reply) => {
      reply.begin(TYPES.bytes);
      reply.res.flushHeaders();
      reply.res.socket?.end('3\r\nabc\r\nxyz\r\n');
    },
  ];
  const into = new Memory({ bytes: 100, partBytes: 200 });
  const problems: string[] = [];
  for (const answer of answers) {
    const id = await startAnswering(answer);
    const { client } = makeClient();
    problems.push((await problemOf(client.bytes(id, 'piece', 1, into, anySignal()))).replace(id, 'it'));
  }
  expect(problems).toEqual([
    'Malformed: it gave bytes that are not sent in chunks.',
    'Unreachable: A body came that is not chunked as HTTP has it.',
  ]);
  expect(into.bytes.toString('utf8', 0, into.at)).toBe('abc');
});

/** A member that answers as a test says. Returns its address. */
async function startAnswering(answer: (reply: Reply) => void): Promise<string> {
  const secret = new SharedSecret(SECRET);
  const server = createServer((req: IncomingMessage, res) => {
    const self = memberAt((server.address() as AddressInfo).port);
    const gatekeeper = new Gatekeeper(
      { self, secret, now: () => Date.now() },
      { requireCertificate: false, skewMs: 60_000, maxSenders: 1 },
    );
    const reply = new Reply(res, { from: writeMember(self), secret, listHash: () => LIST_HASH });
    reply.proveFor(gatekeeper.admit(req).proof?.mac);
    answer(reply);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return memberAt((server.address() as AddressInfo).port).id;
}
