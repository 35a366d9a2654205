// Kills a whole gateway under load at random instants, starting included, and looks at how it comes back, again and
// again over the same cache.
import { setTimeout as pause } from 'node:timers/promises';
import type { VerificationLine } from '../../src/admin/cache-verification.ts';
import { allocatedBytes } from '../support/disk-shelf.ts';
import { CacheLoad } from './cache-load.ts';
import { CacheKillWorld } from './cache-world.ts';
import { GatewayProcess, type Serving } from './gateway-process.ts';
import { Random } from './random.ts';

/** A life ends some time after some writes: both at random. */
const WRITES_MAX = 4;
const LIFE_AFTER_MAX_MS = 300;
/** One start in five is killed too, at any instant of it. */
const KILLED_STARTS = 5;
const START_MAX_MS = 800;
/** How long after it serves the sweep may take until the figures agree. */
const SWEEP_MAX_MS = 2_000;
const READS_AFTER = 10;

export interface CacheKillReport {
  readonly kills: number;
  readonly killedStarts: number;
  readonly reads: number;
  readonly writes: number;
  /** Answers that a kill cut: the others would prove nothing. */
  readonly cut: number;
  /** Pieces found sound after all restarts together. */
  readonly soundPieces: number;
  /** Of the starts that were not killed, until the gateway serves. */
  readonly startMs: { readonly median: number; readonly max: number };
  /** The largest difference between the metric and the disk. */
  readonly leakedBytesMax: number;
}

/** Rejects at the first broken promise, naming the seed. */
export async function cacheKillRounds(
  options: { kills: number; seed: number },
  began: (round: number) => void = () => undefined,
): Promise<CacheKillReport> {
  const world = await CacheKillWorld.open();
  const random = new Random(options.seed);
  const load = new CacheLoad(random);
  const starts: number[] = [];
  const sums = { kills: 0, killedStarts: 0, soundPieces: 0, leakedBytesMax: 0 };
  for (; sums.kills < options.kills; sums.kills += 1) {
    began(sums.kills + 1);
    const gateway = new GatewayProcess(world.configFile);
    try {
      if (random.below(KILLED_STARTS) < 1) {
        await pause(random.below(START_MAX_MS));
        sums.killedStarts += 1;
        await gateway.kill();
        continue;
      }
      const serving = await gateway.serving;
      starts.push(serving.startMs);
      const found = await inspect(world, load, gateway, serving);
      sums.soundPieces += found.soundPieces;
      sums.leakedBytesMax = Math.max(sums.leakedBytesMax, found.leakedBytes);
      await loadAndKill(gateway, load, serving, random);
    } catch (cause) {
      await gateway.kill().catch(() => undefined);
      const where = `After kill ${sums.kills} of seed ${options.seed} a promise is broken; see ${world.folder}.`;
      throw new Error(`${where}\n${gateway.said}`, { cause });
    }
  }
  await world.close();
  starts.sort((a, b) => a - b);
  const startMs = { median: starts[starts.length >> 1] ?? 0, max: starts.at(-1) ?? 0 };
  return { ...sums, ...load.counts, startMs };
}

async function loadAndKill(gateway: GatewayProcess, load: CacheLoad, at: Serving, random: Random): Promise<void> {
  const working = load.run(gateway, at);
  await Promise.race([working, load.written(Math.floor(random.below(WRITES_MAX)))]);
  await Promise.race([working, pause(random.below(LIFE_AFTER_MAX_MS))]);
  await gateway.kill();
  await working;
}

async function inspect(
  world: CacheKillWorld,
  load: CacheLoad,
  gateway: GatewayProcess,
  at: Serving,
): Promise<{ soundPieces: number; leakedBytes: number }> {
  const leakedBytes = await figuresAgree(world, at);
  const soundPieces = await readEverything(at);
  nothingWasDamaged(gateway);
  await world.originsAtRest();
  for (const [key, state] of load.states) {
    const value = valueAtOrigin(world, key);
    const allowed = [state.acknowledged, ...(state.begun === undefined ? [] : [state.begun.value])];
    if (!allowed.includes(value)) throw new Error(`'${key}' is '${value}' at its origin, not one of ${allowed}.`);
    await load.expectWritten(at, key, value);
    state.acknowledged = value;
    state.begun = undefined;
  }
  for (let read = 0; read < READS_AFTER; read += 1) await load.readLarge(at);
  return { soundPieces, leakedBytes };
}

/** The metric says what the file system has allotted, within a block a file. Answers how far it is off. */
async function figuresAgree(world: CacheKillWorld, { adminUrl }: Serving): Promise<number> {
  const deadline = performance.now() + SWEEP_MAX_MS;
  for (;;) {
    const metric = await cacheBytes(adminUrl);
    const { bytes, files } = await allocatedBytes({ disks: [world.cacheDirectory] });
    const off = Math.abs(bytes - metric);
    if (off <= 4096 * files) return off;
    if (performance.now() > deadline) {
      throw new Error(`The cache has ${bytes} bytes in ${files} files on disk and says ${metric}.`);
    }
    await pause(10);
  }
}

async function cacheBytes(adminUrl: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const value = /^dfstore_cache_bytes (\S+)$/m.exec(text)?.[1];
  if (value === undefined) throw new Error('There is no metric dfstore_cache_bytes.');
  return Number(value);
}

/** Reads all that the cache holds, and answers how many pieces are sound. A row may outlive its file by a flush. */
async function readEverything({ adminUrl }: Serving): Promise<number> {
  const answer = await fetch(`${adminUrl}/cache/verify`, { method: 'POST' });
  const last = JSON.parse((await answer.text()).trim().split('\n').at(-1) ?? '{}') as VerificationLine;
  if (last.type !== 'summary' || last.damaged > 0) throw new Error(`The cache is not sound: ${JSON.stringify(last)}`);
  return last.sound;
}

/** What a mark names never fails its proof when only the process dies. */
function nothingWasDamaged(gateway: GatewayProcess): void {
  const damage = gateway.said.split('\n').find((line) => line.includes('A cached piece was damaged'));
  if (damage !== undefined) throw new Error(`The cache was not sound: ${damage}`);
}

/** Its first word; undefined: there is no object. */
function valueAtOrigin(world: CacheKillWorld, key: string): string | undefined {
  const stored = world.written.bucket('written').objects.get(key);
  if (stored === undefined) return undefined;
  return stored.bytes.toString('latin1', 0, stored.bytes.indexOf(' '));
}
