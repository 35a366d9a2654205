// dfstore cache verify: has a running gateway read everything it caches, and says what it found.
import type { Command } from 'commander';
import { z } from 'zod';
import { parseSize } from '../config/units.ts';
import { AdminClient } from './admin-client.ts';
import { addAdminFlags, adminFlagsOf } from './admin-flags.ts';
import { EXIT } from './exit-codes.ts';
import { ProgressLine } from './progress-line.ts';
import { formatBytes, formatItems, formatSeconds } from './quantities.ts';
import { UsageError } from './usage-error.ts';

const counts = {
  pieces: z.number(),
  bytes: z.number(),
  sound: z.number(),
  damaged: z.number(),
  absent: z.number(),
};

/** As src/admin/cache-verification.ts writes them. */
const lineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), ...counts }),
  z.object({
    type: z.literal('damaged'),
    origin: z.string(),
    bucket: z.string(),
    key: z.string(),
    piece: z.number(),
    bytes: z.number(),
  }),
  z.object({ type: z.literal('summary'), seconds: z.number(), ...counts }),
  z.object({ type: z.literal('failed'), error: z.string() }),
]);

type Line = z.infer<typeof lineSchema>;
type Summary = Extract<Line, { type: 'summary' }>;

export function addCacheCommand(program: Command): void {
  const cache = program.command('cache').description('Look after what a running gateway caches.');
  const verify = cache
    .command('verify')
    .description(
      'Read everything the gateway caches and prove it by its digests. What is damaged is discarded, and read from its origin when it is wanted again. Exits with 1 when anything was.',
    );
  addAdminFlags(verify);
  verify.option('--rate <size>', 'bytes to read each second, like 50MiB; else as fast as the disks read', parseRate);
  verify.action(async () => {
    const { address, json } = adminFlagsOf(verify);
    const { rate } = verify.opts<{ rate?: number }>();
    const path = `/cache/verify${rate === undefined ? '' : `?bytesPerSecond=${rate}`}`;
    const lines = new AdminClient(address).post(path, lineSchema, new AbortController().signal);
    const summary = await (json ? passOn(lines) : report(lines));
    if (summary.damaged > 0) process.exitCode = EXIT.failure;
  });
}

async function report(lines: AsyncIterable<Line>): Promise<Summary> {
  const progress = new ProgressLine(process.stderr);
  try {
    for await (const line of lines) {
      progress.clear();
      if (line.type === 'progress') progress.show(`Verified ${found(line)}`);
      if (line.type === 'damaged') process.stdout.write(`${damageText(line)}\n`);
      if (line.type === 'failed') throw notVerified(line.error);
      if (line.type !== 'summary') continue;
      process.stdout.write(summaryText(line));
      return line;
    }
  } finally {
    progress.clear();
  }
  throw notVerified('the gateway ended its answer.');
}

/** What the gateway says, as it says it. */
async function passOn(lines: AsyncIterable<Line>): Promise<Summary> {
  for await (const line of lines) {
    process.stdout.write(`${JSON.stringify(line)}\n`);
    if (line.type === 'failed') throw notVerified(line.error);
    if (line.type === 'summary') return line;
  }
  throw notVerified('the gateway ended its answer.');
}

function found({ pieces, bytes, damaged }: Omit<Summary, 'type' | 'seconds'>): string {
  return `${formatItems(pieces, 'piece')} (${formatBytes(bytes)}), ${damaged === 0 ? 'none' : damaged} damaged`;
}

function damageText({ origin, bucket, key, piece, bytes }: Extract<Line, { type: 'damaged' }>): string {
  // A key may hold what a terminal takes for a command.
  return `damaged: ${JSON.stringify(key)} of bucket ${bucket} at ${origin}, piece ${piece} (${formatBytes(bytes)}); discarded`;
}

function summaryText(summary: Summary): string {
  const lines = [`Verified ${found(summary)}, in ${formatSeconds(summary.seconds)}.`];
  if (summary.absent > 0) {
    lines.push(
      `${formatItems(summary.absent, 'piece')} could not be looked at: evicted meanwhile, or not readable now (see the gateway's log).`,
    );
  }
  if (summary.damaged > 0) {
    lines.push('What was damaged has been discarded; it is read from its origin when it is wanted again.');
  }
  return `${lines.join('\n')}\n`;
}

function notVerified(why: string): Error {
  return new Error(`The cache was not verified to its end: ${why}`);
}

function parseRate(text: string): number {
  let rate: number;
  try {
    rate = parseSize(text);
  } catch (cause) {
    throw new UsageError(`--rate: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
  if (rate < 1) throw new UsageError('--rate: must be at least 1 byte a second.');
  return rate;
}
