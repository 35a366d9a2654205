// One gateway on a node of the lab: the built product with the configuration that the presets are measured with.
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import type { LabNodes, Started } from './lab-nodes.ts';
import { OBJECT_KEY } from './lab-origin.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const BUCKET = 'swarm';
const ADMIN = '127.0.0.1:9001';
const MESH_PORT = 9002;
const START_LIMIT_S = 90;

/** Where clients of the node find the object. */
export const OBJECT_URL = `http://127.0.0.1:9000/${BUCKET}/${OBJECT_KEY}`;

export interface GatewaySettings {
  readonly originUrl: string;
  /** Addresses of all nodes with a gateway, its own included. */
  readonly addresses: readonly string[];
  readonly secret: string;
  readonly pieceSize: string;
  /** More settings: `mesh.leases=8`. They win. */
  readonly set: readonly string[];
}

export async function startGateway(
  nodes: LabNodes,
  node: number,
  address: string,
  settings: GatewaySettings,
): Promise<Started> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run 'npm run build' first.`);
  const folder = nodes.folderOf(node);
  const file = join(folder, 'dfstore.yaml');
  await mkdir(folder, { recursive: true });
  await writeFile(file, stringify(configuration(folder, address, settings)));
  const command = [process.execPath, ...nodeOptions(), MAIN, 'serve', '--config', file];
  return nodes.start(node, 'gateway', `exec ${command.join(' ')} >&2`);
}

/** Until it says that it is ready. */
export async function readyGateway(nodes: LabNodes, node: number, { child, log }: Started): Promise<void> {
  const asking = `curl --silent --fail --output /dev/null http://${ADMIN}/readyz`;
  const waiting = `until ${asking}; do kill -0 ${child.pid} || exit 1; sleep 0.2; done`;
  try {
    await nodes.run(node, 'ready', `timeout ${START_LIMIT_S} bash -c '${waiting}'`);
  } catch (cause) {
    throw new Error(`The gateway on node ${node} is not ready:\n${readFileSync(log, 'utf8')}`, { cause });
  }
}

/** Its metrics as text, into metrics.log; an unfinished or dead gateway leaves it empty. */
export async function keepMetrics(nodes: LabNodes, node: number): Promise<void> {
  await nodes.run(node, 'metrics', `curl --silent --max-time 2 http://${ADMIN}/metrics >&2 || true`);
}

function configuration(folder: string, address: string, settings: GatewaySettings): Record<string, unknown> {
  const config = {
    data: join(folder, 'data'),
    listen: new URL(OBJECT_URL).host,
    admin: { listen: ADMIN },
    auth: {
      credentials: [{ accessKeyId: 'SWARMACCESSKEY', secretAccessKey: settings.secret }],
      anonymous: [{ allow: ['read'], buckets: [BUCKET] }],
    },
    backends: { origin: { type: 'http', endpoint: settings.originUrl } },
    buckets: { [BUCKET]: { backend: 'origin', freshness: '60s' } },
    cache: { pieceSize: settings.pieceSize, blockSize: '128KiB', memory: '64MiB', capacity: '2GiB' },
    mesh: {
      listen: `${address}:${MESH_PORT}`,
      advertise: `${address}:${MESH_PORT}`,
      members: { static: settings.addresses.map((each) => `${each}:${MESH_PORT}`) },
      secret: settings.secret,
    },
  };
  for (const setting of settings.set) apply(config, setting);
  return config;
}

function apply(config: Record<string, unknown>, setting: string): void {
  const [path = '', value] = setting.split(/=(.*)/s);
  const names = path.split('.');
  const last = names.pop();
  if (!last || value === undefined) throw new Error(`'${setting}' is no setting; write it like mesh.leases=8.`);
  let section = config;
  for (const name of names) {
    const next = section[name] ?? {};
    if (typeof next !== 'object') throw new Error(`'${setting}': ${name} is not a section.`);
    section[name] = next;
    section = next as Record<string, unknown>;
  }
  section[last] = parse(value);
}

/** More for node, such as --cpu-prof: what a profile is taken with. */
function nodeOptions(): readonly string[] {
  return process.env.DFSTORE_BENCH_NODE_OPTIONS?.split(' ') ?? [];
}
