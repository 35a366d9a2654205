// One row measured: nginx and the gateway in turn, round by round, and what the rounds say together. Rows from memory
// are beside a bare node:http server too, which tells nothing of a budget and much of where the gateway's time goes.
import type { BareProcess } from './bare-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import type { LoadJob, LoadResult } from './load-process.ts';
import type { NginxProcess } from './nginx-process.ts';
import { plainRequest, signedRequest, type Wanted, wantedBy } from './requests.ts';
import type { Budget, FigureName, Row } from './rows.ts';

export interface Bench {
  readonly nginx: NginxProcess;
  readonly bare: BareProcess;
  /** Of each client that may drive. */
  readonly loads: Readonly<Partial<Record<Client, Loader>>> & { readonly node: Loader };
  /** For what goes on beside what is measured. */
  readonly otherLoad: Loader;
  readonly rounds: number;
  /** Of load on the gateway before a row is measured. */
  readonly heatMs: number;
  /** At the beginning of each measurement. */
  readonly warmMs: number;
  readonly windowMs: number;
}

/** Whoever sends the requests. */
export type Client = 'node' | 'wrk';

interface Loader {
  run(job: LoadJob): Promise<LoadResult>;
}

export interface Line {
  readonly row: string;
  readonly client: Client;
  readonly budget: Budget;
  readonly gateway: number;
  readonly nginx: number;
  /** Median of the rounds' own ratios. */
  readonly ratio: number;
  /** node:http's, and the ratio to it; undefined: it has no such row. */
  readonly bare: { readonly figure: number; readonly ratio: number } | undefined;
  readonly isOver: boolean;
}

/** What one round measured. */
interface Round {
  readonly nginx: LoadResult;
  readonly bare: LoadResult | undefined;
  readonly gateway: LoadResult;
}

interface Server {
  readonly port: number;
  readonly pids: readonly number[];
  readonly request: (wanted: Wanted) => string;
}

const FIGURES: Record<FigureName, (result: LoadResult) => number> = {
  'CPU-s/GiB': ({ cpuSeconds, bytes }) => cpuSeconds / (bytes / 1024 ** 3),
  'CPU-µs/request': ({ cpuSeconds, requests }) => (cpuSeconds * 1e6) / requests,
  'MiB/s': ({ bytes, seconds }) => bytes / 1024 ** 2 / seconds,
  'requests/s': ({ requests, seconds }) => requests / seconds,
  'p99 ms': ({ p99Ms }) => p99Ms,
};

/** Of other bytes than the row is about: the head of a window, a fill's last block. */
const OTHER_SOURCES_AT_MOST = 0.01;
const WARM_ATTEMPTS = 60;
/** Fills run ahead of their readers: a short window has the work of one and the bytes of the other. */
const COLD_TIMES = { warmMs: 2_000, windowMs: 3_000 };

export async function measure(bench: Bench, row: Row, gateway: GatewayProcess): Promise<readonly Line[]> {
  const servers = serversOf(bench, row, gateway);
  if (row.object !== 'cold') await warm(bench, row, gateway, servers.gateway);
  // Hot code is compiled while it runs; a gateway that serves has long been there.
  await loadOf(bench, row).run({ ...jobOf(bench, row, servers.gateway), windowMs: bench.heatMs });
  const rounds: Round[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    const nginx = await run(bench, row, servers.nginx);
    const bare = row.source === 'memory' ? await run(bench, row, servers.bare) : undefined;
    const before = await gateway.served();
    const measured = await run(bench, row, servers.gateway);
    const share = shareOf(row, before, await gateway.served());
    if (share < 1 - OTHER_SOURCES_AT_MOST) {
      throw new Error(`'${row.name}': only ${(share * 100).toFixed(1)} % of the bytes came from ${row.source}.`);
    }
    rounds.push({ nginx, bare, gateway: measured });
  }
  return row.budgets.map((budget) => lineOf(row, clientOf(bench, row), budget, rounds));
}

