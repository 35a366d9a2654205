// The rules of whoever answers for names, one owner alone, on a clock that the test moves.
import { expect, test } from 'vitest';
import type { Run } from '../../src/mesh/member.ts';
import type { Recalled } from '../../src/mesh/names/fellow-memory.ts';
import { NameOwner, type NameOwnerOptions } from '../../src/mesh/names/name-owner.ts';
import type { KnownName } from '../../src/mesh/names/name-wire.ts';
import type { OwnerAnswer } from '../../src/mesh/names/owned-name.ts';
import type { NameAnswer, NameWant } from '../../src/mesh/names.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';
import { NAMES_OPTIONS } from '../support/names-world.ts';

const KEY = '6:origin1:b1:k';
const NOW: NameWant = { freshMs: 0, missingFreshMs: 0, complete: false };
const MINUTE: NameWant = { freshMs: 60_000, missingFreshMs: 1_000, complete: false };
const WHOLE: NameWant = { ...NOW, complete: true };

interface Answered {
  readonly answer?: OwnerAnswer;
}

function openWorld(options: Partial<NameOwnerOptions> = {}) {
  const clock = new FakeClock();
  const revoked: { member: string; keys: readonly string[] }[] = [];
  const list = { self: run('self'), hash: 'h', changedAtMs: Number.NEGATIVE_INFINITY, ids: ['self', 'fellow'] };
  const touch = { certainMs: Number.POSITIVE_INFINITY, renewed: 0 };
  const told: ({ fellow: string } & KnownName)[] = [];
  const recalled: { fellow: string; key: string }[] = [];
  const recall: { answer: Recalled } = { answer: undefined };
  let hung = '';
  const owner = new NameOwner(
    {
      clock,
      list: { ...list, trackers: () => list.ids },
      touch: {
        certainForMs: () => touch.certainMs,
        renew: async () => {
          touch.renewed += 1;
        },
        renewAhead: () => undefined,
      },
      memory: {
        tell: (fellow, name) => told.push({ fellow, ...name }),
        recall: async (fellow, key) => {
          recalled.push({ fellow, key });
          return recall.answer;
        },
      },
      revoke: (member, keys) => {
        revoked.push({ member, keys });
        return member === hung ? new Promise(() => undefined) : Promise.resolve();
      },
    },
    { ...NAMES_OPTIONS, ...options },
  );
  const { signal } = new AbortController();
  return {
    clock,
    owner,
    touch,
    revoked,
    told,
    recalled,
    recall,
    list,
    hang: (member: string) => {
      hung = member;
    },
    open: (caller: string, want = NOW, key = KEY) => owner.open(key, run(caller), want, signal),
    /** Answered as soon as it is. */
    async waiting(caller: string, want = NOW, leaving = signal): Promise<Answered> {
      const state: { answer?: OwnerAnswer } = {};
      owner.open(KEY, run(caller), want, leaving).then(
        (answer) => {
          state.answer = answer;
        },
        () => undefined,
      );
      await settled();
      return state;
    },
    async ticket(caller: string, want = NOW, key = KEY): Promise<string> {
      const answer = await owner.open(key, run(caller), want, signal);
      if (answer.kind !== 'validate') throw new Error(`${caller} got no ticket.`);
      return answer.ticket;
    },
  };
}

function run(id: string, incarnation = 'first'): Run {
  return { id, incarnation };
}

function known(value: string, complete = true): NameAnswer {
  return { kind: 'known', value, complete };
}

test('one asks, the others wait for him; those who came after his answer began to arrive are asked for anew', async () => {
  const { clock, owner, ticket, waiting } = openWorld();
  const asks = await ticket('a');
  await clock.advance(10);
  const early = await waiting('b');
  await clock.advance(10);
  const late = [await waiting('c'), await waiting('d')];
  owner.report(asks, 'a', { answer: known('one'), beganMs: 15 });
  await settled();
  expect(early.answer).toMatchObject({ kind: 'answered', answer: known('one'), ageMs: 20, leaseMs: 0 });
  // Others at b's gateway may share it as long as the answer had not begun: 5 ms after b came.
  expect(early.answer).toMatchObject({ joinMs: 5 });
  expect(late[0]?.answer).toMatchObject({ kind: 'validate', known: known('one') });
  expect(late[1]?.answer).toBeUndefined();
  const again = late[0]?.answer?.kind === 'validate' ? late[0].answer.ticket : '';
  owner.report(again, 'c', { answer: known('two'), beganMs: 1 });
  await settled();
  expect(late[1]?.answer).toMatchObject({ kind: 'answered', answer: known('two') });
});

