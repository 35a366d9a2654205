// The lab of one scenario, built and ready: wires, origin, and a gateway on each other node that serves and has the
// others in its list.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { keepMetrics, readyGateway, startGateway } from './lab-gateway.ts';
import { LabNetwork, type Link } from './lab-network.ts';
import { LabNodes, type Started } from './lab-nodes.ts';
import { LabOrigin, type OriginReads } from './lab-origin.ts';
import { LAB_ID, removeLab, signalAll } from './lab-remains.ts';
import type { Scenario } from './presets.ts';
import { NodeGroups } from './processor-use.ts';

const PROFILE_LIMIT_MS = 30_000;

export interface LabOptions {
  readonly pieceSize: string;
  /** Settings of the gateways, like `mesh.leases=8`. */
  readonly set: readonly string[];
}

export class Lab {
  readonly links: readonly Link[];
  readonly network: LabNetwork;
  readonly nodes: LabNodes;
  readonly groups: NodeGroups;
  readonly origin: LabOrigin;
  /** By peer: the first is node 1. */
  readonly gateways: readonly Started[];

  private constructor(parts: Pick<Lab, 'links' | 'network' | 'nodes' | 'groups' | 'origin' | 'gateways'>) {
    this.links = parts.links;
    this.network = parts.network;
    this.nodes = parts.nodes;
    this.groups = parts.groups;
    this.origin = parts.origin;
    this.gateways = parts.gateways;
  }

  /** When it rejects, `removeLab(LAB_ID)` takes away what was made. */
  static async build(scenario: Scenario, { pieceSize, set }: LabOptions): Promise<Lab> {
    const links = linksOf(scenario);
    const network = new LabNetwork(LAB_ID, links);
    await network.build();
    const groups = await NodeGroups.make(LAB_ID, links.length);
    const nodes = new LabNodes(LAB_ID, network, groups);
    const origin = await LabOrigin.start(nodes, scenario.sizeBytes);
    const peers = links.slice(1).map((_, index) => index + 1);
    const settings = {
      originUrl: LabOrigin.url(network.addressOf(0)),
      addresses: peers.map((peer) => network.addressOf(peer)),
      secret: randomBytes(32).toString('base64url'),
      pieceSize,
      set,
    };
    const starting = peers.map((peer) => startGateway(nodes, peer, network.addressOf(peer), settings));
    const started = await Promise.all(starting);
    await Promise.all(started.map((gateway, index) => readyGateway(nodes, index + 1, gateway)));
    return new Lab({ links, network, nodes, groups, origin, gateways: started });
  }

  /** By the numbers of their nodes: what is not the origin. */
  get peers(): readonly number[] {
    return this.links.slice(1).map((_, index) => index + 1);
  }

  /** To all processes of a node. */
  async signal(node: number, signal: NodeJS.Signals): Promise<void> {
    await signalAll(this.network.namespaceOf(node), signal);
  }

  /** Ends all gateways, and then the origin when it has written down what it gave. */
  async stop(): Promise<OriginReads> {
    for (const peer of this.peers) await this.network.mend(peer);
    if (process.env.DFSTORE_BENCH_NODE_OPTIONS !== undefined) await this.#stopInOrder();
    for (const peer of this.peers) await this.signal(peer, 'SIGKILL');
    return this.origin.stop();
  }

  /** As operators do: a profile is written at a regular end only. */
  async #stopInOrder(): Promise<void> {
    const limit = AbortSignal.timeout(PROFILE_LIMIT_MS);
    const living = this.gateways.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    const exits = living.map(({ child }) => once(child, 'exit', { signal: limit }));
    for (const { child } of living) child.kill('SIGTERM');
    await Promise.all(exits);
  }

  /** What every process logged, into FOLDER/NODE/, with the metrics of the gateways among `alive`. */
  async keepLogs(folder: string, alive: readonly number[]): Promise<void> {
    await Promise.all(alive.map((peer) => keepMetrics(this.nodes, peer)));
    for (const node of this.links.keys()) await copyLogs(this.nodes.folderOf(node), join(folder, `${node}`));
  }
}

let removing: Promise<void> | undefined;

/** Of this process. May be called while it is being done. */
export function removeOwnLab(): Promise<void> {
  removing ??= removeLab(LAB_ID).finally(() => {
    removing = undefined;
  });
  return removing;
}

function linksOf({ gateways, rateMbit, originShare = 1, stragglerShare = 1 }: Scenario): readonly Link[] {
  const shares = [originShare, ...Array<number>(gateways - 1).fill(1), stragglerShare];
  return shares.map((share) => symmetric(share * rateMbit));
}

function symmetric(mbit: number): Link {
  return { upMbit: mbit, downMbit: mbit };
}

async function copyLogs(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    const path = join(from, name);
    if (name.endsWith('.log') && (await stat(path)).size > 0) await copyFile(path, join(to, name));
  }
}
