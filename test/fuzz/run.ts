// npm run fuzz: throws arbitrary requests at a live gateway for a while. Each comes from a seed of its own; one that is
// answered as none may be is printed with its seed. --help says the rest.
import fc from 'fast-check';
import { settledWithin } from '../../src/concurrency/settled-within.ts';
import type { Credential } from '../../src/s3/auth/credentials.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { scriptCommand, wholeNumber } from '../support/script-command.ts';
import { sendRaw, signedHeaders } from '../support/signed-request.ts';
import { type HttpAnswer, judge, readAnswers } from './answers.ts';
import { type ArbitraryRequest, arbitraryRequest, damaged, type SoundRequest } from './arbitrary-request.ts';
import { KEPT_SEEDS } from './kept-seeds.ts';

/** Connections at a time. */
const PARALLEL = 8;
const TELL_EVERY_MS = 5_000;
/** Longer than any limit of the gateway under fuzz: whoever still waits then waits for ever. */
const HANG_MS = 20_000;
const LIMITS = { headersTimeout: '2s', bodyTimeout: '2s', answerTimeout: '5s', requestsPerKey: 128 };

interface World {
  readonly gateway: TestGateway;
  readonly port: number;
  readonly credential: Credential;
}

const options = scriptCommand(
  'fuzz',
  'Throws arbitrary requests at a live gateway. One that is answered as none may be is printed with its seed.',
)
  .option('--seconds <number>', 'for how long', wholeNumber, 600)
  .option('--seed <number>', 'throw only the request of this seed; may be repeated', oneMore)
  .option(
    '--first <number>',
    'begin with this seed, some hundreds before one that fails only after others',
    wholeNumber,
  )
  .parse()
  .opts<{ seconds: number; seed?: readonly number[]; first?: number }>();
const statuses = new Map<number | 'cut', number>();
const failures: string[] = [];

function oneMore(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, wholeNumber(text)];
}

function requestOf(seed: number): ArbitraryRequest {
  const [request] = fc.sample(arbitraryRequest, { seed, numRuns: 1 });
  if (request === undefined) throw new Error(`Nothing comes of the seed ${seed}.`);
  return request;
}

function wireOf(request: SoundRequest, { port, credential }: World, last: boolean): Buffer {
  const { method, path, body, chunked } = request;
  const given = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !(last && name === 'connection')),
  );
  const raw = { method, path, headers: given, body, credential: request.signed ? credential : null };
  const headers: Record<string, string> = { ...signedHeaders(raw, `127.0.0.1:${port}`) };
  if (chunked) headers['transfer-encoding'] = 'chunked';
  else if (body.length > 0 || method === 'PUT' || method === 'POST') headers['content-length'] = String(body.length);
  if (last) headers.connection = 'close';
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
  if (!chunked) return Buffer.concat([head, body]);
  const chunk = body.length === 0 ? '' : `${body.length.toString(16)}\r\n${body.toString('latin1')}\r\n`;
  return Buffer.concat([head, Buffer.from(`${chunk}0\r\n\r\n`, 'latin1')]);
}

async function exchange(wire: Buffer, port: number, ends: boolean): Promise<Buffer> {
  const connection = await RawConnection.open(port);
  connection.send(wire.toString('latin1'));
  if (ends) connection.socket.end();
  let hung = true;
  const closed = connection.closed.then(() => {
    hung = false;
  });
  await settledWithin([closed], HANG_MS);
  if (hung) {
    connection.socket.destroy();
    throw new Error(`The connection was still open after ${HANG_MS} ms.`);
  }
  return Buffer.from(connection.received, 'latin1');
}

/** Rejects with what no client should meet. */
async function tryRequest(request: ArbitraryRequest, world: World): Promise<void> {
  if (request.kind === 'sound') {
    const answers = readAnswers(await exchange(wireOf(request, world, true), world.port, false), [request.method]);
    if (answers.length !== 1) throw new Error(`A sound request got ${answers.length} answers.`);
    await judgeAll(answers, [request.method]);
    return;
  }
  const wire = damaged(
    Buffer.concat(request.of.map((one, index) => wireOf(one, world, index === request.of.length - 1))),
    request.damage,
  );
  const received = await exchange(wire, world.port, true);
  // What was damaged may have become another method, or two requests one: only what can be told apart is judged.
  if (received.length === 0) statuses.set('cut', (statuses.get('cut') ?? 0) + 1);
  else await judgeAll(readAnswers(received, []).slice(0, 1), [undefined]);
}

async function judgeAll(answers: readonly HttpAnswer[], methods: readonly (string | undefined)[]): Promise<void> {
  for (const [index, answer] of answers.entries()) {
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    await judge(answer, methods[index]);
  }
}

async function fuzzSeed(seed: number, world: World): Promise<void> {
  const request = requestOf(seed);
  try {
    await tryRequest(request, world);
  } catch (error) {
    const shown = JSON.stringify(request, (_, part) =>
      part?.type === 'Buffer' ? Buffer.from(part.data).toString('latin1') : part,
    );
    failures.push(`seed ${seed}: ${error instanceof Error ? error.message : error}\n  ${shown.slice(0, 2_000)}`);
  }
}

async function main(): Promise<void> {
  process.on('uncaughtException', (error) => failures.push(`The process met: ${error.stack}`));
  process.on('unhandledRejection', (reason) => failures.push(`The process met an unhandled rejection: ${reason}`));
  await using gateway = await startGateway({ config: { limits: LIMITS } });
  const { accessKeyId, secretAccessKey } = gateway;
  const credential: Credential = { name: 'fuzz', account: 'fuzz', accessKeyId, secretAccessKey };
  const world: World = { gateway, port: Number(new URL(gateway.s3Url).port), credential };
  for (const path of ['/fuzz', '/fuzz/key-1', '/fuzz/key-2']) {
    await sendRaw(world.port, { method: 'PUT', path, body: path === '/fuzz' ? '' : 'hello world', credential });
  }

  const asked = options.seed ?? KEPT_SEEDS;
  for (const seed of asked) await fuzzSeed(seed, world);
  let count = asked.length;
  const first = options.first ?? Math.trunc(Math.random() * 2 ** 30);
  const until = performance.now() + (options.seed === undefined ? options.seconds * 1000 : 0);
  setInterval(() => console.error(`${count} requests, ${failures.length} failed`), TELL_EVERY_MS).unref();
  const lane = async () => {
    while (performance.now() < until && failures.length < 20) {
      count += 1;
      await fuzzSeed(first + count, world);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  const after = await sendRaw(world.port, { path: '/', credential });
  if (after.status !== 200) failures.push(`After all of it, listing buckets is answered ${after.status} ${after.text}`);
  report(count);
}

function report(count: number): void {
  const byStatus = [...statuses].sort(([one], [other]) => String(one).localeCompare(String(other)));
  console.log(`${count} requests: ${byStatus.map(([status, times]) => `${times} x ${status}`).join(', ')}`);
  for (const failure of failures) console.log(failure);
  console.log(`${count - failures.length} passed, ${failures.length} failed`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

await main();
