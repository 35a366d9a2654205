import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Background } from '../../src/concurrency/background.ts';
import type { Member, MemberId, Role } from '../../src/mesh/member.ts';
import { zoneKey } from '../../src/mesh/slab.ts';
import { TrackerZones } from '../../src/mesh/tracker-zones.ts';
import { MemoryMesh } from '../support/memory-trackers.ts';

const LONG_MS = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Gateways that greet each other; whoever answers is heard of by who asked, and the other way round. */
class ZonesWorld {
  readonly mesh = new MemoryMesh();
  readonly gateways = new Map<MemberId, ReturnType<ZonesWorld['start']>>();
  list: readonly MemberId[];
  readonly #zones: Readonly<Record<MemberId, string | undefined>>;
  readonly #known = new Map<MemberId, Map<MemberId, Member>>();

  constructor(zones: Readonly<Record<MemberId, string | undefined>>) {
    this.#zones = zones;
    this.list = Object.keys(zones);
    for (const id of this.list) this.start(id, 'tracker');
  }

  start(id: MemberId, role: Role, zone = this.#zones[id]) {
    const self: Member = { id, role, zone, incarnation: '1', key: id };
    const known = this.#known.get(id) ?? new Map<MemberId, Member>([[id, self]]);
    this.#known.set(id, known);
    const background = new Background({ failed: (_, error) => expect.fail(String(error)) });
    const asking = this.mesh.client(self);
    const client: Pick<typeof asking, 'ask'> = {
      ask: async (to, call, body, signal) => {
        const answer = await asking.ask(to, call, body, signal);
        this.#hears(to, id);
        this.#hears(id, to);
        return answer;
      },
    };
    const learnt = vi.fn();
    const members = { self, trackers: () => this.list, about: (other: MemberId) => known.get(other) };
    const zones = new TrackerZones({ members, client, background, random: () => 0, learnt }, { patienceMs: 1_000 });
    this.mesh.serve(id, { ...zones.handlers, hello: { kind: 'ask', handle: async () => ({}) } });
    const gateway = { zones, background, learnt, self };
    this.gateways.set(id, gateway);
    return gateway;
  }

  async learn(...ids: readonly MemberId[]): Promise<void> {
    for (const id of ids) {
      this.gateways.get(id)?.zones.update();
      await this.gateways.get(id)?.background.close();
    }
  }

  /** Of all that this gateway's timers do meanwhile. */
  async pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
    for (const { background } of this.gateways.values()) await background.close();
  }

  zonesSeenBy(id: MemberId): Record<MemberId, string | undefined> {
    const view = this.gateways.get(id)?.zones.view();
    return Object.fromEntries(this.list.map((other) => [other, view?.zoneOf(other)]));
  }

  close(): void {
    for (const { zones } of this.gateways.values()) zones.close();
  }

  #hears(hearer: MemberId, of: MemberId): void {
    const about = this.gateways.get(of)?.self;
    if (about !== undefined) this.#known.get(hearer)?.set(of, about);
  }
}

const [A, B] = [zoneKey('a'), zoneKey('b')];

test('trackers greet each other once, and know where each is', async () => {
  const world = new ZonesWorld({ one: 'a', two: 'b', three: 'a', four: undefined });
  await world.learn('one', 'two', 'three');
  for (const id of ['one', 'two', 'three']) {
    expect(world.zonesSeenBy(id)).toEqual({ one: A, two: B, three: A, four: undefined });
  }
  expect(world.gateways.get('one')?.zones.view().within(A)).toEqual(['one', 'three']);
  expect(world.mesh.count('hello')).toBe(3 + 2 + 1);
  await world.pass(2 * LONG_MS);
  expect(world.mesh.count('hello')).toBe(3 + 2 + 1);
  world.close();
});

test('a peer asks one tracker, and nobody is told what that one has heard from others', async () => {
  const world = new ZonesWorld({ one: 'a', two: 'b', three: 'a' });
  await world.learn('one');
  world.start('peer', 'peer', 'a');
  await world.learn('peer');
  expect(world.zonesSeenBy('peer')).toEqual({ one: A, two: B, three: A });
  expect(world.mesh.calls.filter(({ from }) => from === 'peer').map(({ call }) => call)).toEqual(['zones']);
  const told = await world.mesh
    .client(world.gateways.get('two')?.self as Member)
    .ask('peer', 'zones', {}, new AbortController().signal);
  expect(told).toEqual({ zones: { a: ['one'] } });
  world.close();
});

test('one that does not answer is asked again, less and less often, until it does', async () => {
  const world = new ZonesWorld({ one: 'a', two: 'b' });
  world.mesh.down.add('two');
  await world.learn('one');
  expect(world.zonesSeenBy('one')).toEqual({ one: A, two: undefined });
  expect(world.gateways.get('one')?.learnt).toHaveBeenCalledTimes(1);
  await world.pass(10 * LONG_MS);
  const asked = world.mesh.count('hello');
  expect(asked).toBeGreaterThan(5);
  expect(asked).toBeLessThan(20);
  world.mesh.down.clear();
  await world.pass(LONG_MS);
  expect(world.zonesSeenBy('one')).toEqual({ one: A, two: B });
  world.close();
});

test('who comes to the list is greeted when the list changes', async () => {
  const world = new ZonesWorld({ one: 'a', two: 'b', three: 'b' });
  world.list = ['one', 'two'];
  await world.learn('one');
  const before = world.gateways.get('one')?.zones.view();
  expect(world.gateways.get('one')?.zones.view()).toBe(before);
  world.list = ['one', 'two', 'three'];
  await world.learn('one');
  expect(world.zonesSeenBy('one')).toEqual({ one: A, two: B, three: B });
  world.close();
});

test('a gateway in no zone asks nobody, and knows of no zones', async () => {
  const world = new ZonesWorld({ one: undefined, two: 'b' });
  await world.learn('one');
  expect(world.mesh.calls).toEqual([]);
  expect(world.zonesSeenBy('one')).toEqual({ one: undefined, two: undefined });
  expect(world.gateways.get('one')?.learnt).toHaveBeenCalledTimes(1);
  world.close();
});
