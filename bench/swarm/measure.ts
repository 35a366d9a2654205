// One run: all clients through their gates, what the scenario wants to go wrong, and the figures when the last one that
// is waited for has ended.
import { setTimeout as pause } from 'node:timers/promises';
import type { Figures } from './figures.ts';
import { fluidBound, transferSeconds } from './fluid-bound.ts';
import type { Lab } from './lab.ts';
import { LabClient, type Range, type Read } from './lab-client.ts';
import type { Traffic } from './lab-network.ts';
import type { OriginReads } from './lab-origin.ts';
import type { Fault, Scenario } from './presets.ts';
import { busyShare, processorTicks, type UseShares, useShares } from './processor-use.ts';
import { drawRanges, touchedBytes } from './random-ranges.ts';

export interface Measured {
  readonly figures: Figures;
  readonly peers: readonly PeerReport[];
  /** Wrong or missing bytes, by peer, in words. */
  readonly problems: readonly string[];
  readonly boundSeconds: number;
  readonly originGets: number;
  /** Busy share of all processors, 0 to 1. */
  readonly processors: number;
  /** Absent where the kernel does not tell. */
  readonly shares: UseShares | undefined;
  readonly drops: number;
  /** The network was the bottleneck, not the processors. */
  readonly isValid: boolean;
}

interface PeerReport {
  /** Absent where it was not waited for, or failed. */
  readonly seconds?: number;
  readonly sentOverS: number;
  readonly receivedOverS: number;
}

/** Beyond this many times the bound, and the grace, a client is given up. */
const LIMIT_FACTOR = 5;
const LIMIT_GRACE_S = 20;
const BUSY_AT_MOST = 0.85;
const STARVED_AT_MOST = 0.1;

export interface MeasureOptions {
  readonly pieceBytes: number;
  /** Where logs and metrics are kept. */
  readonly keepLogs: string | undefined;
}

export async function measure(
  scenario: Scenario,
  lab: Lab,
  { pieceBytes, keepLogs }: MeasureOptions,
  signal: AbortSignal,
): Promise<Measured> {
  const plan = planOf(scenario, lab, pieceBytes);
  const clients = await Promise.all(
    lab.peers.map((peer, index) => LabClient.prepare(lab.nodes, peer, readingOf(plan, index))),
  );
  const before = await snapshot(lab);
  const reading = clients.map((client, index) => readInTurn(client, index, { scenario, plan }, signal));
  const [all] = await Promise.all([Promise.all(reading), inflict(scenario, lab, signal)]);
  const reads = all.filter((read) => read !== undefined);
  const after = await snapshot(lab);
  const drops = await lab.network.drops();
  const problems = await problemsOf(clients, reads, lab);
  const alive = lab.peers.slice(0, plan.readers);
  if (keepLogs !== undefined) await lab.keepLogs(keepLogs, alive);
  const origin = await lab.stop();
  return { ...report({ scenario, plan, reads, before, after, origin }), problems, drops };
}

/** What the run is to bring. */
interface Plan {
  /** The first so many peers are waited for. */
  readonly readers: number;
  readonly ranges: readonly (readonly Range[])[] | undefined;
  readonly distinctBytes: number;
  readonly boundSeconds: number;
}

function planOf(scenario: Scenario, lab: Lab, pieceBytes: number): Plan {
  const { gateways, sizeBytes, stragglerShare, fault, randomReads } = scenario;
  const readers = gateways - (fault?.peers ?? 0) - (stragglerShare === undefined ? 0 : 1);
  const ranges = randomReads && drawRanges({ ...randomReads, readers: gateways, sizeBytes });
  const distinct = ranges === undefined ? sizeBytes : touchedBytes(ranges.flat(), pieceBytes, sizeBytes);
  const [originLink, ...links] = lab.links;
  if (originLink === undefined) throw new Error('A lab has a link for its origin.');
  const peerBytes = randomReads === undefined ? sizeBytes : randomReads.count * randomReads.bytes;
  const boundSeconds = fluidBound({ distinctBytes: distinct, peerBytes }, originLink, links, readers);
  return { readers, ranges, distinctBytes: distinct, boundSeconds };
}

