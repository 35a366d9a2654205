// npm run bench:backends [-- --size 5GiB]: one large put and get through each backend against a local origin, beside
// plain undici in the same run. Fails when a transfer's memory grows by 150 MiB or more.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RSS_LIMIT_MIB = 150;
const PLAN: readonly (readonly [kind: string, direction: 'put' | 'get'])[] = [
  ['undici', 'put'],
  ['s3', 'put'],
  ['oss', 'put'],
  ['obs', 'put'],
  ['fs', 'put'],
  ['undici', 'get'],
  ['s3', 'get'],
  ['oss', 'get'],
  ['obs', 'get'],
  ['http', 'get'],
  ['fs', 'get'],
];

interface Figures {
  readonly mibPerSecond: number;
  readonly cpuSecondsPerGib: number;
  readonly rssGrowthMib: number;
}

const sizeBytes = sizeFromArguments(process.argv.slice(2));
const origin = script('origin.ts', [String(sizeBytes)]);
const [first] = await once(origin.stdout ?? origin, 'data');
const port = String(first).trim();

const folder = mkdtempSync(join(tmpdir(), 'dfstore-bench-'));
const rows = new Map<string, Figures>();
console.log(`${(sizeBytes / 1024 ** 3).toFixed(1)} GiB each way; ratio: CPU-seconds against plain undici\n`);
console.log('| transfer | MiB/s | CPU-s/GiB | ratio | RSS growth, MiB |\n| --- | --: | --: | --: | --: |');
for (const [kind, direction] of PLAN) {
  const figures = transfer(kind, direction);
  rows.set(`${kind} ${direction}`, figures);
  const anchor = rows.get(`undici ${direction}`);
  const ratio = anchor === undefined ? '' : (figures.cpuSecondsPerGib / anchor.cpuSecondsPerGib).toFixed(2);
  console.log(
    `| ${kind} ${direction} | ${figures.mibPerSecond} | ${figures.cpuSecondsPerGib} | ${ratio} | ${figures.rssGrowthMib} |`,
  );
}
origin.kill();
rmSync(folder, { recursive: true });
const grown = [...rows].filter(([, figures]) => figures.rssGrowthMib >= RSS_LIMIT_MIB);
for (const [name, { rssGrowthMib }] of grown)
  console.error(`${name} grew by ${rssGrowthMib} MiB (limit ${RSS_LIMIT_MIB}).`);
process.exitCode = grown.length === 0 ? 0 : 1;

function transfer(kind: string, direction: string): Figures {
  const args = ['--import', 'tsx', path('transfer.ts'), kind, direction, String(sizeBytes), port];
  const out = execFileSync(process.execPath, ['--expose-gc', ...args], {
    encoding: 'utf8',
    timeout: 600_000,
    env: { ...process.env, DFSTORE_BENCH_FOLDER: folder },
  });
  return JSON.parse(out.trim().split('\n').at(-1) ?? '');
}

function script(name: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', path(name), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function sizeFromArguments(args: readonly string[]): number {
  const text = args[args.indexOf('--size') + 1] ?? '';
  const match = args.includes('--size') ? /^(\d+(?:\.\d+)?)(MiB|GiB)$/.exec(text) : ['', '5', 'GiB'];
  if (match === null) throw new Error(`--size takes a size such as 512MiB or 5GiB, not '${text}'.`);
  return Number(match[1]) * (match[2] === 'GiB' ? 1024 ** 3 : 1024 ** 2);
}