test('a record is given for as long as the caller believes it, counted from when its question was sent', async () => {
  const { clock, owner, ticket, open } = openWorld();
  const asks = await ticket('a', MINUTE);
  await clock.advance(100);
  expect(owner.report(asks, 'a', { answer: known('one'), beganMs: 90 })).toEqual({ leaseMs: 3_000 });
  expect(await open('b', MINUTE)).toMatchObject({ kind: 'answered', ageMs: 100, leaseMs: 3_000 });
  await clock.advance(58_900);
  expect(await open('b', MINUTE)).toMatchObject({ kind: 'answered', ageMs: 59_000, leaseMs: 1_000 });
  expect(await open('b', { ...MINUTE, freshMs: 59_000 })).toMatchObject({ kind: 'validate' });
  expect(await open('b', { ...MINUTE, freshMs: Number.POSITIVE_INFINITY })).toMatchObject({ leaseMs: 3_000 });
});

test('that there is no such key has a freshness of its own', async () => {
  const { clock, owner, ticket, open } = openWorld();
  owner.report(await ticket('a', MINUTE), 'a', { answer: { kind: 'missing' }, beganMs: 0 });
  expect(await open('b', MINUTE)).toMatchObject({ kind: 'answered', answer: { kind: 'missing' }, leaseMs: 1_000 });
  await clock.advance(1_000);
  expect(await open('b', MINUTE)).toMatchObject({ kind: 'validate', known: { kind: 'missing' } });
});

test('who wants all of an answer neither joins nor is given one that is not complete', async () => {
  const { owner, ticket, open, waiting } = openWorld();
  const part = await ticket('a', MINUTE);
  const whole = await open('b', WHOLE);
  expect(whole.kind).toBe('validate');
  const joins = await waiting('c', MINUTE);
  if (whole.kind === 'validate') owner.report(whole.ticket, 'b', { answer: known('one', false), beganMs: 5 });
  await settled();
  expect(joins.answer).toMatchObject({ kind: 'answered', answer: known('one', false) });
  expect(await open('d', { ...MINUTE, complete: true })).toMatchObject({ kind: 'validate' });
  owner.report(part, 'a', { answer: known('one', false), beganMs: 5 });
});

test('of two questions under way the one asked last becomes the record, whichever is answered first', async () => {
  const { clock, owner, ticket, open } = openWorld();
  const first = await ticket('a', MINUTE);
  await clock.advance(10);
  const second = await ticket('b', WHOLE);
  owner.report(second, 'b', { answer: known('second'), beganMs: 1 });
  owner.report(first, 'a', { answer: known('first'), beganMs: 1 });
  expect(await open('c', MINUTE)).toMatchObject({ answer: known('second') });
});

test('a report by somebody else, a second one, and one that comes too late change nothing', async () => {
  const { clock, owner, ticket, open } = openWorld();
  const asks = await ticket('a', MINUTE);
  expect(owner.report(asks, 'b', { answer: known('forged'), beganMs: 0 })).toEqual({ leaseMs: 0 });
  owner.giveUp(asks, 'b', 'left');
  await clock.advance(NAMES_OPTIONS.validatorTtlMs + 1);
  expect(owner.report(asks, 'a', { answer: known('late'), beganMs: 0 })).toEqual({ leaseMs: 0 });
  expect(await open('c', MINUTE)).toMatchObject({ kind: 'validate' });
});

test('who waits and leaves is not given the turn to ask', async () => {
  const { owner, ticket, waiting } = openWorld();
  const asks = await ticket('a');
  const leaving = new AbortController();
  await waiting('b', NOW, leaving.signal);
  const stays = await waiting('c');
  leaving.abort(new Error('gone'));
  owner.giveUp(asks, 'a', 'left');
  await settled();
  expect(stays.answer).toMatchObject({ kind: 'validate' });
});

test('an origin that fails one who asks is asked by each who waited, not by one after the other', async () => {
  const { owner, ticket, waiting } = openWorld();
  const asks = await ticket('a');
  const others = [await waiting('b'), await waiting('c'), await waiting('d')];
  owner.giveUp(asks, 'a', 'failed');
  await settled();
  for (const other of others) expect(other.answer).toMatchObject({ kind: 'validate', joinMs: 0 });
});