function serversOf({ nginx, bare }: Bench, row: Row, gateway: GatewayProcess): Record<keyof Round, Server> {
  return {
    nginx: { port: nginx.port, pids: nginx.pids, request: (wanted) => plainRequest(wanted, nginx.port) },
    bare: { port: bare.port, pids: bare.pids, request: (wanted) => plainRequest(wanted, bare.port) },
    gateway: {
      port: gateway.port,
      pids: [gateway.pid],
      request: (wanted) => signedRequest(wanted, row.bucket, gateway.port),
    },
  };
}

/** Reads until the bytes come from where the row wants them. */
async function warm(bench: Bench, row: Row, gateway: GatewayProcess, server: Server): Promise<void> {
  const whole: Row = { ...row, connections: 2 };
  delete (whole as { rangeBytes?: number }).rangeBytes;
  for (let attempt = 0; attempt < WARM_ATTEMPTS; attempt += 1) {
    const before = await gateway.served();
    await bench.loads.node.run({ ...jobOf(bench, whole, server), windowMs: 1_000 });
    if (shareOf(row, before, await gateway.served()) === 1) return;
  }
  throw new Error(`'${row.name}': the bytes do not come to be served from ${row.source}.`);
}

async function run(bench: Bench, row: Row, server: Server): Promise<LoadResult> {
  const job = jobOf(bench, row, server);
  if (row.besideDownloads === undefined) return loadOf(bench, row).run(job);
  const downloads: Row = { ...row, connections: row.besideDownloads };
  delete (downloads as { rangeBytes?: number }).rangeBytes;
  const [result] = await Promise.all([bench.loads.node.run(job), bench.otherLoad.run(jobOf(bench, downloads, server))]);
  return result;
}

function loadOf(bench: Bench, row: Row): Loader {
  return bench.loads[clientOf(bench, row)] ?? bench.loads.node;
}

/**
 * wrk cannot tell when a request may not be sent again, nor when another generator's window begins; and it reads 8 KiB at
 * a time, so that of downloads it would measure itself.
 */
function clientOf({ loads }: Bench, { object, rangeBytes, besideDownloads }: Row): Client {
  const isShort = object === 'small' || (object === 'big' && rangeBytes !== undefined);
  return loads.wrk !== undefined && isShort && besideDownloads === undefined ? 'wrk' : 'node';
}

function jobOf(bench: Bench, row: Row, server: Server): LoadJob {
  const { port, pids, request } = server;
  const once = row.object === 'cold';
  const { warmMs, windowMs } = once ? COLD_TIMES : bench;
  const requests = wantedBy(row).map(request);
  // Two that never sleep would leave the server no core.
  const awake = row.besideDownloads === undefined;
  return { port, connections: row.connections, requests, once, awake, warmMs, windowMs, pids };
}

function shareOf({ source }: Row, before: Served, after: Served): number {
  if (source === undefined) return 1;
  const added = [...after].map(([name, bytes]) => [name, bytes - (before.get(name) ?? 0)] as const);
  const total = added.reduce((sum, [, bytes]) => sum + bytes, 0);
  return (added.find(([name]) => name === source)?.[1] ?? 0) / total;
}

type Served = Awaited<ReturnType<GatewayProcess['served']>>;

function lineOf(row: Row, client: Client, budget: Budget, rounds: readonly Round[]): Line {
  const figure = FIGURES[budget.figure];
  const gateway = median(rounds.map((round) => figure(round.gateway)));
  const nginx = median(rounds.map((round) => figure(round.nginx)));
  const ratio = median(rounds.map((round) => figure(round.gateway) / figure(round.nginx)));
  const besideBare = rounds.flatMap(({ bare, gateway }) => (bare ? [[figure(bare), figure(gateway)] as const] : []));
  const { ratioAtMost = Infinity, ratioAtLeast = 0, atMost = Infinity } = budget;
  return {
    row: row.name,
    client,
    budget,
    gateway,
    nginx,
    ratio,
    bare: besideBare.length === 0 ? undefined : bareOf(besideBare),
    isOver: !(ratio <= ratioAtMost && ratio >= ratioAtLeast && gateway <= atMost),
  };
}

function bareOf(rounds: readonly (readonly [bare: number, gateway: number])[]): Line['bare'] {
  return {
    figure: median(rounds.map(([bare]) => bare)),
    ratio: median(rounds.map(([bare, gateway]) => gateway / bare)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return (
    ((sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN) +
      (sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN)) /
    2
  );
}
