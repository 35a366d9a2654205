import { expect, test } from 'vitest';
import { BackendError, type ObjectInfo } from '../../backends/backend.ts';
import { LONELY_NAMES } from '../../src/mesh/names.ts';
import { NameRecords } from '../../src/objects/name-records.ts';
import { type Freshness, type ProbeAnswer, Versions, type Wanted } from '../../src/objects/versions.ts';

const never = new AbortController().signal;
const REF = { bucket: 'b', key: 'k' };
const NO_BYTES: Wanted = { offset: undefined, complete: false };

test('at freshness 0 each read asks, and joins a question whose answer has not come', async () => {
  const world = makeWorld();
  const [first, second] = [world.open(fresh(0)), world.open(fresh(0))];
  await world.answer(found('e1'));
  expect((await first).info.etag).toBe('e1');
  expect((await second).info.etag).toBe('e1');
  const third = world.open(fresh(0));
  await world.answer({ kind: 'same' });
  expect((await third).info.etag).toBe('e1');
  expect(world.asked).toBe(2);
});

test('within its freshness a record is believed, counted from when the question was sent', async () => {
  const world = makeWorld();
  const first = world.open(fresh(1000));
  await world.begun();
  world.clock.now += 600;
  await world.answer(found('e1'));
  await first;
  world.clock.now += 400;
  expect((await world.open(fresh(1000))).ageMs).toBe(1000);
  world.clock.now += 1;
  const late = world.open(fresh(1000));
  await world.answer(found('e2'));
  expect((await late).info.etag).toBe('e2');
});

test('a missing key is remembered for missingFreshness only', async () => {
  const world = makeWorld();
  const first = world.open({ ...fresh(60_000), missingFreshMs: 500 });
  await world.answer({ kind: 'missing' });
  await expect(first).rejects.toMatchObject({ code: 'NoSuchKey' });
  await expect(world.open({ ...fresh(60_000), missingFreshMs: 500 })).rejects.toMatchObject({ code: 'NoSuchKey' });
  expect(world.asked).toBe(1);
  const again = world.open(fresh(60_000));
  await world.answer(found('e1'));
  expect((await again).info.etag).toBe('e1');
});

test('immutable is never asked again', async () => {
  const world = makeWorld();
  const first = world.open(fresh(Number.POSITIVE_INFINITY));
  await world.answer(found('e1'));
  await first;
  world.clock.now += 1e12;
  await world.open(fresh(Number.POSITIVE_INFINITY));
  expect(world.asked).toBe(1);
});

test('while the origin fails a record is served within staleIfError, and not beyond', async () => {
  const world = makeWorld();
  const policy = { ...fresh(100), staleIfErrorMs: 1000 };
  const first = world.open(policy);
  await world.answer(found('e1'));
  await first;
  world.clock.now += 500;
  const stale = world.open(policy);
  await world.fail(new BackendError('Unavailable', 'down'));
  expect((await stale).info.etag).toBe('e1');
  world.clock.now += 601;
  const tooOld = world.open(policy);
  await world.fail(new BackendError('Unavailable', 'down'));
  await expect(tooOld).rejects.toMatchObject({ code: 'Unavailable' });
});

test("an origin's refusal is an answer, never covered by a stale record", async () => {
  const world = makeWorld();
  const policy = { ...fresh(0), staleIfErrorMs: 60_000 };
  const first = world.open(policy);
  await world.answer(found('e1'));
  await first;
  const second = world.open(policy);
  await world.fail(new BackendError('AccessDenied', 'no'));
  await expect(second).rejects.toMatchObject({ code: 'AccessDenied' });
});

test('a validation that began before a write is not joined after it, and never becomes the record', async () => {
  const world = makeWorld();
  const before = world.open(fresh(60_000));
  await world.begun();
  const mark = await world.versions.begin(REF);
  await world.versions.end(mark, { kind: 'written' });
  const after = world.open(fresh(60_000));
  await world.answer(found('old'));
  await before;
  await world.answer(found('new'));
  expect((await after).info.etag).toBe('new');
  expect((await world.open(fresh(60_000))).info.etag).toBe('new');
});

test('after overlapping writes the next open asks', async () => {
  const world = makeWorld();
  const one = await world.versions.begin(REF);
  const two = await world.versions.begin(REF);
  await world.versions.end(one, { kind: 'written' });
  await world.versions.end(two, { kind: 'missing' });
  const opened = world.open(fresh(60_000));
  await world.answer(found('truth'));
  expect((await opened).info.etag).toBe('truth');
});

