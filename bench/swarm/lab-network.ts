// The wires: a network namespace for each node, all behind one bridge in a namespace of its own, each link shaped both
// ways by tc's token bucket. The namespace of the machine itself gets no link and no address. Node 0 is the origin.
import { ipBatch, tool } from './system-tools.ts';

/** Mbit/s from the node and to it. */
export interface Link {
  readonly upMbit: number;
  readonly downMbit: number;
}

/** Bytes on the wire since the link was made, headers and retransmissions included. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/**
 * A token bucket whose burst is smaller than one segment that TCP hands down cuts that segment up and arms a timer for
 * each packet, which alone takes a core: so segments are held to 16 KiB, and a burst is two of them.
 */
const SEGMENT_BYTES = 16 * 1024;
const BURST_BYTES = 2 * SEGMENT_BYTES;
/** With many flows a shorter queue drops packets until retransmissions are a tenth of the traffic. */
const QUEUE_BYTES = 512 * 1024;
/** What a namespace may always choose, and what loses to nobody by being modern. */
const CONGESTION_CONTROL = 'reno';
const SUBNET = '10.77.0';

export class LabNetwork {
  readonly #id: string;
  readonly #links: readonly Link[];

  /** `links`: by node. `id` begins the names of all namespaces. */
  constructor(id: string, links: readonly Link[]) {
    this.#id = id;
    this.#links = links;
  }

  namespaceOf(node: number): string {
    return `${this.#id}-n${node}`;
  }

  addressOf(node: number): string {
    return `${SUBNET}.${node + 1}`;
  }

  get #switch(): string {
    return `${this.#id}-switch`;
  }

  get #nodes(): readonly number[] {
    return this.#links.map((_, node) => node);
  }

  async build(): Promise<void> {
    const namespaces = [this.#switch, ...this.#nodes.map((node) => this.namespaceOf(node))];
    for (const name of namespaces) await addNamespace(name);
    await ipBatch(this.#switch, [
      'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
      'link set br0 up',
    ]);
    for (const node of this.#nodes) await this.#connect(node);
    await this.#tellNeighbours();
  }

  /** The cable is out: nothing says so to anybody. */
  async cut(node: number): Promise<void> {
    await tool('ip', ['-n', this.#switch, 'link', 'set', `port${node}`, 'down']);
  }

  async mend(node: number): Promise<void> {
    await tool('ip', ['-n', this.#switch, 'link', 'set', `port${node}`, 'up']);
  }

  /** By node, read at the switch. */
  async traffic(): Promise<readonly Traffic[]> {
    const links: readonly LinkReport[] = JSON.parse(await tool('ip', ['-n', this.#switch, '-json', '-stats', 'link']));
    return this.#nodes.map((node) => {
      const counted = links.find(({ ifname }) => ifname === `port${node}`)?.stats64;
      if (counted === undefined) throw new Error(`The switch does not count what node ${node} sends.`);
      return { sent: counted.rx.bytes, received: counted.tx.bytes };
    });
  }

  /** Packets that found a queue full. */
  async drops(): Promise<number> {
    const namespaces = [this.#switch, ...this.#nodes.map((node) => this.namespaceOf(node))];
    const reports = await Promise.all(namespaces.map((name) => tool('tc', ['-n', name, '-s', 'qdisc', 'show'])));
    const counts = reports.flatMap((report) => [...report.matchAll(/qdisc tbf[\s\S]*?dropped (\d+)/g)]);
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async #connect(node: number): Promise<void> {
    const name = this.namespaceOf(node);
    const link = this.#links[node];
    if (link === undefined) throw new Error(`Node ${node} has no link.`);
    const port = `port${node}`;
    const segments = `gso_max_size ${SEGMENT_BYTES} gro_max_size ${SEGMENT_BYTES}`;
    const ends = ['eth0', 'netns', name, 'type', 'veth', 'peer', 'name', port, 'netns', this.#switch];
    await tool('ip', ['link', 'add', ...ends]);
    await ipBatch(this.#switch, [`link set ${port} ${segments} master br0 up`]);
    await ipBatch(name, [
      'link set lo up',
      `link set eth0 ${segments} up`,
      `addr add ${this.addressOf(node)}/24 dev eth0`,
    ]);
    await shape(name, 'eth0', link.upMbit);
    await shape(this.#switch, port, link.downMbit);
  }

  /** Everybody knows everybody's hardware address: no lookups in the measurement. */
  async #tellNeighbours(): Promise<void> {
    const known = await Promise.all(this.#nodes.map((node) => hardwareAddress(this.namespaceOf(node))));
    for (const node of this.#nodes) {
      const others = this.#nodes.filter((other) => other !== node);
      await ipBatch(
        this.namespaceOf(node),
        others.map((other) => `neigh replace ${this.addressOf(other)} lladdr ${known[other]} dev eth0 nud permanent`),
      );
    }
  }
}

interface LinkReport {
  readonly ifname: string;
  readonly address: string;
  readonly stats64?: { readonly rx: { readonly bytes: number }; readonly tx: { readonly bytes: number } };
}

async function addNamespace(name: string): Promise<void> {
  await tool('ip', ['netns', 'add', name]);
  const settings = [
    'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6',
    'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6',
    `echo ${CONGESTION_CONTROL} >/proc/sys/net/ipv4/tcp_congestion_control`,
  ];
  await tool('nsenter', [`--net=/run/netns/${name}`, 'sh', '-ec', settings.join('\n')]);
}

async function shape(namespace: string, device: string, mbit: number): Promise<void> {
  const rate = ['rate', `${Math.round(mbit * 1000)}kbit`, 'burst', `${BURST_BYTES}`, 'limit', `${QUEUE_BYTES}`];
  await tool('tc', ['-n', namespace, 'qdisc', 'add', 'dev', device, 'root', 'tbf', ...rate]);
}

async function hardwareAddress(namespace: string): Promise<string> {
  const [link]: readonly LinkReport[] = JSON.parse(
    await tool('ip', ['-n', namespace, '-json', 'link', 'show', 'eth0']),
  );
  if (link === undefined) throw new Error(`There is no eth0 in ${namespace}.`);
  return link.address;
}
