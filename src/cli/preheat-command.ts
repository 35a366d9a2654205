// dfstore preheat: has gateways read what lies under a prefix into their caches.
import type { Command } from 'commander';
import { z } from 'zod';
import { AdminClient } from './admin-client.ts';
import { addAdminFlags, adminFlagsOf } from './admin-flags.ts';
import { EXIT } from './exit-codes.ts';
import { parseObjectUrl } from './object-url.ts';
import { ProgressLine } from './progress-line.ts';
import { formatBytes, formatCount, formatItems, formatSeconds } from './quantities.ts';
import { UsageError } from './usage-error.ts';

const counts = {
  gateways: z.number(),
  objects: z.number(),
  warmed: z.number(),
  uncached: z.number(),
  failed: z.number(),
  bytes: z.number(),
};

/** As src/admin/preheater.ts writes them. */
export const preheatLineSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('begun'),
    gateways: z.array(z.object({ id: z.string(), role: z.string().optional(), zone: z.string().optional() })),
  }),
  z.object({ type: z.literal('progress'), ...counts }),
  z.object({ type: z.literal('unread'), gateway: z.string(), key: z.string(), error: z.string() }),
  z.object({ type: z.literal('lost'), gateway: z.string(), error: z.string() }),
  z.object({ type: z.literal('summary'), seconds: z.number(), lost: z.number(), ...counts }),
  z.object({ type: z.literal('failed'), error: z.string() }),
]);

type Line = z.infer<typeof preheatLineSchema>;
type Summary = Extract<Line, { type: 'summary' }>;
type Counts = Omit<Summary, 'type' | 'seconds' | 'lost'>;

export function addPreheatCommand(program: Command): void {
  const command = program
    .command('preheat')
    .description(
      'Have gateways read all objects under a prefix into their caches: the seeds, or this gateway where there is none, unless told otherwise. Exits with 1 when anything could not be read.',
    )
    .argument('<prefix>', 'like s3://bucket/prefix');
  addAdminFlags(command);
  command
    .option('--to <number>', 'so many gateways, seeds first', parseTo)
    .option('--zone <zone>', 'the gateways of this zone')
    .option('--all', 'every gateway of the mesh')
    .option('--wait', 'stay until it is done, and show how it goes; Ctrl-C stops it');
  command.action(async (prefix: string) => {
    const { address, json } = adminFlagsOf(command);
    const { wait, ...aim } = command.opts<{ to?: number; zone?: string; all?: boolean; wait?: boolean }>();
    const query = queryOf(prefix, aim, wait === true);
    const lines = new AdminClient(address).post(`/preheat?${query}`, preheatLineSchema, new AbortController().signal);
    if (wait !== true) return begun(lines, json);
    const summary = await (json ? passOn(lines) : report(lines));
    if (summary.failed > 0 || summary.lost > 0) process.exitCode = EXIT.failure;
  });
}

function queryOf(text: string, aim: { to?: number; zone?: string; all?: boolean }, wait: boolean): URLSearchParams {
  const { bucket, key } = parseObjectUrl(text);
  if (aim.all === true && (aim.to !== undefined || aim.zone !== undefined)) {
    throw new UsageError('--all excludes --to and --zone.');
  }
  const query = new URLSearchParams({ bucket, prefix: key, wait: String(wait) });
  if (aim.to !== undefined) query.set('to', String(aim.to));
  if (aim.zone !== undefined) query.set('zone', aim.zone);
  if (aim.all === true) query.set('all', 'true');
  return query;
}

async function begun(lines: AsyncIterable<Line>, json: boolean): Promise<void> {
  for await (const line of lines) {
    if (line.type === 'failed') throw notDone(line.error);
    if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
    else if (line.type === 'begun') {
      process.stdout.write(`${gatewaysText(line)}; \`dfstore status\` shows how it goes, and --wait waits for it.\n`);
    }
  }
}

async function report(lines: AsyncIterable<Line>): Promise<Summary> {
  const progress = new ProgressLine(process.stderr);
  try {
    for await (const line of lines) {
      progress.clear();
      if (line.type === 'begun') process.stderr.write(`${gatewaysText(line)}.\n`);
      if (line.type === 'progress') progress.show(`Preheated ${preheatText(line)}`);
      // A key may hold what a terminal takes for a command.
      if (line.type === 'unread')
        process.stdout.write(`not read at ${line.gateway}: ${JSON.stringify(line.key)}: ${line.error}\n`);
      if (line.type === 'lost') process.stdout.write(`lost on the way: ${line.gateway}: ${line.error}\n`);
      if (line.type === 'failed') throw notDone(line.error);
      if (line.type !== 'summary') continue;
      process.stdout.write(`Preheated ${preheatText(line)}, in ${formatSeconds(line.seconds)}.\n`);
      return line;
    }
  } finally {
    progress.clear();
  }
  throw notDone('the gateway ended its answer.');
}

/** What the gateway says, as it says it. */
async function passOn(lines: AsyncIterable<Line>): Promise<Summary> {
  for await (const line of lines) {
    process.stdout.write(`${JSON.stringify(line)}\n`);
    if (line.type === 'failed') throw notDone(line.error);
    if (line.type === 'summary') return line;
  }
  throw notDone('the gateway ended its answer.');
}

function gatewaysText({ gateways }: Extract<Line, { type: 'begun' }>): string {
  const shown = gateways.slice(0, 8).map(({ id, role }) => (role === 'seed' ? `${id} (seed)` : id));
  const more = gateways.length > shown.length ? ` and ${gateways.length - shown.length} more` : '';
  return `Preheating ${shown.join(', ')}${more}`;
}

export function preheatText({ gateways, objects, warmed, uncached, failed, bytes }: Counts): string {
  // Each object is read at each gateway.
  const what = [`${formatCount(warmed)} of ${formatCount(objects * gateways)} read`];
  if (uncached > 0) what.push(`${formatCount(uncached)} that are not cached`);
  if (failed > 0) what.push(`${formatCount(failed)} not read`);
  return `${formatItems(objects, 'object')} at ${formatItems(gateways, 'gateway')}: ${what.join(', ')} (${formatBytes(bytes)})`;
}

function notDone(why: string): Error {
  return new Error(`It was not preheated to the end: ${why}`);
}

function parseTo(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UsageError(`--to: '${text}' is not a number of gateways.`);
}
