// npm run bench:read [-- --quick] [-- --only TEXT] [-- --client wrk|node]: reads through the built gateway beside nginx
// in the same run, in CPU time of the servers. Fails when a figure is over its budget (rows.ts). Needs Linux and nginx;
// wrk sends the requests where it is installed.
import { parseArgs } from 'node:util';
import { BareProcess } from './bare-process.ts';
import { GatewayProcess } from './gateway-process.ts';
import { LoadProcess } from './load-process.ts';
import { type Bench, type Client, type Line, measure } from './measure.ts';
import { startAnchor } from './nginx-process.ts';
import { type Budget, CACHES, ROWS, type Row } from './rows.ts';
import { hasWrk, WrkLoad } from './wrk-load.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, client: { type: 'string' } },
});
const chosen = ROWS.filter(({ name }) => name.includes(values.only ?? ''));
if (chosen.length === 0) throw new Error(`No row has '${values.only}' in its name.`);

const client = clientNamed(values.client);

const nginx = await startAnchor();
const bare = await BareProcess.start();
const load = await LoadProcess.start();
const otherLoad = await LoadProcess.start();
try {
  const lines = await measureAll({
    nginx,
    bare,
    loads: { node: load, ...(client === 'wrk' && { wrk: new WrkLoad() }) },
    otherLoad,
    ...(values.quick
      ? { rounds: 3, heatMs: 2_000, warmMs: 100, windowMs: 400 }
      : { rounds: 7, heatMs: 8_000, warmMs: 200, windowMs: 800 }),
  });
  const over = lines.filter(({ isOver }) => isOver);
  console.log(over.length === 0 ? '\nAll within budget.' : `\n${over.length} over budget.`);
  process.exitCode = over.length === 0 ? 0 : 1;
} finally {
  bare.close();
  load.close();
  otherLoad.close();
  await nginx.close();
}

function clientNamed(name: string = hasWrk() ? 'wrk' : 'node'): Client {
  if (name === 'wrk' || name === 'node') return name;
  throw new Error(`The client is wrk or node, not '${name}'.`);
}

/** Gateway by gateway, so that no idle one disturbs. */
async function measureAll(bench: Bench): Promise<readonly Line[]> {
  console.log('| what | client | figure | gateway | nginx | × | budget | | node:http | × |');
  console.log('| --- | --- | --- | --: | --: | --: | --- | --- | --: | --: |');
  const lines: Line[] = [];
  for (const cache of Object.keys(CACHES) as (keyof typeof CACHES)[]) {
    const rows = chosen.filter((row) => row.cache === cache);
    if (rows.length > 0) lines.push(...(await measureRows(bench, cache, rows)));
  }
  return lines;
}

async function measureRows(bench: Bench, cache: keyof typeof CACHES, rows: readonly Row[]): Promise<readonly Line[]> {
  const gateway = await GatewayProcess.start(bench.nginx.url, CACHES[cache]);
  try {
    const lines: Line[] = [];
    for (const row of rows) {
      const measured = await measure(bench, row, gateway);
      for (const line of measured) console.log(render(line));
      lines.push(...measured);
    }
    return lines;
  } finally {
    await gateway.close();
  }
}

function render({ row, client, budget, gateway, nginx: anchor, ratio, isOver, bare }: Line): string {
  const cells = [row, client, budget.figure, short(gateway), short(anchor), ratio.toFixed(2), budgetText(budget)];
  const beside = bare === undefined ? ['', ''] : [short(bare.figure), bare.ratio.toFixed(2)];
  return `| ${[...cells, isOver ? 'over' : '', ...beside].join(' | ')} |`;
}

function budgetText({ ratioAtMost, ratioAtLeast, atMost, figure }: Budget): string {
  return [
    ratioAtMost === undefined ? '' : `≤ ${ratioAtMost} ×`,
    ratioAtLeast === undefined ? '' : `≥ ${ratioAtLeast} ×`,
    atMost === undefined ? '' : `≤ ${atMost} ${figure.split(' ').at(-1)}`,
  ]
    .filter((text) => text !== '')
    .join(', ');
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
