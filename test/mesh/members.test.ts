// Who belongs to the mesh: the list is read and believed, frozen where it cannot be read, and read again when somebody
// holds another one.
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Member, MemberId, Role } from '../../src/mesh/member.ts';
import { Members, type MembersObserver, type MembersOptions } from '../../src/mesh/members.ts';
import type { MembersProvider } from '../../src/mesh/providers/provider.ts';
import { StaticMembers, selfOnly } from '../../src/mesh/providers/static-members.ts';

const never = new AbortController().signal;
const OPTIONS: MembersOptions = { refreshMs: 1_000, readTimeoutMs: 60_000, firstContactMs: 5_000, maxKnown: 100 };

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A registry that is written by hand, counts what is asked of it, and can be out of order. */
class Registry implements MembersProvider {
  listed: readonly MemberId[];
  failure: Error | undefined;
  hanging = false;
  reads = 0;
  readonly acts: string[] = [];
  changed: () => void = () => undefined;

  constructor(listed: readonly MemberId[]) {
    this.listed = listed;
  }

  async read(signal: AbortSignal): Promise<readonly MemberId[]> {
    this.reads += 1;
    if (this.hanging) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    if (this.failure !== undefined) throw this.failure;
    return this.listed;
  }

  async join(self: MemberId): Promise<void> {
    this.acts.push(`join ${self}`);
  }

  async leave(self: MemberId): Promise<void> {
    this.acts.push(`leave ${self}`);
    if (this.failure !== undefined) throw this.failure;
    this.listed = this.listed.filter((id) => id !== self);
  }

  watch(changed: () => void): void {
    this.changed = changed;
  }

  async close(): Promise<void> {
    this.acts.push('close');
  }
}

function member(id: MemberId, role: Role = 'tracker', incarnation = '1'): Member {
  return { id, role, zone: undefined, incarnation, key: 'A'.repeat(43) };
}

function open(provider: MembersProvider, { self = member('b:1'), options = {} as Partial<MembersOptions> } = {}) {
  const told: string[] = [];
  const observer: MembersObserver = {
    changed: (trackers) => told.push(`changed ${trackers.join(' ')}`),
    readFailed: ({ error, first }) => told.push(`${first ? 'first failure' : 'failure'}: ${(error as Error).message}`),
    recovered: () => told.push('recovered'),
    mislisted: ({ reason }) => told.push(`mislisted: ${reason}`),
    leaveFailed: (error) => told.push(`not left: ${(error as Error).message}`),
  };
  const members = new Members(
    { self, provider, observer, now: () => performance.now(), random: () => 0.5 },
    { ...OPTIONS, ...options },
  );
  onTestFinished(() => members.close());
  return { members, told };
}

async function started(registry: Registry, more: Parameters<typeof open>[1] = {}) {
  const world = open(registry, more);
  world.members.start();
  await world.members.ready;
  return world;
}

test('everybody with the same list has it in the same order and with the same hash', async () => {
  const one = open(new StaticMembers(['c:1', 'a:1', 'b:1', 'a:1'])).members;
  const other = open(new StaticMembers(['a:1', 'b:1', 'c:1']), { self: member('c:1') }).members;
  for (const members of [one, other]) {
    members.start();
    await members.ready;
    expect(members.trackers()).toEqual(['a:1', 'b:1', 'c:1']);
    expect(Object.isFrozen(members.trackers())).toBe(true);
  }
  expect(one.hash).toMatch(/^[0-9a-f]{16}$/);
  expect(other.hash).toBe(one.hash);
});

test('alone, a tracker is the whole list, and a peer finds nobody', async () => {
  const tracker = open(selfOnly('b:1')).members;
  expect(tracker.trackers()).toEqual(['b:1']);
  tracker.start();
  await tracker.ready;
  expect(tracker.trackers()).toEqual(['b:1']);
  expect(open(new Registry([]), { self: member('b:1', 'peer') }).members.trackers()).toEqual([]);
});

