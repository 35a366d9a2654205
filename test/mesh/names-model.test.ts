// Promise 1 of docs/SEMANTICS.md for several gateways at once: after a write was acknowledged, no read that starts later
// through any connected gateway sees anything older, whatever else is written, read, cut, killed or changed meanwhile.
// A failure names its seed and path: fc.assert(property, { seed, path }) repeats it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { delay } from '../../src/mesh/clock.ts';
import { EVER, MINUTE, NAMES_OPTIONS, NamesWorld, NOW } from '../support/names-world.ts';
import { CUT, WriteHistory } from '../support/write-history.ts';

const KEY = 'k';
const IDS = ['a:1', 'b:1', 'c:1', 'd:1'];
const RUNS = Number(process.env.NAMES_MODEL_RUNS ?? 150);
const timeout = 120_000 + RUNS * 500;

const step = fc.record({
  gateway: fc.nat(IDS.length - 1),
  act: fc.constantFrom('write', 'delete', 'read', 'read', 'read', 'read'),
  freshness: fc.constantFrom(NOW, MINUTE, MINUTE, EVER),
  waitMs: fc.constantFrom(0, 1, 5, 30, 200, 1_500, 3_100),
});
const fault = fc.record({
  kind: fc.constantFrom('kill', 'cut', 'cut owners', 'hang', 'heal', 'heal'),
  gateway: fc.nat(IDS.length - 1),
  waitMs: fc.constantFrom(0, 10, 100, 1_000, 3_500),
});
const changeTo = (minTrackers: number) =>
  fc.record({
    trackers: fc.subarray(IDS, { minLength: minTrackers }),
    waitMs: fc.constantFrom(0, 50, 500, 5_000),
  });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Fault = typeof fault extends fc.Arbitrary<infer T> ? T : never;
type Change = ReturnType<typeof changeTo> extends fc.Arbitrary<infer T> ? T : never;

const lanes = fc.array(fc.array(step, { minLength: 2, maxLength: 10 }), { minLength: 2, maxLength: 5 });
const durations = fc.infiniteStream(fc.constantFrom(0.1, 0.1, 1, 5, 20, 80));

test('racing writers and readers at four gateways', { timeout }, async () => {
  const property = fc.asyncProperty(lanes, durations, async (steps, stream) => {
    const world = openWorld(stream);
    await world.run(Promise.all(steps.map((lane) => world.lane(lane))));
    expect(world.wrong).toEqual([]);
  });
  await fc.assert(property, { numRuns: RUNS });
});

test('while one of the two owners dies, hangs, comes back without memory, or cannot be reached by some', {
  timeout,
}, async () => {
  const property = fc.asyncProperty(
    lanes,
    fc.array(fault, { minLength: 1, maxLength: 8 }),
    fc.boolean(),
    durations,
    async (steps, faults, first, stream) => {
      const world = openWorld(stream);
      const [rank1, rank2] = world.ranked(KEY);
      const weak = (first ? rank1 : rank2)?.id ?? '';
      const strong = (first ? rank2 : rank1)?.id ?? '';
      await world.run(Promise.all([...steps.map((lane) => world.lane(lane)), fail(world, faults, weak, strong)]));
      expect(world.wrong).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: RUNS });
});

test('while the list of trackers changes, and some hear of it later than others', { timeout }, async () => {
  const property = fc.asyncProperty(
    lanes,
    fc.array(changeTo(1), { minLength: 1, maxLength: 4 }),
    durations,
    async (steps, changes, stream) => {
      const world = openWorld(stream);
      await world.run(Promise.all([...steps.map((lane) => world.lane(lane)), changeList(world, changes, stream)]));
      expect(world.wrong).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: RUNS });
});

test('while the list changes and one gateway, whichever it is, dies or cannot be reached by another', {
  timeout,
}, async () => {
  const property = fc.asyncProperty(
    lanes,
    fc.array(changeTo(2), { maxLength: 4 }),
    fc.array(fault, { minLength: 1, maxLength: 8 }),
    fc.constantFrom(...IDS),
    durations,
    async (steps, changes, faults, weak, stream) => {
      const world = openWorld(stream);
      const running = steps.map((lane) => world.lane(lane));
      await world.run(Promise.all([...running, changeList(world, changes, stream), failOne(world, faults, weak)]));
      expect(world.wrong).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: RUNS });
});

