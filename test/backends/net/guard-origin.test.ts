// Retries, the circuit and the caps around an origin, by a clock that the test moves.
import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type Backend, BackendError, type BackendErrorCode, type UploadBody } from '../../../backends/backend.ts';
import { guardOrigin, type OriginLimits } from '../../../backends/net/guard-origin.ts';
import { openS3Backend } from '../../../backends/s3.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { StubBackend } from './stub-backend.ts';

const REF = { bucket: 'b', key: 'k' };
const { signal } = new AbortController();

function world(limits: OriginLimits = {}) {
  const clock = new FakeClock();
  const backend = new StubBackend();
  const lines: string[] = [];
  const note = (_fields: Record<string, unknown>, message: string) => void lines.push(message);
  const guarded = guardOrigin(backend, limits, { name: 'main', clock, log: { info: note, warn: note } });
  return { clock, backend, guarded, lines };
}

function fails(code: BackendErrorCode, times = Number.POSITIVE_INFINITY): () => void {
  let left = times;
  return () => {
    left -= 1;
    if (left >= 0) throw new BackendError(code, 'as the test wants');
  };
}

function upload(): UploadBody {
  return { sizeBytes: 4, stream: Readable.from([Buffer.from('body')]), declared: {}, digests: () => ({}) };
}

async function outcome(work: Promise<unknown>, clock: FakeClock): Promise<unknown> {
  const settled = work.then(
    () => 'done',
    (error: unknown) => error,
  );
  await clock.advance(60_000);
  return settled;
}

test('no ability of an origin is lost behind its guard', async () => {
  const keys = { accessKeyId: 'a', secretAccessKey: 'b' };
  const every: Backend = {
    ...openS3Backend({ endpoint: 'http://127.0.0.1:1', ...keys }),
    objectParts: async () => undefined,
    bucketDocuments: {
      get: async () => undefined,
      set: async () => undefined,
      delete: async () => undefined,
    },
  };
  const guarded = guardOrigin(every, {}, { name: 'main', log: { info: () => undefined, warn: () => undefined } });
  expect(Object.keys(guarded).sort()).toEqual(Object.keys(every).sort());
  await every.close();
});

test('a head that failed is tried again until it succeeds, at most as often as the limit says', async () => {
  const { clock, backend, guarded } = world({ retries: 2 });
  backend.before = fails('Unavailable', 2);
  expect(await outcome(guarded.head(REF, {}, signal), clock)).toBe('done');
  expect(backend.attempts).toBe(3);
  backend.before = fails('SlowDown');
  backend.attempts = 0;
  expect(await outcome(guarded.head(REF, {}, signal), clock)).toMatchObject({ code: 'SlowDown' });
  expect(backend.attempts).toBe(3);
});

test('a put is sent once however it failed', async () => {
  const { clock, backend, guarded } = world();
  backend.before = fails('Unavailable');
  expect(
    await outcome(guarded.put?.(REF, upload(), { headers: {}, metadata: {} }, signal) ?? settle(), clock),
  ).toMatchObject({ code: 'Unavailable' });
  expect(backend.attempts).toBe(1);
});

test('what the origin refuses, and what it was silent about, is not tried again', async () => {
  for (const code of ['NoSuchKey', 'AccessDenied', 'PreconditionFailed', 'Timeout'] as const) {
    const { clock, backend, guarded } = world();
    backend.before = fails(code);
    expect(await outcome(guarded.head(REF, {}, signal), clock)).toMatchObject({ code });
    expect(backend.attempts).toBe(1);
  }
});

