// The mesh as one of its gateways sees it, as a table.
import { formatBytes, formatItems } from './quantities.ts';
import type { Status } from './status-command.ts';
import { textTable } from './text-table.ts';

type Mesh = NonNullable<Status['mesh']>;

export function meshText({ self, trackers, listHash }: Mesh): string {
  const zone = self.zone === null ? '' : `, zone ${self.zone}`;
  return `${self.id}, ${self.role}${zone}; ${formatItems(trackers, 'tracker')} on the list ${listHash.slice(0, 12)}`;
}

export function meshTable({ self, members, unasked }: Mesh): string {
  const rows = members.map(({ id, role, zone, listed, answers, problem, report }) => [
    id === self.id ? `${id} *` : id,
    `${role ?? '?'}${role === 'peer' || listed ? '' : ' (not listed)'}`,
    zone ?? '-',
    ...(report === undefined
      ? ['-', '-', '-', '-', '-']
      : [formatBytes(report.diskBytes), report.pieces, report.tracked, report.uploads, report.names]),
    answers ? 'answers' : `silent: ${problem ?? 'no reason given'}`,
  ]);
  const head = ['member', 'role', 'zone', 'cached', 'pieces', 'tracked', 'giving', 'names', 'now'];
  const more = unasked === 0 ? '' : `${formatItems(unasked, 'gateway')} more not asked (admin.members)\n`;
  return `${textTable(head, rows)}${more}`;
}