function readingOf({ ranges, boundSeconds }: Plan, index: number) {
  const limitSeconds = LIMIT_FACTOR * boundSeconds + LIMIT_GRACE_S;
  const own = ranges?.[index];
  return own === undefined ? { limitSeconds } : { limitSeconds, ranges: own };
}

/** Resolves with nothing, at once, for a client that is not waited for. */
async function readInTurn(
  client: LabClient,
  index: number,
  { scenario, plan }: { readonly scenario: Scenario; readonly plan: Plan },
  signal: AbortSignal,
): Promise<Read | undefined> {
  const { arrivalSeconds = 0, gateways } = scenario;
  await pause((1000 * arrivalSeconds * index) / Math.max(1, gateways - 1), undefined, { signal });
  if (index < plan.readers) return client.read();
  client.open();
  return undefined;
}

async function inflict(scenario: Scenario, lab: Lab, signal: AbortSignal): Promise<void> {
  const { fault, sizeBytes, rateMbit, gateways } = scenario;
  if (fault === undefined) return;
  await pause(1000 * fault.at * transferSeconds(sizeBytes, rateMbit), undefined, { signal });
  const victims = lab.peers.slice(gateways - fault.peers);
  await Promise.all(victims.map((victim) => FAULTS[fault.kind](lab, victim)));
}

const FAULTS: Readonly<Record<Fault['kind'], (lab: Lab, node: number) => Promise<void>>> = {
  kill: (lab, node) => lab.signal(node, 'SIGKILL'),
  cut: (lab, node) => lab.network.cut(node),
  stop: (lab, node) => lab.signal(node, 'SIGSTOP'),
};

async function snapshot(lab: Lab) {
  const traffic = await lab.network.traffic();
  const use = lab.groups.use();
  return { traffic, use, ticks: processorTicks(), at: performance.now() };
}

type Snapshot = Awaited<ReturnType<typeof snapshot>>;

async function problemsOf(clients: readonly LabClient[], reads: readonly Read[], lab: Lab): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [index, read] of reads.entries()) {
    const problem = await clients[index]?.problem(read, lab.origin.object);
    if (problem !== undefined) problems.push(`The client of peer ${index + 1} ${problem}`);
  }
  return problems;
}

interface Run {
  readonly scenario: Scenario;
  readonly plan: Plan;
  readonly reads: readonly Read[];
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly origin: OriginReads;
}

function report({ scenario, plan, reads, before, after, origin }: Run): Omit<Measured, 'problems' | 'drops'> {
  const idealSeconds = transferSeconds(scenario.sizeBytes, scenario.rateMbit);
  const lastSeconds = Math.max(...reads.map(({ seconds }) => seconds));
  const [fromOrigin, ...peers] = after.traffic.map((now, node) => since(before.traffic[node], now));
  const sent = peers.map((traffic) => traffic.sent);
  const processors = busyShare(before.ticks, after.ticks);
  const seconds = (after.at - before.at) / 1000;
  const shares = before.use && after.use && useShares(before.use, after.use, seconds);
  return {
    figures: {
      lastSeconds,
      overIdeal: lastSeconds / idealSeconds,
      overBound: lastSeconds / plan.boundSeconds,
      lateSeconds: lastSeconds - 1.15 * idealSeconds,
      originBody: origin.bodyBytes / plan.distinctBytes,
      originWire: (fromOrigin?.sent ?? 0) / plan.distinctBytes,
      busiest: (Math.max(...sent) * sent.length) / sent.reduce((sum, bytes) => sum + bytes, 0),
    },
    peers: peers.map((traffic, index) => ({
      ...(reads[index]?.exitCode === 0 && { seconds: reads[index].seconds }),
      sentOverS: traffic.sent / scenario.sizeBytes,
      receivedOverS: traffic.received / scenario.sizeBytes,
    })),
    boundSeconds: plan.boundSeconds,
    originGets: origin.gets,
    processors,
    shares,
    isValid: processors < BUSY_AT_MOST || (shares?.starved ?? 1) < STARVED_AT_MOST,
  };
}

function since(before: Traffic | undefined, now: Traffic): Traffic {
  return { sent: now.sent - (before?.sent ?? 0), received: now.received - (before?.received ?? 0) };
}
