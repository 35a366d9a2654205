// npx tsx bench/mesh/thin-streams.ts: what pieces cost that come in thin streams, as over wires that many share: a few
// packets at a time from each of eight connections. Who gives them, who gets them and the thin wire between
// the two are processes of their own; what the first two cost is told, each by itself.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { positiveNumber, scriptCommand } from '../../test/support/script-command.ts';
import { borrowerOf, PIECE_BYTES, serveMesh } from './exchange-ends.ts';

const STREAMS = 8;
const READ_BYTES = 4 * 1024;
const EVERY_MS = 3;
const MIB = 1024 * 1024;

const [role, argument] = process.argv.slice(2);
if (process.send === undefined) await measure(secondsAsked());
else if (role === 'wire') await passThinly();
else await lend(Number(argument));

function secondsAsked(): number {
  const { processedArgs } = scriptCommand('bench/mesh/thin-streams.ts', 'Measures what pieces in thin streams cost.')
    .argument('[seconds]', 'how long it is measured', positiveNumber, 10)
    .parse();
  return processedArgs[0];
}

async function measure(seconds: number): Promise<void> {
  const [wire, port] = await start('wire');
  const [lender, lenderPort] = await start('lender', port);
  wire.send(lenderPort);
  const borrow = borrowerOf(`127.0.0.1:${port}`);
  await Promise.all(Array.from({ length: STREAMS }, borrow));
  lender.send('begin');
  const endsAt = performance.now() + seconds * 1000;
  const before = process.cpuUsage();
  let pieces = 0;
  const stream = async () => {
    while (performance.now() < endsAt) {
      await borrow();
      pieces += 1;
    }
  };
  await Promise.all(Array.from({ length: STREAMS }, stream));
  const got = process.cpuUsage(before);
  lender.send('end');
  const [gave] = (await once(lender, 'message')) as [number];
  const mib = (pieces * PIECE_BYTES) / MIB;
  const cost = (microseconds: number) => `${(microseconds / 1000 / mib).toFixed(2)} CPU-ms/MiB`;
  console.log(
    `${mib} MiB, ${READ_BYTES} bytes at a time: getting ${cost(got.user + got.system)}, giving ${cost(gave)}`,
  );
  wire.kill();
  lender.kill();
  process.exit(0);
}

async function start(...args: readonly (string | number)[]): Promise<[ChildProcess, number]> {
  const child = fork(fileURLToPath(import.meta.url), args.map(String), { execArgv: process.execArgv });
  const [port] = (await once(child, 'message')) as [number];
  return [child, port];
}

async function lend(known: number): Promise<void> {
  const server = await serveMesh(known);
  process.send?.(server.port);
  let before = process.cpuUsage();
  process.on('message', (said) => {
    const { user, system } = process.cpuUsage(before);
    if (said === 'begin') before = process.cpuUsage();
    else process.send?.(user + system);
  });
}

async function passThinly(): Promise<void> {
  let target = 0;
  process.once('message', (port: number) => {
    target = port;
  });
  const server = createServer((socket) => thinly(connect(target, '127.0.0.1'), socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.((server.address() as AddressInfo).port);
}

function thinly(from: Socket, to: Socket): void {
  to.pipe(from);
  to.setNoDelay(true);
  const timer = setInterval(() => {
    const bytes: Buffer | null = from.read(Math.min(READ_BYTES, from.readableLength));
    if (bytes !== null) to.write(bytes);
  }, EVERY_MS);
  to.once('close', () => {
    clearInterval(timer);
    from.destroy();
  });
}
