// The verification of the cache over the admin port: what it tells line by line, and that it ends when it should.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { AdminServer } from '../../src/admin/admin-server.ts';
import { CacheVerification, type VerifiedPiece, type VerifyCache } from '../../src/admin/cache-verification.ts';
import { Metrics } from '../../src/admin/metrics.ts';
import { METRICS } from '../../src/metrics.ts';

function found(piece: number, soundness: VerifiedPiece['soundness']): VerifiedPiece {
  return { origin: 'main', bucket: 'models', key: 'a/b', piece, bytes: 10, soundness };
}

const never = new AbortController().signal;

function linesOf(answer: string): unknown[] {
  return answer
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

async function serve(verifyCache: VerifyCache | undefined, token?: string) {
  const server = await AdminServer.open(
    {
      notReady: () => undefined,
      status: () => Promise.resolve({}),
      metrics: new Metrics(METRICS),
      where: async () => 'Nothing is known.',
      log: { error: () => undefined, warn: () => undefined, info: () => undefined },
      verifyCache,
    },
    { host: '127.0.0.1', port: 0, token },
  );
  onTestFinished(() => server.close());
  const post = async (query = '', headers: Record<string, string> = {}): Promise<IncomingMessage> => {
    const asked = request({
      host: '127.0.0.1',
      port: server.port,
      path: `/cache/verify${query}`,
      method: 'POST',
      headers,
    });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer;
  };
  return { server, post };
}

/** Tells one piece, then waits until it is ended. */
function hanging() {
  const state = { begun: 0, ended: 0 };
  const verify: VerifyCache = async function* (_options, signal) {
    state.begun += 1;
    yield found(0, 'damaged');
    if (!signal.aborted) await once(signal, 'abort');
    state.ended += 1;
  };
  return { state, verify };
}

test('damage is told as it is found, progress from time to time, and the sums at the end', async () => {
  let nowMs = 0;
  const verify: VerifyCache = async function* () {
    yield found(0, 'sound');
    yield found(1, 'damaged');
    nowMs = 700;
    yield found(2, 'sound');
    yield found(3, 'absent');
    nowMs = 1_500;
  };
  const verification = new CacheVerification({ verify, now: () => nowMs }, { progressMs: 500 });
  const stream = verification.start({ bytesPerSecond: undefined }, never);
  if (stream === undefined) throw new Error('Nothing else is under way.');
  expect(linesOf(await text(stream))).toEqual([
    { type: 'progress', pieces: 0, bytes: 0, sound: 0, damaged: 0, absent: 0 },
    { type: 'damaged', origin: 'main', bucket: 'models', key: 'a/b', piece: 1, bytes: 10 },
    { type: 'progress', pieces: 3, bytes: 30, sound: 2, damaged: 1, absent: 0 },
    { type: 'summary', pieces: 4, bytes: 40, sound: 2, damaged: 1, absent: 1, seconds: 1.5 },
  ]);
});

test('what goes wrong is the last line, and no summary is told', async () => {
  const { post } = await serve(async function* () {
    yield found(0, 'sound');
    throw new Error('LevelDB is closed.');
  });
  const answer = await post();
  expect(answer.headers['content-type']).toBe('application/x-ndjson');
  expect(linesOf(await text(answer)).slice(1)).toEqual([{ type: 'failed', error: 'LevelDB is closed.' }]);
});

test('there is one verification at a time; when its asker leaves it ends, and there can be another', async () => {
  const { state, verify } = hanging();
  const { post } = await serve(verify);
  const first = await post();
  const second = await post();
  expect(second.statusCode).toBe(409);
  expect(JSON.parse(await text(second))).toEqual({ error: 'The cache is being verified already.' });
  expect(state).toEqual({ begun: 1, ended: 0 });
  first.destroy();
  await expect.poll(() => state.ended).toBe(1);
  await expect.poll(async () => (await post()).statusCode).toBe(200);
});

test('closing the port ends a verification first, and its asker gets no summary', async () => {
  const { state, verify } = hanging();
  const { server, post } = await serve(verify);
  const answer = await post();
  const reading = text(answer).catch((error: unknown) => error);
  await expect.poll(() => state.begun).toBe(1);
  await server.close();
  expect(state.ended).toBe(1);
  expect(String(await reading)).not.toContain('summary');
});

test('the rate is passed on, and one that is no number is refused', async () => {
  const rates: unknown[] = [];
  const { post } = await serve(async function* ({ bytesPerSecond }) {
    rates.push(bytesPerSecond);
    yield found(0, 'sound');
  });
  for (const query of ['', '?bytesPerSecond=1048576']) expect((await post(query)).statusCode).toBe(200);
  expect(rates).toEqual([undefined, 1_048_576]);
  for (const query of ['?bytesPerSecond=0', '?bytesPerSecond=x', '?bytesPerSecond=1&bytesPerSecond=2']) {
    const refused = await post(query);
    expect(refused.statusCode).toBe(400);
    expect(await text(refused)).toContain('bytesPerSecond must be a whole number');
  }
  expect(rates).toHaveLength(2);
});

test('a gateway that caches nothing says so; where there is a token it is asked for', async () => {
  const none = await (await serve(undefined)).post();
  expect(none.statusCode).toBe(409);
  expect(await text(none)).toContain('caches nothing');
  const { post } = await serve(async function* () {
    yield found(0, 'sound');
  }, 'right');
  expect((await post()).statusCode).toBe(401);
  expect((await post('', { authorization: 'Bearer right' })).statusCode).toBe(200);
});
