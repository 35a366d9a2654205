// dfstore where: which gateways of the mesh hold which pieces of an object.
import type { Command } from 'commander';
import { z } from 'zod';
import { AdminClient } from './admin-client.ts';
import { addAdminFlags, adminFlagsOf } from './admin-flags.ts';
import { parseObjectUrl } from './object-url.ts';
import { formatBytes, formatItems } from './quantities.ts';
import { textTable } from './text-table.ts';
import { UsageError } from './usage-error.ts';

/** As src/admin/where-route.ts writes it. */
const whereSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  etag: z.string(),
  sizeBytes: z.number(),
  pieceSize: z.number(),
  pieces: z.number(),
  unknownPieces: z.number(),
  owners: z.array(z.string()),
  holders: z.array(z.object({ id: z.string(), zone: z.string().optional(), held: z.number(), arriving: z.number() })),
});

type Where = z.infer<typeof whereSchema>;

export function addWhereCommand(program: Command): void {
  const command = program
    .command('where')
    .description('Show which gateways of the mesh hold which pieces of an object, as it is now.')
    .argument('<object>', 'like s3://bucket/key');
  addAdminFlags(command);
  command.action(async (object: string) => {
    const { bucket, key } = parseObjectUrl(object);
    if (key === '') throw new UsageError(`'${object}' names no object; write it like s3://bucket/key.`);
    const { address, json } = adminFlagsOf(command);
    const path = `/where?${new URLSearchParams({ bucket, key })}`;
    const where = await new AdminClient(address).get(path, whereSchema, AbortSignal.timeout(60_000));
    process.stdout.write(json ? `${JSON.stringify(where, null, 2)}\n` : whereTable(where));
  });
}

function whereTable({
  bucket,
  key,
  etag,
  sizeBytes,
  pieceSize,
  pieces,
  unknownPieces,
  owners,
  holders,
}: Where): string {
  // A key may hold what a terminal takes for a command.
  const lines = [
    `${JSON.stringify(key)} of bucket ${bucket}: ${formatBytes(sizeBytes)}, ${formatItems(pieces, 'piece')} of up to ${formatBytes(pieceSize)}, version ${JSON.stringify(etag)}`,
    `its name is answered for by ${owners.length === 0 ? 'nobody' : owners.join(' and ')}`,
  ];
  if (unknownPieces > 0) {
    lines.push(
      `of ${formatItems(unknownPieces, 'piece')} nobody who would know answers; only this gateway's are shown`,
    );
  }
  if (holders.length === 0) return `${[...lines, 'no gateway holds any of it'].join('\n')}\n`;
  const rows = holders.map(({ id, zone, held, arriving }) => [id, zone ?? '-', `${held} of ${pieces}`, arriving]);
  return `${lines.join('\n')}\n\n${textTable(['member', 'zone', 'holds', 'arriving'], rows)}`;
}