test('a tracker joins before each read, a peer never', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  await started(registry);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(registry.acts).toEqual(['join b:1', 'join b:1']);
  const other = new Registry(['a:1']);
  const { members } = await started(other, { self: member('b:1', 'peer') });
  await members.leave(never);
  expect(other.acts).toEqual([]);
  expect(members.trackers()).toEqual(['a:1']);
});

test('the list keeps its identity and its time until it changes, and listeners hear of changes only', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  const { members, told } = await started(registry);
  const heard: string[] = [];
  const end = members.onChange((trackers) => heard.push(trackers.join(' ')));
  const [before, hash, changedAtMs] = [members.trackers(), members.hash, members.changedAtMs];
  registry.listed = ['b:1', 'a:1'];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(registry.reads).toBe(2);
  expect(members.trackers()).toBe(before);
  expect(members.changedAtMs).toBe(changedAtMs);
  registry.listed = ['b:1', 'a:1', 'c:1'];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(members.trackers()).toEqual(['a:1', 'b:1', 'c:1']);
  expect(members.hash).not.toBe(hash);
  expect(members.changedAtMs).toBe(changedAtMs + 2_000);
  end();
  registry.listed = ['b:1'];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(heard).toEqual(['a:1 b:1 c:1']);
  expect(told).toEqual(['changed a:1 b:1', 'changed a:1 b:1 c:1', 'changed b:1']);
});

test('a list that cannot be read is frozen, each failure is counted, and the outage is told once', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  const { members, told } = await started(registry);
  registry.failure = new Error('gone');
  await vi.advanceTimersByTimeAsync(3_000);
  await members.refresh(never);
  expect(members.trackers()).toEqual(['a:1', 'b:1']);
  registry.failure = undefined;
  registry.listed = ['b:1', 'd:1'];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(members.trackers()).toEqual(['b:1', 'd:1']);
  registry.failure = new Error('gone again');
  await members.refresh(never);
  expect(told).toEqual([
    'changed a:1 b:1',
    ...['first failure: gone', 'failure: gone', 'failure: gone', 'failure: gone'],
    ...['recovered', 'changed b:1 d:1', 'first failure: gone again'],
  ]);
});

test('a read that takes too long is a failure', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  registry.hanging = true;
  const { members, told } = open(registry, { options: { readTimeoutMs: 20 } });
  await members.refresh(never);
  expect(told).toEqual([expect.stringContaining('first failure: ')]);
});

test('nobody at all is not believed', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  const { members } = await started(registry);
  registry.listed = [];
  await members.refresh(never);
  expect(members.trackers()).toEqual(['a:1', 'b:1']);
});

test('it is ready after the first read, or when that was waited for long enough', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  registry.failure = new Error('not yet');
  const { members } = open(registry);
  let ready = false;
  void members.ready.then(() => {
    ready = true;
  });
  members.start();
  await vi.advanceTimersByTimeAsync(4_999);
  expect([ready, registry.reads]).toEqual([false, 5]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ready).toBe(true);
  expect(members.trackers()).toEqual(['b:1']);
});

test('callers at one time share a read, and one that leaves does not end it for the others', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  const { members } = open(registry);
  const leaving = new AbortController();
  const left = members.refresh(leaving.signal);
  const stayed = members.refresh(never);
  leaving.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  await stayed;
  expect(registry.reads).toBe(1);
  expect(members.trackers()).toEqual(['a:1', 'b:1']);
});

test('another hash leads to a read, many of them to few', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  const { members } = await started(registry, { options: { refreshMs: 60_000 } });
  registry.listed = ['a:1', 'b:1', 'c:1'];
  members.onListHash(member('a:1'), members.hash);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(registry.reads).toBe(1);
  for (let i = 0; i < 100; i += 1) members.onListHash(member('a:1'), 'other');
  await vi.advanceTimersByTimeAsync(0);
  expect(registry.reads).toBe(2);
  expect(members.trackers()).toEqual(['a:1', 'b:1', 'c:1']);
});

