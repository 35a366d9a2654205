// npm run bench:mesh: what a call between gateways costs, on loopback. The server is a process of its own, so that the
// CPU of either side is told apart; one at a time gives the latency, 32 in flight the rate.
import { fork } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { HttpMeshClient } from '../../src/mesh/transport/http-mesh-client.ts';
import { MeshServer } from '../../src/mesh/transport/mesh-server.ts';
import type { CallName } from '../../src/mesh/transport.ts';
import { positiveNumber, scriptCommand } from '../../test/support/script-command.ts';
import { CLIENT_LIMITS, memberAt, SERVER_LIMITS } from './limits.ts';

const SECRET = 'a secret of the bench, long enough';
const never = new AbortController().signal;
setMaxListeners(0, never);

if (process.send === undefined) await measure(secondsAsked());
else await serve();

function secondsAsked(): number {
  const { processedArgs } = scriptCommand('bench:mesh', 'Measures what a call between gateways costs, on loopback.')
    .argument('[seconds]', 'how long each of the six rows is measured', positiveNumber, 3)
    .parse();
  return processedArgs[0];
}

async function serve(): Promise<void> {
  // Whoever measures may have failed.
  process.once('disconnect', () => process.exit());
  const log = { warn: () => undefined, error: console.error };
  const server = await MeshServer.listen(
    { log, refused: (reason) => console.error('refused', reason) },
    { ...SERVER_LIMITS, host: '127.0.0.1', port: 0, secret: SECRET },
  );
  const echo = async (body: unknown) => body;
  async function* line(body: unknown) {
    yield body;
  }
  server.serve({
    self: memberAt(server.port),
    handlers: { hello: { kind: 'ask', handle: echo }, acquire: { kind: 'lines', handle: line } },
    listHash: () => 'abc',
    onMember: () => undefined,
    onListHash: () => undefined,
  });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicros: user + system });
  });
  const bare = createServer((req, res) => {
    let text = '';
    req.on('data', (chunk) => {
      text += chunk;
    });
    req.on('end', () => res.end(text));
  });
  bare.listen(0, '127.0.0.1', () => {
    process.send?.({ port: server.port, barePort: (bare.address() as AddressInfo).port });
  });
}

async function measure(seconds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [], { execArgv: process.execArgv });
  const [{ port, barePort }] = (await once(child, 'message')) as [{ port: number; barePort: number }];
  const client = new HttpMeshClient(
    { self: memberAt(1), listHash: () => 'abc', onMember: () => undefined, onListHash: () => undefined },
    { ...CLIENT_LIMITS, secret: SECRET },
  );
  const to = `127.0.0.1:${port}`;
  const body = { slab: 'a'.repeat(64), pieces: [7], peer: to, wait: true };
  const agent = new Agent({ keepAlive: true, scheduling: 'lifo' });
  const calls: Record<string, () => Promise<void>> = {
    bare: () => askBare(agent, barePort, JSON.stringify(body)),
    ask: async () => void (await client.ask(to, 'hello' satisfies CallName, body, never)),
    lines: async () => {
      for await (const _ of await client.lines(to, 'acquire', body, never)) {
        // Only the end matters.
      }
    },
  };
  const serverCpu = async (): Promise<number> => {
    child.send('cpu');
    const [{ cpuMicros }] = (await once(child, 'message')) as [{ cpuMicros: number }];
    return cpuMicros;
  };
  for (const [name, call] of Object.entries(calls)) {
    await run(call, 1, 1_000);
    for (const inFlight of [1, 32]) {
      const before = { client: process.cpuUsage(), server: await serverCpu() };
      const { millis, wallMs } = await run(call, inFlight, seconds * 1_000);
      const { user, system } = process.cpuUsage(before.client);
      const ours = (user + system) / millis.length;
      const theirs = ((await serverCpu()) - before.server) / millis.length;
      millis.sort((a, b) => a - b);
      const at = (share: number) => (millis[Math.floor(millis.length * share)] ?? Number.NaN).toFixed(3);
      console.log(
        `${name.padEnd(5)} ${String(inFlight).padStart(2)} in flight: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
          `${Math.round((millis.length / wallMs) * 1_000)} calls/s, CPU per call: ` +
          `server ${theirs.toFixed(1)} µs (${Math.round(1e6 / theirs)}/s per core), client ${ours.toFixed(1)} µs`,
      );
    }
  }
  client.close();
  agent.destroy();
  child.kill();
}

/** The floor: node:http without anything of the mesh. */
function askBare(agent: Agent, port: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/' }, (res) => {
      res.resume();
      res.once('end', resolve);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

async function run(call: () => Promise<void>, inFlight: number, forMs: number) {
  const millis: number[] = [];
  const begun = performance.now();
  const worker = async () => {
    while (performance.now() - begun < forMs) {
      const at = performance.now();
      await call();
      millis.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { millis, wallMs: performance.now() - begun };
}
