// Who may call, with a shared secret: whoever does not know it is refused, and so is what was sent before, to somebody
// else, to an earlier run, or was altered on its way. Every refusal is counted and logged; no handler sees it.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Member } from '../../src/mesh/member.ts';
import { writeMember } from '../../src/mesh/transport/member-header.ts';
import { HEADERS } from '../../src/mesh/transport/protocol.ts';
import { RequestSigner } from '../../src/mesh/transport/request-signer.ts';
import { SharedSecret } from '../../src/mesh/transport/shared-secret.ts';
import {
  anySignal,
  LIST_HASH,
  makeClient,
  memberAt,
  problemOf,
  type RawRequest,
  SECRET,
  type ServerWorld,
  sendRaw,
  startServer,
} from '../support/mesh-wire.ts';

afterEach(() => vi.useRealTimers());

interface Counting extends ServerWorld {
  readonly handled: unknown[];
}

async function startCounting(): Promise<Counting> {
  const handled: unknown[] = [];
  const world = await startServer({
    hello: { kind: 'ask', handle: async (body) => handled.push(body) },
    announce: { kind: 'ask', handle: async (body) => handled.push(body) },
  });
  return { ...world, handled };
}

/** Requests as a gateway signs them, for the server's present run. */
function signerFor(world: ServerWorld, { secret = SECRET, now = () => Date.now(), self = memberAt(1) } = {}) {
  const signer = new RequestSigner({ self, secret: new SharedSecret(secret), listHash: () => LIST_HASH, now });
  signer.learn(world.self);
  return (body: string): RawRequest & { readonly headers: readonly string[] } => {
    const { path, headers } = signer.sign(world.self.id, 'hello', body);
    return { path, headers, body };
  };
}

function withHeader(request: RawRequest & { readonly headers: readonly string[] }, name: string, value: string) {
  const at = request.headers.indexOf(name);
  if (at === -1) throw new Error(`The request has no ${name}.`);
  return { ...request, headers: request.headers.with(at + 1, value) };
}

test('a signed request is handled, so that the refusals below are for their reasons', async () => {
  const world = await startCounting();
  expect((await sendRaw(world.server.port, signerFor(world)('"x"'))).status).toBe(200);
  expect(world.handled).toEqual(['x']);
});

test('another secret is refused, on both sides, and logged once for many', async () => {
  const world = await startCounting();
  const { client, members } = makeClient({ secret: 'another secret, as long' });
  for (let attempt = 0; attempt < 20; attempt += 1) {
    expect(await problemOf(client.ask(world.self.id, 'hello', 1, anySignal()))).toBe(
      `Refused: ${world.self.id}: The request is not proved by this mesh's secret (mesh.secret).`,
    );
  }
  expect(world.handled).toEqual([]);
  expect([...members, ...world.members]).toEqual([]);
  expect(world.refused).toEqual(Array(20).fill('proof'));
  expect(world.log.lines.filter(({ reason }) => reason === 'proof')).toHaveLength(1);
});

test('no proof at all is refused', async () => {
  const world = await startCounting();
  const request = signerFor(world)('1');
  const at = request.headers.indexOf(HEADERS.proof);
  const answer = await sendRaw(world.server.port, { ...request, headers: request.headers.toSpliced(at, 2) });
  expect(answer.status).toBe(403);
  expect(world.handled).toEqual([]);
});

test('what a request proves is what is believed: none of it can be exchanged', async () => {
  const world = await startCounting();
  const request = signerFor(world)('1');
  const exchanged: Record<string, RawRequest> = {
    body: { ...request, body: '2' },
    path: { ...request, path: '/mesh/v1/announce' },
    identity: withHeader(request, HEADERS.from, writeMember(memberAt(1, { id: '127.0.0.1:99' }))),
    role: withHeader(request, HEADERS.from, writeMember(memberAt(1, { role: 'seed' }))),
    key: withHeader(request, HEADERS.from, writeMember(memberAt(1, { key: 'x'.repeat(43) }))),
    list: withHeader(request, HEADERS.members, 'beef'),
    version: withHeader(request, HEADERS.version, '1.9'),
    run: withHeader(request, HEADERS.to, `${world.self.id} run-0`),
  };
  for (const [what, changed] of Object.entries(exchanged)) {
    expect([what, (await sendRaw(world.server.port, changed)).status]).toEqual([what, 403]);
  }
  expect(world.refused).toEqual(Array(Object.keys(exchanged).length).fill('proof'));
  expect(world.handled).toEqual([]);
});

test.each([-61, 61])('a request dated %i s from now is refused', async (seconds) => {
  const world = await startCounting();
  const request = signerFor(world, { now: () => Date.now() + seconds * 1_000 })('1');
  const answer = await sendRaw(world.server.port, request);
  expect(answer.status).toBe(403);
  expect(answer.text).toContain('The clocks differ by 61 s');
  expect(world.refused).toEqual(['date']);
});

test('the same request again is refused', async () => {
  const world = await startCounting();
  const request = signerFor(world)('1');
  expect((await sendRaw(world.server.port, request)).status).toBe(200);
  expect((await sendRaw(world.server.port, request)).status).toBe(403);
  expect(world.refused).toEqual(['replay']);
  expect(world.handled).toEqual([1]);
});

test('requests that overtake each other are all handled, once each', async () => {
  const world = await startCounting();
  const sign = signerFor(world);
  const requests = Array.from({ length: 20 }, (_, index) => sign(String(index)));
  for (const request of requests.toReversed()) expect((await sendRaw(world.server.port, request)).status).toBe(200);
  for (const request of requests) expect((await sendRaw(world.server.port, request)).status).toBe(403);
  expect(world.handled).toHaveLength(20);
});

test('a request for somebody else is refused', async () => {
  const world = await startCounting();
  const other = await startCounting();
  const request = signerFor(other)('1');
  expect((await sendRaw(world.server.port, request)).status).toBe(403);
  expect(world.refused).toEqual(['addressee']);
});

test('a request for an earlier run is not handled, and its sender asks again for this one', async () => {
  const world = await startCounting();
  const before = { ...world, self: { ...world.self, incarnation: 'run-0' } };
  const answer = await sendRaw(world.server.port, signerFor(before)('1'));
  expect(answer.status).toBe(421);
  expect(world.handled).toEqual([]);
  const { client } = makeClient();
  await client.ask(world.self.id, 'hello', 'first contact', anySignal());
  expect(world.handled).toEqual(['first contact']);
});

test('who does not know the secret is not taken for a member when it answers', async () => {
  const claims: Partial<Member> = {};
  const server = createServer((req, res) => {
    const { port } = server.address() as AddressInfo;
    const headers = { [HEADERS.version]: '1.0', [HEADERS.from]: writeMember(memberAt(port, claims)) };
    const type = req.url?.endsWith('hello') ? 'application/json' : 'application/x-ndjson';
    res.writeHead(200, { ...headers, 'content-type': type, [HEADERS.proof]: 'A'.repeat(43) }).end('1\n');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const id = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { client, members } = makeClient();
  const refused = `Refused: Who answers at ${id} did not prove that it belongs to this mesh.`;
  expect(await problemOf(client.ask(id, 'hello', 1, anySignal()))).toBe(refused);
  expect(await problemOf(client.lines(id, 'acquire', 1, anySignal()))).toBe(refused);
  expect(members).toEqual([]);
});

test('a mesh without secret and certificates cannot be made', async () => {
  expect(() => makeClient({ secret: undefined })).toThrow('mesh.secret');
  await expect(startServer({}, { secret: undefined })).rejects.toThrow('mesh.secret');
});
