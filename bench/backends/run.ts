// npm run bench:backends: one large put and get through each backend against a local origin, beside plain undici in the
// same run. Fails when a transfer fails, or its memory grows by 150 MiB or more. --help says the rest.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { formatBytes } from '../../src/cli/quantities.ts';
import { scriptCommand, size } from '../../test/support/script-command.ts';
import { type Direction, type Figures, type Kind, runTransfer } from './transfer-process.ts';

const RSS_LIMIT_MIB = 150;
const GIB = 1024 ** 3;
const ORIGIN = fileURLToPath(new URL('origin.ts', import.meta.url));
const PLAN: readonly { readonly direction: Direction; readonly kinds: readonly Kind[] }[] = [
  { direction: 'put', kinds: ['s3', 'oss', 'obs', 'fs'] },
  { direction: 'get', kinds: ['s3', 'oss', 'obs', 'http', 'fs'] },
];

interface Bench {
  readonly sizeBytes: number;
  readonly port: number;
  readonly folder: string;
}

const { size: sizeBytes, only } = scriptCommand(
  'bench:backends',
  `Puts and gets one large object through each backend against a local origin, beside plain undici. Fails when a transfer fails, or its memory grows by ${RSS_LIMIT_MIB} MiB or more.`,
)
  .addOption(new Option('--size <size>', 'bytes each way').argParser(size).default(5 * GIB, '5GiB'))
  .addOption(
    new Option('--only <kind>', 'one kind of backend; else all').choices(
      PLAN.flatMap(({ kinds }) => kinds).filter((kind, index, all) => all.indexOf(kind) === index),
    ),
  )
  .parse()
  .opts<{ size: number; only?: Kind }>();
const plan = PLAN.map(({ direction, kinds }) => ({
  direction,
  kinds: kinds.filter((kind) => only === undefined || kind === only),
})).filter(({ kinds }) => kinds.length > 0);

const folder = await mkdtemp(join(tmpdir(), 'dfstore-bench-'));
const origin = spawn(process.execPath, ['--import', 'tsx', ORIGIN, String(sizeBytes)], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
try {
  const over = await measureAll({ sizeBytes, port: await portOf(origin.stdout), folder });
  console.log(['', ...(over.length === 0 ? [`No transfer's memory grew by ${RSS_LIMIT_MIB} MiB.`] : over)].join('\n'));
  process.exitCode = over.length === 0 ? 0 : 1;
} finally {
  origin.stdin.end();
  await rm(folder, { recursive: true });
}

async function measureAll(bench: Bench): Promise<readonly string[]> {
  const over: string[] = [];
  console.log(`${formatBytes(sizeBytes)} each way; ×: CPU time over plain undici's\n`);
  console.log('| transfer | MiB/s | CPU-s/GiB | × | RSS growth, MiB |\n| --- | --: | --: | --: | --: |');
  for (const { direction, kinds } of plan) {
    const anchor = await transfer(bench, 'undici', direction);
    for (const kind of ['undici', ...kinds] as const) {
      const figures = kind === 'undici' ? anchor : await transfer(bench, kind, direction);
      console.log(row(`${kind} ${direction}`, figures, anchor));
      if (figures.rssGrowthMib < RSS_LIMIT_MIB) continue;
      over.push(`${kind} ${direction} grew by ${figures.rssGrowthMib.toFixed(0)} MiB (limit ${RSS_LIMIT_MIB}).`);
    }
  }
  return over;
}

function transfer(bench: Bench, kind: Kind, direction: Direction): Promise<Figures> {
  const all = (bench.sizeBytes / GIB).toFixed(1);
  return runTransfer({ ...bench, kind, direction }, (doneBytes) => {
    console.error(`  ${kind} ${direction}: ${(doneBytes / GIB).toFixed(1)} of ${all} GiB`);
  });
}

function row(name: string, { mibPerSecond, cpuSecondsPerGib, rssGrowthMib }: Figures, anchor: Figures): string {
  const ratio = cpuSecondsPerGib / anchor.cpuSecondsPerGib;
  const cells = [mibPerSecond.toFixed(0), cpuSecondsPerGib.toFixed(2), ratio.toFixed(2), rssGrowthMib.toFixed(0)];
  return `| ${[name, ...cells].join(' | ')} |`;
}

async function portOf(output: Readable): Promise<number> {
  for await (const line of output) return Number(line);
  throw new Error('The origin ended before it listened.');
}
