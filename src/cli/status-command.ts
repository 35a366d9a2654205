// dfstore status: what a running gateway says of itself, for people.
import type { Command } from 'commander';
import { z } from 'zod';
import { AdminClient } from './admin-client.ts';
import { addAdminFlags, adminFlagsOf } from './admin-flags.ts';
import { preheatLineSchema } from './preheat-command.ts';
import { statusTable } from './status-table.ts';

const totals = z.record(z.string(), z.number());

const memberSchema = z.object({
  id: z.string(),
  role: z.string().nullable(),
  zone: z.string().nullable(),
  listed: z.boolean(),
  answers: z.boolean(),
  problem: z.string().optional(),
  report: z
    .looseObject({
      version: z.string(),
      pieces: z.number(),
      diskBytes: z.number(),
      tracked: z.number(),
      uploads: z.number(),
      names: z.number(),
    })
    .optional(),
});

/** What is shown of what src/gateway/status.ts writes; JSON shows all of it. */
const statusSchema = z.looseObject({
  version: z.string(),
  phase: z.string(),
  uptimeSeconds: z.number(),
  backends: z.record(
    z.string(),
    z.looseObject({
      type: z.string(),
      lastCheck: z.object({ ok: z.boolean(), checkedAt: z.string(), error: z.string().optional() }).nullable(),
    }),
  ),
  cache: z
    .object({ diskBytes: z.number(), memoryBytes: z.number(), capacityBytes: z.number(), pieces: z.number() })
    .nullable(),
  /** Null: this gateway is the whole of its mesh. */
  mesh: z
    .object({
      self: z.object({ id: z.string(), role: z.string(), zone: z.string().nullable() }),
      trackers: z.number(),
      listHash: z.string(),
      members: z.array(memberSchema),
      unasked: z.number(),
    })
    .nullable(),
  /** The latest line of the last one. */
  preheat: preheatLineSchema.nullable(),
  connections: z.number(),
  requestsInFlight: z.number(),
  requests: totals,
  originRequests: totals,
  originReadBytes: z.number(),
  peerReadBytes: z.number(),
  peerSentBytes: z.number(),
  servedBytes: totals,
  limited: totals,
});

export type Status = z.infer<typeof statusSchema>;

export function addStatusCommand(program: Command): void {
  const command = program
    .command('status')
    .description(
      'Show what a running gateway is, how its backends, its cache and its mesh do, and what it has served.',
    );
  addAdminFlags(command);
  command.action(async () => {
    const { address, json } = adminFlagsOf(command);
    const status = await new AdminClient(address).get('/status', statusSchema, AbortSignal.timeout(30_000));
    process.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : statusTable(status));
  });
}
