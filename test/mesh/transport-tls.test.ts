// Who may call, with certificates: both sides show one of the mesh's authority, a caller is only who its certificate's
// subject alternative names allow it to be, and the same goes for who answers.
import { beforeAll, expect, test } from 'vitest';
import type { MeshTls } from '../../src/mesh/transport/certificates.ts';
import { type MeshAuthority, makeAuthority } from '../support/mesh-certificates.ts';
import { anySignal, collect, makeClient, memberAt, problemOf, SECRET, startServer } from '../support/mesh-wire.ts';

let authority: MeshAuthority;
let local: MeshTls;
let elsewhere: MeshTls;
let nameless: MeshTls;
let foreign: MeshTls;

beforeAll(async () => {
  authority = await makeAuthority('mesh');
  const other = await makeAuthority('mesh');
  [local, elsewhere, nameless, foreign] = await Promise.all([
    authority.issue(['127.0.0.1', 'gateway.example']),
    authority.issue(['10.9.8.7']),
    authority.issue([]),
    other.issue(['127.0.0.1']),
  ]);
});

async function startCounting(tls: MeshTls, secret?: string) {
  const handled: unknown[] = [];
  const hello = { kind: 'ask', handle: async (body: unknown) => handled.push(body) } as const;
  const acquire = {
    kind: 'lines',
    handle: async function* (body: unknown) {
      yield body;
    },
  } as const;
  const world = await startServer({ hello, acquire }, { tls, secret });
  return { ...world, handled };
}

test('gateways with certificates of one authority talk, and again over a resumed session', async () => {
  const { self, handled, members } = await startCounting(local);
  for (const turn of [1, 2, 3]) {
    const { client, self: caller } = makeClient({ tls: local, secret: undefined });
    await client.ask(self.id, 'hello', turn, anySignal());
    expect(await collect(await client.lines(self.id, 'acquire', turn, anySignal()))).toEqual([turn]);
    expect(members.at(-1)).toEqual(caller);
  }
  const { client } = makeClient({ tls: local, secret: undefined });
  await client.ask(self.id, 'hello', 4, anySignal());
  // More at once than connections are kept: the others resume the first one's session.
  await Promise.all([5, 6, 7].map((turn) => client.ask(self.id, 'hello', turn, anySignal())));
  expect(handled.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('a name in the certificate allows an identity by that name', async () => {
  const { self, members } = await startCounting(local);
  const { client } = makeClient(
    { tls: local, secret: undefined },
    { self: memberAt(1, { id: 'gateway.example:9002' }) },
  );
  await client.ask(self.id, 'hello', 1, anySignal());
  expect(members.at(-1)?.id).toBe('gateway.example:9002');
});

test('an identity at a host that the certificate does not name is refused', async () => {
  const { self, handled, refused } = await startCounting(local);
  for (const tls of [elsewhere, nameless]) {
    const { client } = makeClient({ tls, secret: undefined });
    expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toBe(
      `Refused: ${self.id}: The certificate shown is not for the host of 127.0.0.1:1.`,
    );
  }
  const other = memberAt(1, { id: 'other.example:9002' });
  const { client } = makeClient({ tls: local, secret: undefined }, { self: other });
  expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toMatch(
    /^Refused: .*not for the host of other/,
  );
  expect(handled).toEqual([]);
  expect(refused).toEqual(['certificate', 'certificate', 'certificate']);
});

test('one connection proves only the identities of its certificate, whoever asked on it before', async () => {
  const { self, handled } = await startCounting(local);
  const good = makeClient({ tls: local, secret: undefined });
  await good.client.ask(self.id, 'hello', 'good', anySignal());
  const bad = makeClient({ tls: local, secret: undefined }, { self: memberAt(1, { id: '10.9.8.7:1' }) });
  expect(await problemOf(bad.client.ask(self.id, 'hello', 'bad', anySignal()))).toMatch(/^Refused: /);
  expect(handled).toEqual(['good']);
});

test('a certificate of another authority is refused by either side', async () => {
  const { self, handled, refused } = await startCounting(local);
  const stranger = makeClient({ tls: foreign, secret: undefined });
  expect(await problemOf(stranger.client.ask(self.id, 'hello', 1, anySignal()))).toMatch(/^Refused: .*certificates/);
  // Trusts the server, and shows what the server does not trust.
  const halfStranger = makeClient({ tls: { ...foreign, ca: authority.pem }, secret: undefined });
  expect(await problemOf(halfStranger.client.ask(self.id, 'hello', 1, anySignal()))).toMatch(
    /^(Refused|Unreachable): /,
  );
  expect(handled).toEqual([]);
  await expect.poll(() => refused).toContain('certificate');
});

test('who answers must be the host that was dialled', async () => {
  for (const tls of [elsewhere, nameless]) {
    const { self, handled } = await startCounting(tls);
    const { client } = makeClient({ tls: local, secret: undefined });
    expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toMatch(/^Refused: .*certificates/);
    expect(handled).toEqual([]);
  }
});

test('without a certificate, and without TLS, nobody gets in', async () => {
  const { self, handled } = await startCounting(local, SECRET);
  const { client } = makeClient();
  expect(await problemOf(client.ask(self.id, 'hello', 1, anySignal()))).toMatch(/^(Refused|Unreachable): /);
  expect(handled).toEqual([]);
});

test('with certificates and a secret, both are needed', async () => {
  const { self, handled } = await startCounting(local, SECRET);
  const both = makeClient({ tls: local });
  await both.client.ask(self.id, 'hello', 1, anySignal());
  const certificateOnly = makeClient({ tls: local, secret: undefined });
  expect(await problemOf(certificateOnly.client.ask(self.id, 'hello', 2, anySignal()))).toMatch(/^Refused: .*secret/);
  expect(handled).toEqual([1]);
});

test('renewed certificates are used for new connections, of either side; what is under way goes on', async () => {
  const renewed = await (await makeAuthority('renewed')).issue(['127.0.0.1']);
  let say: (line: string) => void = () => undefined;
  const hello = { kind: 'ask', handle: async (body: unknown) => body } as const;
  const acquire = {
    kind: 'lines',
    handle: async function* () {
      yield 'before';
      yield await new Promise((resolve) => {
        say = resolve;
      });
    },
  } as const;
  const { server, self } = await startServer({ hello, acquire }, { tls: local, secret: undefined });
  const { client } = makeClient({ tls: local, secret: undefined });
  const lines = await client.lines(self.id, 'acquire', 1, anySignal());
  expect((await lines.next()).value).toBe('before');
  await client.ask(self.id, 'hello', 1, anySignal());

  server.renew(renewed);
  client.renew(renewed);
  expect(await client.ask(self.id, 'hello', 2, anySignal())).toBe(2);
  const old = makeClient({ tls: local, secret: undefined });
  expect(await problemOf(old.client.ask(self.id, 'hello', 3, anySignal()))).toMatch(/^Refused: .*certificates/);
  say('after');
  expect(await collect(lines)).toEqual(['after']);
});
