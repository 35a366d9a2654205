// npm run bench:read: reads through the built gateway beside nginx in the same run, in CPU time of the servers. Fails
// when a figure is over its budget (rows.ts). --help says the rest.
import { Option } from 'commander';
import { scriptCommand } from '../../test/support/script-command.ts';
import { BareProcess } from './bare-process.ts';
import { GatewayProcess } from './gateway-process.ts';
import { LoadProcess } from './load-process.ts';
import { type Bench, type Client, type Line, measure } from './measure.ts';
import { startAnchor } from './nginx-process.ts';
import { type Budget, CACHES, ROWS, type Row } from './rows.ts';
import { hasWrk, WrkLoad } from './wrk-load.ts';

const command = scriptCommand(
  'bench:read',
  'Reads through the built gateway beside nginx, in CPU time of the servers. Fails when a figure is over its budget. Needs Linux and nginx.',
)
  .option('--quick', 'fewer and shorter rounds')
  .option('--only <text>', 'the rows with this in their names; else all')
  .addOption(
    new Option('--client <name>', 'who sends the requests; else wrk where it is installed').choices(['wrk', 'node']),
  )
  .addHelpText('after', `\nRows:\n${ROWS.map(({ name }) => `  ${name}`).join('\n')}`)
  .parse();
const options = command.opts<{ quick?: boolean; only?: string; client?: Client }>();
const chosen = ROWS.filter(({ name }) => name.includes(options.only ?? ''));
if (chosen.length === 0) command.error(`error: no row has '${options.only}' in its name; --help lists them`);

const client = options.client ?? (hasWrk() ? 'wrk' : 'node');

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
    ...(options.quick
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