test('an abort ends the pause between attempts at once', async () => {
  const { backend, guarded, clock } = world();
  backend.before = fails('Unavailable');
  const leaving = new AbortController();
  const head = guarded.head(REF, {}, leaving.signal);
  const refused = expect(head).rejects.toBe('gone');
  await settle();
  leaving.abort('gone');
  await refused;
  expect(backend.attempts).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

test('failures in a row open the circuit; one probe then decides; an answer closes it', async () => {
  const { clock, backend, guarded, lines } = world({ retries: 0, failuresToOpen: 3, openMs: 1_000 });
  backend.before = fails('Unavailable');
  for (let i = 0; i < 3; i += 1) await expect(guarded.head(REF, {}, signal)).rejects.toThrow('as the test wants');
  await expect(guarded.head(REF, {}, signal)).rejects.toThrow('Origin main is not answering; the next try is in 1 s.');
  expect(backend.attempts).toBe(3);
  await clock.advance(1_000);
  let answer: () => void = () => undefined;
  backend.before = () =>
    new Promise<void>((resolve) => {
      answer = resolve;
    });
  const probe = guarded.head(REF, {}, signal);
  await settle();
  await expect(guarded.head(REF, {}, signal)).rejects.toThrow('a try is under way');
  expect(backend.attempts).toBe(4);
  answer();
  await probe;
  backend.before = () => undefined;
  await guarded.head(REF, {}, signal);
  expect(lines).toEqual(['The origin does not answer; requests to it fail fast.', 'The origin answers again.']);
});

test('a probe that fails keeps the circuit open twice as long', async () => {
  const { clock, backend, guarded } = world({ retries: 0, failuresToOpen: 1, openMs: 1_000 });
  backend.before = fails('Unavailable');
  await expect(guarded.head(REF, {}, signal)).rejects.toThrow();
  await clock.advance(1_000);
  await expect(guarded.head(REF, {}, signal)).rejects.toThrow('as the test wants');
  await clock.advance(1_999);
  await expect(guarded.head(REF, {}, signal)).rejects.toThrow('the next try is in 1 s');
  await clock.advance(1);
  backend.before = () => undefined;
  await guarded.head(REF, {}, signal);
});

test('a probe whose caller left proves nothing: the next request probes', async () => {
  const { clock, backend, guarded } = world({ retries: 0, failuresToOpen: 1, openMs: 1_000 });
  backend.before = fails('Unavailable');
  await expect(guarded.head(REF, {}, signal)).rejects.toThrow();
  await clock.advance(1_000);
  const leaving = new AbortController();
  backend.before = () => {
    leaving.abort(new Error('left'));
    throw leaving.signal.reason;
  };
  await expect(guarded.head(REF, {}, leaving.signal)).rejects.toThrow('left');
  backend.before = () => undefined;
  await guarded.head(REF, {}, signal);
  expect(backend.attempts).toBe(3);
});

test('refusals never open the circuit and break a row of failures', async () => {
  const { backend, guarded } = world({ retries: 0, failuresToOpen: 2 });
  for (const code of ['NoSuchKey', 'NoSuchKey', 'Unavailable', 'AccessDenied', 'Unavailable', 'NoSuchKey'] as const) {
    backend.before = fails(code);
    await expect(guarded.head(REF, {}, signal)).rejects.toMatchObject({ code, nativeCode: undefined });
  }
  expect(backend.attempts).toBe(6);
});

test('bodies that are cut count as failures although their reads had begun', async () => {
  const { backend, guarded } = world({ retries: 0, failuresToOpen: 2 });
  backend.body = () => {
    const body = new PassThrough();
    body.on('error', () => undefined);
    queueMicrotask(() => body.destroy(new BackendError('Unavailable', 'cut')));
    return body;
  };
  for (let i = 0; i < 2; i += 1) {
    await guarded.read(REF, {}, signal);
    await settle();
  }
  await expect(guarded.read(REF, {}, signal)).rejects.toThrow('Origin main is not answering');
});

test('a read holds its slot until its body is destroyed; waiting demand goes before waiting prefetch', async () => {
  const { backend, guarded } = world({ maxInFlight: 1 });
  backend.body = () => new PassThrough();
  const order: string[] = [];
  const first = await guarded.read(REF, {}, signal);
  const ahead = guarded.read(REF, { priority: 'prefetch' }, signal).then((read) => {
    order.push('prefetch');
    return read;
  });
  const wanted = guarded.read(REF, {}, signal).then((read) => {
    order.push('demand');
    return read;
  });
  await settle();
  expect(backend.attempts).toBe(1);
  first.body.destroy();
  (await wanted).body.destroy();
  (await ahead).body.destroy();
  expect(order).toEqual(['demand', 'prefetch']);
});

test('a preheat waits for all others, until it becomes what a client waits for', async () => {
  const { backend, guarded } = world({ maxInFlight: 1 });
  const order: string[] = [];
  backend.body = () => new PassThrough();
  const first = await guarded.read(REF, {}, signal);
  const rising = { priority: 'preheat' as 'preheat' | 'demand' };
  const preheats = [{ priority: 'preheat' as const }, rising].map(async (options) => {
    const read = await guarded.read(REF, options, signal);
    order.push(options.priority);
    read.body.destroy();
  });
  const ahead = guarded.read(REF, { priority: 'prefetch' }, signal).then((read) => {
    order.push('prefetch');
    read.body.destroy();
  });
  await settle();
  rising.priority = 'demand';
  first.body.destroy();
  await Promise.all([...preheats, ahead]);
  expect(order).toEqual(['demand', 'prefetch', 'preheat']);
});

test('a queue past its limit is refused with SlowDown, and leaving it makes room', async () => {
  const { backend, guarded } = world({ maxInFlight: 1, maxQueued: 1, retries: 0 });
  backend.body = () => new PassThrough();
  const first = await guarded.read(REF, {}, signal);
  const leaving = new AbortController();
  const queued = expect(guarded.head(REF, {}, leaving.signal)).rejects.toBe('gone');
  await settle();
  await expect(guarded.head(REF, {}, signal)).rejects.toMatchObject({ code: 'SlowDown' });
  leaving.abort('gone');
  await queued;
  const next = guarded.head(REF, {}, signal);
  first.body.destroy();
  await next;
});

test('bytes past the rate wait, and arrive whole', async () => {
  const { backend, guarded, clock } = world({ bytesPerSecond: 1_000 });
  backend.body = () => Readable.from([Buffer.alloc(250), Buffer.alloc(1_000), Buffer.alloc(10)]);
  const { body } = await guarded.read(REF, {}, signal);
  let received = 0;
  body.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await settle();
  expect(received).toBe(250);
  await clock.advance(10);
  expect(received).toBe(1_250);
  await clock.advance(900);
  expect(received).toBe(1_250);
  await clock.advance(100);
  expect(received).toBe(1_260);
});

test('a metered upload fails with the very error its stream was destroyed with', async () => {
  const { backend, guarded } = world({ bytesPerSecond: 1_000 });
  const reason = new Error('bad digest');
  const stream = new PassThrough();
  stream.on('error', () => undefined);
  const seen = new Promise<unknown>((resolve) => {
    backend.onPut = (body) => body.stream.on('error', resolve);
  });
  await guarded.put?.(REF, { ...upload(), stream }, { headers: {}, metadata: {} }, signal);
  stream.destroy(reason);
  expect(await seen).toBe(reason);
});