test('while a write is open everybody asks alone and nothing is remembered', async () => {
  const { owner, ticket, open } = openWorld();
  await owner.begin('m', [KEY], run('w'));
  const one = await ticket('a', MINUTE);
  const two = await open('b', MINUTE);
  expect(two).toMatchObject({ kind: 'validate', crowded: true, joinMs: 0 });
  expect(owner.report(one, 'a', { answer: known('either'), beganMs: 0 })).toEqual({ leaseMs: 0 });
  expect(await open('c', MINUTE)).toMatchObject({ kind: 'validate' });
});

test('a question from before a write answers those who waited then, and becomes no record', async () => {
  const { owner, ticket, waiting, open } = openWorld();
  const asks = await ticket('a', MINUTE);
  const waits = await waiting('b', MINUTE);
  await owner.begin('m', [KEY], run('w'));
  await owner.end('m', [KEY], 'written', run('w'));
  owner.report(asks, 'a', { answer: known('old'), beganMs: 100 });
  await settled();
  expect(waits.answer).toMatchObject({ kind: 'answered', answer: known('old'), leaseMs: 0, joinMs: 0 });
  expect(await open('c', MINUTE)).toMatchObject({ kind: 'validate', known: { kind: 'written' } });
});

test('begin waits for all who may believe, each told once for all names; whoever hangs, until its lease ends', async () => {
  const { clock, owner, ticket, open, revoked, hang } = openWorld();
  const keys = ['6:origin1:b1:1', '6:origin1:b1:2'];
  for (const key of keys) {
    owner.report(await ticket('a', MINUTE, key), 'a', { answer: known('one'), beganMs: 0 });
    await open('b', MINUTE, key);
    await open('w', MINUTE, key);
  }
  hang('b');
  await clock.advance(1_000);
  const began = clock.now();
  await clock.run(owner.begin('m', keys, run('w')));
  expect(clock.now() - began).toBe(2_000);
  expect(revoked).toEqual([
    { member: 'a', keys },
    { member: 'b', keys },
  ]);
});

for (const part of ['begin', 'end'] as const) {
  test(`the ${part} of a run that has died drops no lease of the run after it`, async () => {
    const { owner, ticket, revoked } = openWorld();
    owner.report(await ticket('a', MINUTE), 'a', { answer: known('one'), beganMs: 0 });
    await owner.open(KEY, run('b', 'second'), MINUTE, new AbortController().signal);
    if (part === 'begin') await owner.begin('m', [KEY], run('b'));
    else await owner.end('m', [KEY], 'written', run('b'));
    expect(revoked).toContainEqual({ member: 'b', keys: [KEY] });
  });
}

test('a write alone leaves what it made; two that overlap leave nothing known', async () => {
  const { owner, open } = openWorld();
  await owner.begin('m', [KEY], run('w'));
  await owner.end('m', [KEY], 'missing', run('w'));
  expect(await open('a', MINUTE)).toMatchObject({ kind: 'answered', answer: { kind: 'missing' } });
  await owner.begin('one', [KEY], run('w'));
  await owner.begin('two', [KEY], run('v'));
  await owner.end('two', [KEY], 'missing', run('v'));
  await owner.end('one', [KEY], 'written', run('w'));
  const left = await open('a', MINUTE);
  expect(left).toMatchObject({ kind: 'validate' });
  expect(left).toHaveProperty('known', undefined);
});

test('what a delete left is asked about where it began without the fellow in touch', async () => {
  const { owner, open, touch } = openWorld();
  touch.certainMs = 0;
  await owner.begin('m', [KEY], run('w'));
  touch.certainMs = 3_000;
  await owner.end('m', [KEY], 'missing', run('w'));
  expect(await open('a', MINUTE)).toMatchObject({ kind: 'validate', known: { kind: 'missing' } });
});

test('nobody ends the write of somebody else', async () => {
  const { owner, open } = openWorld();
  await owner.begin('m', [KEY], run('w'));
  await owner.end('m', [KEY], 'missing', run('v'));
  expect(await open('a', MINUTE)).toMatchObject({ kind: 'validate', joinMs: 0 });
});

