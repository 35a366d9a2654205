// What is simulated: how large a mesh, what is read when, and what befalls it meanwhile.
import type { Reach } from './network.ts';
import type { Figures } from './stats.ts';
import { type SimSettings, World } from './world.ts';

export interface Scenario {
  readonly name: string;
  readonly peers: number;
  readonly settings: Partial<SimSettings>;
  /** Plans readings and mishaps. Answers how many readings are to end. */
  readonly plan: (world: World) => number;
  /** Origin reads per piece at most; undefined: only told. */
  readonly bar?: number;
  /** Calls of the busiest tracker ÷ the mean at most. */
  readonly busiestBar?: number;
}

export interface Outcome extends Figures {
  readonly name: string;
  readonly seed: number;
  readonly peers: number;
  readonly trackers: number;
  readonly levels: number;
  /** Readings of members that were there at the end and have not ended. */
  readonly lost: number;
  readonly listBytes: number;
  readonly listChanges: number;
  readonly simulatedMs: number;
  readonly tookMs: number;
  readonly events: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const TEN_GBIT = 1_250_000;

export const DEFAULTS: Omit<SimSettings, 'peers' | 'seed'> = {
  trackers: 64,
  zones: 1,
  levels: 1,
  objects: 1,
  pieces: 8,
  pieceBytes: 4 * 1024 * 1024,
  window: 4,
  network: {
    upBytesPerMs: TEN_GBIT,
    downBytesPerMs: TEN_GBIT,
    originBytesPerMs: 4 * TEN_GBIT,
    originFirstByteMs: 50,
    nearMs: 0.1,
    farMs: 0.5,
    patienceMs: 300,
  },
  staleMs: 10 * SECOND,
  reannounces: true,
  blockMs: 0.3,
  breakMs: 5,
};

/** Everybody reads object 0, each beginning at a moment of his own. */
export function crowd(world: World, withinMs: number): number {
  for (const peer of world.peers) world.queue.after(world.random() * withinMs, () => peer.read(0));
  return world.settings.peers;
}

/** Random members read random objects. */
export function readings(world: World, count: number, withinMs: number): number {
  const { ids } = world;
  for (let reading = 0; reading < count; reading += 1) {
    const id = ids[Math.floor(world.random() * ids.length)];
    const object = Math.floor(world.random() * world.settings.objects);
    world.queue.at(world.random() * withinMs, () => {
      if (id === undefined) return;
      const peer = world.peer(id);
      if (peer.alive) peer.read(object);
      else world.stats.finished(0);
    });
  }
  return count;
}

/** One after the other leaves, is down for a while and comes back; the list follows. */
export function rollingRestart(world: World, options: { everyMs: number; downMs: number; finding: boolean }): void {
  const all = world.membership.current.trackers;
  const gone = new Set<string>();
  const list = () => world.setTrackers(all.filter((id) => !gone.has(id)));
  for (const [turn, id] of all.entries()) {
    world.queue.after((turn + 1) * options.everyMs, () => {
      gone.add(id);
      list();
      world.leave(id);
      world.queue.after(options.downMs, () => {
        gone.delete(id);
        world.start(id, options.finding);
        list();
      });
    });
  }
}

export function crash(
  world: World,
  ids: readonly string[],
  atMs: number,
  how: (id: string) => Reach,
  listMs: number,
): void {
  world.queue.at(atMs, () => {
    for (const id of ids) world.stop(id, how(id));
  });
  const gone = new Set(ids);
  world.queue.at(atMs + listMs, () =>
    world.setTrackers(world.membership.current.trackers.filter((id) => !gone.has(id))),
  );
}

/** Half of them with their machine: nobody is told by a closed connection. */
function halfSilent(world: World): (id: string) => Reach {
  return () => (world.random() < 0.5 ? 'refused' : 'silent');
}

export function some(world: World, part: number): string[] {
  return world.ids.filter(() => world.random() < part);
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'flash crowd',
    peers: 1_000,
    settings: {},
    plan: (world) => crowd(world, SECOND),
    bar: 1,
  },
  {
    name: 'flash crowd',
    peers: 10_000,
    settings: {},
    plan: (world) => crowd(world, SECOND),
    bar: 1,
  },
  {
    name: 'flash crowd, zones first',
    peers: 10_000,
    settings: { trackers: 640, zones: 10, levels: 2 },
    plan: (world) => crowd(world, SECOND),
    bar: 1,
  },
  {
    name: 'flash crowd, zones first',
    peers: 100_000,
    settings: { trackers: 1_000, zones: 100, levels: 2 },
    plan: (world) => crowd(world, SECOND),
    bar: 1,
  },
  {
    name: 'many objects',
    peers: 1_000,
    settings: { trackers: 100, objects: 5_000, pieces: 4 },
    plan: (world) => readings(world, 10_000, MINUTE),
    bar: 1,
    busiestBar: 2,
  },
  {
    name: 'many objects',
    peers: 10_000,
    settings: { trackers: 256, objects: 20_000, pieces: 4 },
    plan: (world) => readings(world, 10_000, MINUTE),
    bar: 1,
    busiestBar: 2,
  },
  {
    name: 'rolling restart',
    peers: 1_000,
    settings: { trackers: 64, objects: 100 },
    plan: (world) => {
      rollingRestart(world, { everyMs: 9 * SECOND, downMs: 5 * SECOND, finding: true });
      return readings(world, 10_000, 10 * MINUTE);
    },
    bar: 1.05,
  },
  {
    name: 'rolling restart, nothing found or told again',
    peers: 1_000,
    settings: { trackers: 64, objects: 100, reannounces: false },
    plan: (world) => {
      rollingRestart(world, { everyMs: 9 * SECOND, downMs: 5 * SECOND, finding: false });
      return readings(world, 10_000, 10 * MINUTE);
    },
    bar: 1.05,
  },
  {
    name: 'rolling restart, lists a minute old, nothing told again',
    peers: 1_000,
    settings: { trackers: 64, objects: 100, staleMs: MINUTE, reannounces: false },
    plan: (world) => {
      rollingRestart(world, { everyMs: 9 * SECOND, downMs: 5 * SECOND, finding: true });
      return readings(world, 10_000, 10 * MINUTE);
    },
    bar: 1.05,
  },
  {
    name: '10 % crash amid a crowd',
    peers: 2_000,
    settings: { pieces: 32, network: { ...DEFAULTS.network, originBytesPerMs: TEN_GBIT / 10 } },
    plan: (world) => {
      const gone = some(world, 0.1);
      crash(world, gone, 700, halfSilent(world), 15 * SECOND);
      return crowd(world, SECOND);
    },
  },
  {
    name: '10 % crash amid readings',
    peers: 1_000,
    settings: { trackers: 256, objects: 100 },
    plan: (world) => {
      crash(world, some(world, 0.1), 5 * MINUTE, halfSilent(world), 15 * SECOND);
      return readings(world, 10_000, 10 * MINUTE);
    },
    bar: 1.05,
  },
  {
    name: 'zone loss',
    peers: 3_000,
    settings: { trackers: 96, zones: 3, objects: 100 },
    plan: (world) => {
      const gone = world.ids.filter((id) => world.peer(id).zone === 'z1');
      crash(world, gone, 5 * MINUTE, () => 'silent', 15 * SECOND);
      return readings(world, 20_000, 10 * MINUTE);
    },
    bar: 1.05,
  },
  {
    name: 'asymmetric partition',
    peers: 3_000,
    settings: { trackers: 96, zones: 3, objects: 100 },
    plan: (world) => {
      // For two minutes calls from zone 0 do not reach zone 1; those from zone 1 reach zone 0.
      world.isConnected = (from, to) => {
        const isNow = world.queue.nowMs > 4 * MINUTE && world.queue.nowMs < 6 * MINUTE;
        return !(isNow && world.peer(from).zone === 'z0' && world.peer(to).zone === 'z1');
      };
      return readings(world, 20_000, 10 * MINUTE);
    },
  },
  {
    name: 'slow origin',
    peers: 1_000,
    // Half a minute for a piece: many times what a silent receiver is given.
    settings: { network: { ...DEFAULTS.network, originFirstByteMs: 10 * SECOND, originBytesPerMs: 1_100 } },
    plan: (world) => crowd(world, SECOND),
    bar: 1,
  },
  {
    name: 'slow origin, 5 % pause for 2 s',
    peers: 1_000,
    settings: { network: { ...DEFAULTS.network, originFirstByteMs: 10 * SECOND, originBytesPerMs: 1_100 } },
    plan: (world) => {
      for (let atMs = 3 * SECOND; atMs < 40 * SECOND; atMs += SECOND) {
        world.queue.at(atMs, () => {
          for (const peer of world.peers) if (world.random() < 0.05) peer.pausedUntilMs = atMs + 2 * SECOND;
        });
      }
      return crowd(world, SECOND);
    },
  },
];

const LONGEST_MS = 30 * MINUTE;

export async function simulate(
  scenario: Scenario,
  seed: number,
  progress: (line: string) => void = () => undefined,
): Promise<Outcome> {
  const world = new World({ ...DEFAULTS, ...scenario.settings, peers: scenario.peers, seed });
  const beganMs = performance.now();
  const planned = scenario.plan(world);
  await world.queue.run(LONGEST_MS, () => {
    const { nowMs, ran } = world.queue;
    progress(
      `${scenario.name}: ${(nowMs / 1_000).toFixed(2)} s, ${ran} events, ${world.stats.done} of ${planned} read`,
    );
  });
  return outcomeOf(world, scenario, performance.now() - beganMs);
}

function outcomeOf(world: World, scenario: Scenario, tookMs: number): Outcome {
  const { trackers, levels, seed } = world.settings;
  return {
    name: scenario.name,
    seed,
    peers: scenario.peers,
    trackers,
    levels,
    lost: [...world.peers].filter((peer) => peer.alive && !peer.isDone).length,
    listBytes: world.membership.listBytes,
    listChanges: world.membership.changes,
    simulatedMs: world.queue.nowMs,
    tookMs,
    events: world.queue.ran,
    ...world.stats.figures(trackers),
  };
}
