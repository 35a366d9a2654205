// What clients of the gateway get while its origin fails, within which time, what the operator reads of it, and that
// nothing partial is stored: the table in docs/BACKENDS.md, over a real S3 server behind a proxy that misbehaves.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClientOutcome } from '../support/client-outcome.ts';
import { ERROR, WARN } from '../support/log-lines.ts';
import {
  type ClientGets,
  type FaultedOperation,
  ORIGIN_FAULTS,
  type OriginFault,
  UNREACHABLE,
  UNREACHABLE_GETS,
} from '../support/origin-fault-table.ts';
import { BREAKER_BUCKET, BUCKET, BYTES, LIMITS, OriginWorld } from '../support/origin-world.ts';

/** What machines that do something else as well may take beside the limits themselves. */
const SLACK_MS = 3_000;
const ATTEMPTS = LIMITS.retries + 1;
/** A fill asks the origin again three times before it gives up. */
const FILL_ATTEMPTS = 3;
const WITHIN_MS = LIMITS.idleTimeout * (1 + FILL_ATTEMPTS) + SLACK_MS;
const UNREACHABLE_WITHIN_MS = LIMITS.connectTimeout * ATTEMPTS + SLACK_MS;

const OPERATIONS: readonly FaultedOperation[] = ['GetObject', 'PutObject', 'UploadPart', 'CompleteMultipartUpload'];

let world: OriginWorld;
let keys = 0;

function aboutKey(key: string) {
  return ({ url = '' }: { url?: string | undefined }) => url.startsWith(`/${BUCKET}/${key}`);
}

function freshKey(): string {
  keys += 1;
  return `key-${keys}-`;
}

describe.each([
  ['through the cache', { enabled: true }],
  ['without a cache', { enabled: false }],
] as const)('an S3 origin, %s', (_, cache) => {
  beforeAll(async () => {
    world = await OriginWorld.open({ cache });
  });
  afterAll(() => world.close());

  describe.each(ORIGIN_FAULTS)('that $name', (fault) => {
    test.each(OPERATIONS)(
      '%s: its client gets what the table says, in time; nothing partial is stored; others are served',
      async (operation) => {
        const key = freshKey();
        const act = await world.prepare(operation, key);
        world.fail(operation, key, operation === 'GetObject' ? fault.onRead : fault.onWrite);
        const [outcome] = await Promise.all([act(), world.serveOthers()]);
        expectOutcome(outcome, operation === 'GetObject' ? fault.reader : fault.writer, operation);
        expect(outcome.elapsedMs).toBeLessThan(WITHIN_MS);
        expectLogged(key, fault);
        world.proxy.behave();
        await expectStored(operation, key, fault);
      },
    );

    test('requests that follow are served as if nothing had been', async () => {
      const key = freshKey();
      expect(await world.ask('PUT', `/${BUCKET}/${key}`, BYTES)).toMatchObject({ status: 200 });
      const { status, body } = await world.ask('GET', `/${BUCKET}/${key}`);
      expect([status, body.equals(BYTES)]).toEqual([200, true]);
    });
  });

  test('an origin that cuts one answer is asked for the rest, and the client notices nothing', async (context) => {
    if (!cache.enabled) context.skip('without a cache a body is passed on as it comes');
    const key = freshKey();
    const act = await world.prepare('GetObject', key);
    const from = world.proxy.seen.length;
    world.proxy.misbehave({ fault: { kind: 'cut-answer', afterBytes: 600_000 }, when: aboutKey(key), times: 1 });
    const { status, cut, body } = await act();
    expect([status, cut, body.equals(BYTES)]).toEqual([200, false, true]);
    expect(world.proxy.seen.slice(from).filter((line) => line.includes(key))).toHaveLength(2);
  });

  describe.each(UNREACHABLE)('that $name', ({ bucket }) => {
    test.each([
      ['GET', ''],
      ['PUT', ''],
      ['PUT', '?partNumber=1&uploadId=any'],
      ['POST', '?uploadId=any'],
    ])('%s%s: its client gets 503 in time, and others are served', async (method, query) => {
      const key = freshKey();
      const body = method === 'PUT' ? BYTES : '<CompleteMultipartUpload></CompleteMultipartUpload>';
      const asking = world.ask(method, `/${bucket}/${key}${query}`, method === 'GET' ? '' : body);
      const [outcome] = await Promise.all([asking, world.serveOthers()]);
      expect(outcome).toMatchObject(UNREACHABLE_GETS);
      expect(outcome.elapsedMs).toBeLessThan(UNREACHABLE_WITHIN_MS);
      expect(world.log.of(key)).toMatchObject([{ level: WARN, backend: `far-${bucket}`, code: 'Unavailable' }]);
    });
  });

  test('after failures in a row requests fail at once and do not reach the origin, until one gets an answer', async () => {
    const key = freshKey();
    await world.prepare('GetObject', key);
    const path = `/${BREAKER_BUCKET}/${key}`;
    world.proxy.misbehave({ fault: { kind: 'answer', status: 500, code: 'InternalError' }, when: () => true });
    let refused: ClientOutcome | undefined;
    await expect
      .poll(async () => {
        const before = world.proxy.seen.length;
        refused = await world.ask('PUT', path, 'x');
        return [refused.code, world.proxy.seen.length - before];
      })
      .toEqual(['ServiceUnavailable', 0]);
    expect(world.log.of(key).at(-1)).toMatchObject({ backend: 'far-breaker', nativeCode: 'CircuitOpen' });
    expect(world.log.lines).toContainEqual(
      expect.objectContaining({ origin: 'far-breaker', msg: expect.stringContaining('fail fast') }),
    );
    await world.serveOthers();
    world.proxy.behave();
    await expect.poll(async () => (await world.ask('GET', path)).status, { timeout: 5_000 }).toBe(200);
  });
});

function expectOutcome(outcome: ClientOutcome, gets: ClientGets, operation: FaultedOperation): void {
  const { status, code, cut, body } = outcome;
  if (gets === 'cut') {
    expect({ status, cut }).toEqual({ status: 200, cut: true });
    expect(body.length).toBeLessThan(BYTES.length);
    expect(body.equals(BYTES.subarray(0, body.length))).toBe(true);
  } else if (gets === 'success') {
    expect({ status, cut }).toEqual({ status: 200, cut: false });
    if (operation === 'GetObject') expect(body.equals(BYTES)).toBe(true);
  } else {
    expect({ status, code, cut }).toEqual({ ...gets, cut: false });
    if (code === 'SlowDown') expect(outcome.headers['retry-after']).toBe('1');
  }
}

/** One line, that names the backend and what the origin said. */
function expectLogged(key: string, { logged }: OriginFault): void {
  const { level, ...rest } = logged ?? {};
  const expected = { level: level === 'error' ? ERROR : WARN, backend: 'far', ...rest };
  expect(world.log.of(key)).toMatchObject(logged === undefined ? [] : [expected]);
}

async function expectStored(operation: FaultedOperation, key: string, { stores = false }: OriginFault): Promise<void> {
  if (operation === 'GetObject') return;
  if (operation === 'UploadPart') {
    expect(await world.storedParts(key)).toEqual(stores ? [BYTES.length] : []);
    expect(await world.stored(key)).toBeUndefined();
    return;
  }
  expect((await world.stored(key))?.equals(BYTES)).toBe(stores ? true : undefined);
  if (operation === 'CompleteMultipartUpload' && !stores) expect(await world.storedParts(key)).toEqual([BYTES.length]);
}