class ModelWorld extends NamesWorld {
  readonly history = new WriteHistory({ isToldOrder: true });
  readonly wrong: string[] = [];
  #serial = 0;

  async lane(steps: readonly Step[]): Promise<void> {
    for (const { gateway: index, act, freshness, waitMs } of steps) {
      await delay(this.clock, waitMs);
      const gateway = this.at(IDS[index] ?? '');
      // Of a gateway that was killed meanwhile nobody heard how it went on.
      const heard = <T>(value: T): T => {
        if (gateway.killed) throw new Killed();
        return value;
      };
      if (act === 'read') {
        const wrong = await this.history.read(async () => {
          const value = await gateway.read(KEY, freshness);
          return gateway.killed ? CUT : value;
        });
        if (wrong !== undefined) this.wrong.push(`${gateway.id} at ${this.clock.now()}: ${wrong}`);
        continue;
      }
      this.#serial += 1;
      const value = act === 'delete' ? undefined : `value ${this.#serial}`;
      const write = this.history.write(value, async (took) => heard(await gateway.write(KEY, value, took)));
      await write.catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
    }
  }
}

class Killed extends Error {}

function openWorld(stream: fc.Stream<number>): ModelWorld {
  const world = new ModelWorld(IDS);
  const next = () => stream.next().value ?? 1;
  world.mesh.latencyMs = next;
  world.origin.toMs = next;
  world.origin.backMs = next;
  return world;
}

/** Only the weak owner fails, so that every gateway reaches one at any time. */
async function fail(world: ModelWorld, faults: readonly Fault[], weak: string, strong: string): Promise<void> {
  for (const { kind, gateway, waitMs } of faults) {
    await delay(world.clock, waitMs);
    const other = IDS[gateway] ?? '';
    if (kind === 'kill' && !world.at(weak).killed) world.kill(weak);
    else if (kind === 'cut' && other !== strong && other !== weak) world.mesh.cut(weak, other);
    else if (kind === 'cut owners') world.mesh.cut(weak, strong);
    else if (kind === 'hang' && !world.at(weak).killed) world.mesh.hang(weak);
    else if (kind === 'heal') heal(world, weak);
  }
  heal(world, weak);
}

/** An owner that was not reached is passed over for a second, as if it were still cut off. */
const PASSED_OVER_MS = 1_000 + NAMES_OPTIONS.patienceMs;

/** Any gateway, cut from one other at a time: were it cut from both owners it would not be connected. */
async function failOne(world: ModelWorld, faults: readonly Fault[], weak: string): Promise<void> {
  for (const { kind, gateway, waitMs } of faults) {
    await delay(world.clock, waitMs);
    const other = IDS[gateway] ?? '';
    if (kind === 'kill' && !world.at(weak).killed) world.kill(weak);
    else if (kind === 'heal') heal(world, weak);
    else if (kind.startsWith('cut') && other !== weak) {
      world.mesh.heal();
      await delay(world.clock, PASSED_OVER_MS);
      world.mesh.cut(weak, other);
    }
  }
  heal(world, weak);
}

function heal(world: ModelWorld, weak: string): void {
  world.mesh.heal();
  world.mesh.wake(weak);
  if (world.at(weak).killed) world.restart(weak);
}

/** Everybody has heard of a change within a second: a new owner waits for that, and for a name lease. */
async function changeList(world: ModelWorld, changes: readonly Change[], stream: fc.Stream<number>): Promise<void> {
  for (const { trackers, waitMs } of changes) {
    await delay(world.clock, waitMs);
    world.trackers = trackers;
    const hear = async (id: string) => {
      await delay(world.clock, (stream.next().value ?? 0) * 10);
      await world.at(id).list.refresh();
    };
    await Promise.all(IDS.map(hear));
  }
}