test('a hash that stays another one is read for less and less often', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  const { members } = await started(registry, { options: { refreshMs: 20_000 } });
  const readsAfter = async (ms: number) => {
    const before = registry.reads;
    for (let passed = 0; passed < ms; passed += 50) {
      members.onListHash(member('a:1'), 'other');
      await vi.advanceTimersByTimeAsync(50);
    }
    return registry.reads - before;
  };
  expect(await readsAfter(10_000)).toBeLessThanOrEqual(7);
  registry.listed = ['a:1', 'b:1', 'c:1'];
  await members.refresh(never);
  expect(await readsAfter(500)).toBeGreaterThanOrEqual(1);
});

test('a provider that sees a change by itself is read at once', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  const { members } = await started(registry);
  registry.listed = ['b:1'];
  registry.changed();
  await vi.advanceTimersByTimeAsync(0);
  expect(members.trackers()).toEqual(['b:1']);
});

test('who leaves is off the list, joins no more, and goes on reading', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  const { members } = await started(registry);
  await members.leave(never);
  await members.leave(never);
  expect(members.trackers()).toEqual(['a:1']);
  registry.listed = ['a:1', 'c:1'];
  await vi.advanceTimersByTimeAsync(1_000);
  expect(members.trackers()).toEqual(['a:1', 'c:1']);
  expect(registry.acts).toEqual(['join b:1', 'leave b:1']);
});

test('a registry that cannot be told of a leave does not keep anybody', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  const { members, told } = await started(registry);
  registry.failure = new Error('gone');
  await members.leave(never);
  expect(told).toContain('not left: gone');
});

test.each([
  ['tracker', ['a:1'], 'missing'],
  ['peer', ['a:1', 'b:1'], 'peer'],
  ['peer', [], 'empty'],
] as const)('a %s whose list is %j is told of it once', async (role, listed, reason) => {
  const registry = new Registry(listed);
  const { told } = await started(registry, { self: member('b:1', role) });
  const mislisted = () => told.filter((line) => line.startsWith('mislisted'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(mislisted()).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(mislisted()).toEqual([`mislisted: ${reason}`]);
  registry.listed = role === 'peer' ? ['a:1'] : ['a:1', 'b:1'];
  await vi.advanceTimersByTimeAsync(1_000);
  registry.listed = listed;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(mislisted()).toHaveLength(2);
});

test('a tracker that is not on the list counts itself among the trackers', async () => {
  const { members } = await started(new Registry(['a:1']));
  expect(members.trackers()).toEqual(['a:1', 'b:1']);
});

test('what members say of themselves is known by their names, the latest of each, and bounded', () => {
  const { members } = open(selfOnly('b:1'), { options: { maxKnown: 2 } });
  expect(members.about('a:1')).toBeUndefined();
  members.learn(member('a:1'));
  members.learn(member('a:1', 'seed', '2'));
  members.learn(member('b:1', 'peer', 'an impostor'));
  expect(members.about('a:1')).toEqual(member('a:1', 'seed', '2'));
  expect(members.about('b:1')).toBe(members.self);
  members.learn(member('c:1'));
  members.learn(member('d:1'));
  expect(members.known().map(({ id }) => id)).toEqual(['b:1', 'd:1', 'c:1']);
});

test('closed twice, it reads no more, lets waiters go, and closes its provider once', async () => {
  const registry = new Registry(['a:1', 'b:1']);
  registry.hanging = true;
  const { members, told } = open(registry);
  members.start();
  await vi.advanceTimersByTimeAsync(0);
  await members.close();
  await members.close();
  await members.ready;
  await vi.advanceTimersByTimeAsync(10_000);
  members.onListHash(member('a:1'), 'other');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(registry.reads).toBe(1);
  expect(registry.acts).toEqual(['join b:1', 'close']);
  expect(told).toEqual([]);
});
