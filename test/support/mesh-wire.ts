// Two gateways' ends of the mesh port on real sockets: a server with the handlers that a test gives, clients of it, and
// requests written by hand.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Member } from '../../src/mesh/member.ts';
import { HttpMeshClient, type HttpMeshClientOptions } from '../../src/mesh/transport/http-mesh-client.ts';
import { MeshServer, type MeshServerOptions } from '../../src/mesh/transport/mesh-server.ts';
import type { Handlers } from '../../src/mesh/transport.ts';
import { LogLines } from './log-lines.ts';
import { WireProxy } from './wire-proxy.ts';

export const SECRET = 'the secret of the mesh under test';
export const LIST_HASH = 'cafe';

const SERVER: Omit<MeshServerOptions, 'host' | 'port'> = {
  secret: SECRET,
  maxConnections: 100,
  headersTimeoutMs: 10_000,
  skewMs: 60_000,
  maxBodyBytes: 1024 * 1024,
  heartbeatMs: 10_000,
  maxSenders: 100,
  maxRequests: 100,
  maxRequestsPerMember: 50,
  maxRequestsPerSecond: 1_000_000,
};

export const CLIENT: HttpMeshClientOptions = {
  secret: SECRET,
  connectTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  askTimeoutMs: 10_000,
  linesTimeoutMs: 10_000,
  bytesTimeoutMs: 10_000,
  silenceTimeoutMs: 10_000,
  maxAnswerBytes: 1024 * 1024,
  maxCallsPerMember: 100,
  maxIdlePerMember: 50,
};

export function memberAt(port: number, more: Partial<Member> = {}): Member {
  const key = 'k'.repeat(43);
  return { id: `127.0.0.1:${port}`, role: 'tracker', zone: 'zone ä', incarnation: 'run-1', key, ...more };
}

export interface ServerWorld {
  readonly server: MeshServer;
  readonly self: Member;
  readonly refused: string[];
  readonly log: LogLines;
  /** Who called. */
  readonly members: Member[];
  readonly otherLists: string[];
}

/** A server that does not serve yet. */
export async function listen(options: Partial<MeshServerOptions> = {}): Promise<Omit<ServerWorld, 'self'>> {
  const refused: string[] = [];
  const log = new LogLines();
  const server = await MeshServer.listen(
    { log: log.logger, refused: (reason) => refused.push(reason) },
    { ...SERVER, host: '127.0.0.1', port: 0, ...options },
  );
  onTestFinished(() => server.close(0));
  return { server, refused, log, members: [], otherLists: [] };
}

export async function startServer(
  handlers: Handlers,
  options: Partial<MeshServerOptions> = {},
  self: Partial<Member> = {},
): Promise<ServerWorld> {
  const world = await listen(options);
  const served = { ...world, self: memberAt(world.server.port, self) };
  serveOn(served, handlers);
  return served;
}

/** The proxy's address is the server's identity. */
export async function startBehindProxy(
  handlers: Handlers,
  options: Partial<MeshServerOptions> = {},
): Promise<ServerWorld & { readonly proxy: WireProxy }> {
  const proxy = await WireProxy.start();
  onTestFinished(() => proxy.close());
  const world = await startServer(handlers, options, { id: `127.0.0.1:${proxy.port}` });
  proxy.to(world.server.port);
  return { ...world, proxy };
}

function serveOn(world: ServerWorld, handlers: Handlers): void {
  world.server.serve({
    self: world.self,
    handlers,
    listHash: () => LIST_HASH,
    onMember: (member) => world.members.push(member),
    onListHash: (from, hash) => world.otherLists.push(`${from.id} ${hash}`),
  });
}

export interface ClientWorld {
  readonly client: HttpMeshClient;
  readonly self: Member;
  /** Who answered. */
  readonly members: Member[];
  readonly otherLists: string[];
}

export function makeClient(
  options: Partial<HttpMeshClientOptions> = {},
  { self = memberAt(1), listHash = LIST_HASH }: { readonly self?: Member; readonly listHash?: string } = {},
): ClientWorld {
  const members: Member[] = [];
  const otherLists: string[] = [];
  const deps = {
    self,
    listHash: () => listHash,
    onMember: (member: Member) => void members.push(member),
    onListHash: (from: Member, hash: string) => void otherLists.push(`${from.id} ${hash}`),
  };
  const client = new HttpMeshClient(deps, { ...CLIENT, ...options });
  onTestFinished(() => client.close());
  return { client, self, members, otherLists };
}

export const anySignal = (): AbortSignal => new AbortController().signal;

export interface Latch {
  readonly opened: Promise<void>;
  open(): void;
}

export function latch(): Latch {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** 'Code: message' of what a promise rejects with. */
export async function problemOf(promise: Promise<unknown>): Promise<string> {
  try {
    return `no problem: ${JSON.stringify(await promise)}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${error.code}: ${error.message}` : String(error);
  }
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** A request as somebody else would write it. */
export async function sendRaw(
  port: number,
  { method = 'POST', path, headers = [], body = '' }: RawRequest,
): Promise<RawAnswer> {
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
  sent.end(body);
  const [res] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of res) text += chunk;
  return { status: res.statusCode ?? 0, headers: res.headers, text };
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}