test('without its fellow in touch an owner gives out nothing it knows, and lets nobody join', async () => {
  const { owner, ticket, open, touch } = openWorld();
  owner.report(await ticket('a', MINUTE), 'a', { answer: known('one'), beganMs: 0 });
  touch.certainMs = 0;
  expect(await open('b', MINUTE)).toMatchObject({ kind: 'validate', joinMs: 0 });
  expect(await open('c', MINUTE)).toMatchObject({ kind: 'validate', joinMs: 0, crowded: true });
  expect(touch.renewed).toBe(2);
  touch.certainMs = 500;
  expect(await open('d', MINUTE)).toMatchObject({ kind: 'answered', leaseMs: 500 });
});

test('what an owner learnt out of touch is what the next one asks about, so that he need not read it all', async () => {
  const { owner, touch, ticket, open } = openWorld();
  touch.certainMs = 0;
  owner.report(await ticket('a'), 'a', { answer: known('1'), beganMs: 0 });
  expect(await open('b', MINUTE)).toMatchObject({ kind: 'validate', known: known('1') });
  const late = await ticket('c');
  touch.certainMs = Number.POSITIVE_INFINITY;
  expect(await open('d', MINUTE)).toMatchObject({ kind: 'validate', known: known('1') });
  await owner.begin('mark', [KEY], run('writer'));
  owner.report(late, 'c', { answer: known('old'), beganMs: 0 });
  await owner.end('mark', [KEY], 'unknown', run('writer'));
  expect(await open('e', MINUTE)).toMatchObject({ kind: 'validate', known: undefined });
});

test('of a name that it knows nothing of an owner asks its fellow once, and the next one asks about what he said', async () => {
  const { owner, open, ticket, recall, recalled } = openWorld();
  recall.answer = known('one');
  owner.giveUp(await ticket('a'), 'a', 'left');
  expect(await open('b')).toMatchObject({ kind: 'validate', known: known('one') });
  expect(recalled).toEqual([{ fellow: 'fellow', key: KEY }]);
});

test('a fellow that knows nothing either is not asked again; one that does not answer is', async () => {
  const { owner, open, ticket, recall, recalled } = openWorld();
  recall.answer = 'unheard';
  owner.giveUp(await ticket('a'), 'a', 'left');
  recall.answer = undefined;
  owner.giveUp(await ticket('b'), 'b', 'left');
  expect(await open('c')).toMatchObject({ kind: 'validate', known: undefined });
  expect(recalled.length).toBe(2);
});

test('who is asked out of touch asks for no bytes, so the fellow is not asked either', async () => {
  const { open, touch, recalled } = openWorld();
  touch.certainMs = 0;
  await open('a');
  expect(recalled).toEqual([]);
});

test('the fellow is told what a name stands for when that is another than before', async () => {
  const { owner, ticket, told } = openWorld();
  for (const answer of [known('one'), known('one'), known('two')]) {
    owner.report(await ticket('a'), 'a', { answer, beganMs: 0 });
  }
  expect(told).toEqual(['one', 'two'].map((value) => ({ fellow: 'fellow', key: KEY, known: known(value) })));
});

test('what a fellow tells is asked about and not believed; what others tell, or while a write is open, is not even that', async () => {
  const { owner, open } = openWorld();
  owner.remember('stranger', [{ key: KEY, known: known('forged') }]);
  expect(owner.lastKnown(KEY)).toBeUndefined();
  owner.remember('fellow', [{ key: KEY, known: known('one') }]);
  expect(await open('a', MINUTE)).toMatchObject({ kind: 'validate', known: known('one') });
  await owner.begin('m', [KEY], run('w'));
  owner.remember('fellow', [{ key: KEY, known: known('old') }]);
  expect(owner.lastKnown(KEY)).toEqual(known('one'));
  await owner.end('m', [KEY], 'written', run('w'));
  expect(owner.lastKnown(KEY)).toEqual({ kind: 'written' });
});

test('who is no owner by its list says so', async () => {
  const { list, open } = openWorld();
  list.ids = ['others', 'fellow'];
  expect(await open('a')).toEqual({ kind: 'moved' });
});

test('names that are asked about or written are bounded, and never dropped for others', async () => {
  const { owner, ticket, open } = openWorld({ maxIdle: 2, maxBusy: 3 });
  await owner.begin('m', ['1'], run('w'));
  await ticket('a', NOW, '2');
  await ticket('a', NOW, '3');
  await expect(open('a', NOW, '4')).rejects.toMatchObject({ code: 'Busy' });
  expect(owner.size).toBe(3);
  await owner.end('m', ['1'], 'unknown', run('w'));
  await open('a', NOW, '4');
  expect(owner.size).toBe(4);
});