test('a delete that ends while an older write is open does not speak for what that write then makes', async () => {
  const world = makeWorld();
  const policy = { ...fresh(60_000), missingFreshMs: 60_000 };
  const put = await world.versions.begin(REF);
  const removal = await world.versions.begin(REF);
  await world.versions.end(removal, { kind: 'missing' });
  await world.versions.end(put, { kind: 'written' });
  const opened = world.open(policy);
  await world.answer(found('put'));
  expect((await opened).info.etag).toBe('put');
});

test('an answer to a question from before a write is forgotten though a later question was answered first', async () => {
  const world = makeWorld();
  const slow = world.open(fresh(60_000));
  await world.begun();
  const whole = world.versions.open(REF, fresh(60_000), { offset: undefined, complete: true }, never);
  await world.begun(2);
  await world.answer(found('old'), 1);
  await whole;
  const mark = await world.versions.begin(REF);
  await world.versions.end(mark, { kind: 'written' });
  await world.answer(found('old'));
  await slow;
  const after = world.open(fresh(60_000));
  await world.answer(found('new'));
  expect((await after).info.etag).toBe('new');
});

test('of two answers the one to the later question counts, whichever comes first', async () => {
  const world = makeWorld();
  const early = world.open(fresh(60_000));
  await world.begun();
  world.clock.now += 10;
  const late = world.versions.open(REF, fresh(60_000), { offset: undefined, complete: true }, never);
  await world.begun(2);
  await world.answer(found('second'), 1);
  await late;
  await world.answer(found('first'));
  await early;
  expect((await world.open(fresh(60_000))).info.etag).toBe('second');
});

test('a version that the origin no longer has is asked about again, immutable or not', async () => {
  const world = makeWorld();
  const first = world.open(fresh(Number.POSITIVE_INFINITY));
  await world.answer(found('e1'));
  await first;
  world.versions.doubt(REF, 'another');
  expect((await world.open(fresh(Number.POSITIVE_INFINITY))).info.etag).toBe('e1');
  world.versions.doubt(REF, 'e1');
  const second = world.open(fresh(Number.POSITIVE_INFINITY));
  await world.answer(found('e2'));
  expect((await second).info.etag).toBe('e2');
});

test('a reader who wants a checksum asks again when the record came without', async () => {
  const world = makeWorld();
  const first = world.open(fresh(60_000));
  await world.answer(found('e1', false));
  await first;
  const second = world.versions.open(REF, fresh(60_000), { offset: undefined, complete: true }, never);
  await world.answer(found('e1', true));
  await second;
  await world.versions.open(REF, fresh(60_000), { offset: undefined, complete: true }, never);
  expect(world.asked).toBe(2);
});

function fresh(freshMs: number): Freshness {
  return { freshMs, missingFreshMs: 0, staleIfErrorMs: 0 };
}

function info(etag: string): ObjectInfo {
  return {
    key: 'k',
    sizeBytes: 1,
    etag,
    lastModified: new Date(0),
    headers: {},
    metadata: {},
    identity: 'strong',
  };
}

function found(etag: string, complete = true): ProbeAnswer {
  return { kind: 'found', info: info(etag), complete };
}

/** An origin that answers when the test says so. */
function makeWorld() {
  const clock = { now: 1_000_000 };
  const questions: { resolve(answer: ProbeAnswer): void; reject(error: Error): void }[] = [];
  const world = {
    clock,
    asked: 0,
    versions: new Versions(
      {
        prober: {
          probe: () => {
            world.asked += 1;
            return new Promise<ProbeAnswer>((resolve, reject) => questions.push({ resolve, reject }));
          },
        },
        records: new NameRecords({ failed: (error) => expect.fail(error.message) }, { maxRecords: 100 }),
        names: LONELY_NAMES,
        nameOf: (ref) => ({ origin: 'origin', ...ref }),
        now: () => clock.now,
        wallNow: () => clock.now,
      },
      { maxNames: 100 },
    ),
    open: (freshness: Freshness) => world.versions.open(REF, freshness, NO_BYTES, never),
    /** So many questions are unanswered. */
    async begun(count = 1) {
      while (questions.length < count) await Promise.resolve();
    },
    /** The oldest question, or one asked after it. */
    async answer(answer: ProbeAnswer, place = 0) {
      await world.begun(place + 1);
      questions.splice(place, 1)[0]?.resolve(answer);
    },
    async fail(error: Error) {
      await world.begun();
      questions.shift()?.reject(error);
    },
  };
  return world;
}
