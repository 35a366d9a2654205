// A gateway's status as a table.
import { formatBytes, formatCount, formatItems, formatSeconds } from './quantities.ts';
import type { Status } from './status-command.ts';

type Row = readonly [name: string, text: string];

export function statusTable(status: Status): string {
  const rows: Row[] = [
    ['gateway', `dfstore ${status.version}, ${status.phase}, up for ${formatSeconds(status.uptimeSeconds)}`],
    ...backendRows(status.backends),
    ['cache', cacheText(status.cache)],
    ['now', `${formatItems(status.requestsInFlight, 'request')}, ${formatItems(status.connections, 'connection')}`],
    ['requests', listed(status.requests, formatCount)],
    ['refused', listed(status.limited, formatCount)],
    ['served', servedText(status.servedBytes)],
    ['origin', `${formatBytes(status.originReadBytes)} read; requests: ${listed(status.originRequests, formatCount)}`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function backendRows(backends: Status['backends']): Row[] {
  return Object.entries(backends).map(([name, { type, lastCheck }]) => {
    const how =
      lastCheck === null
        ? 'not asked yet'
        : `${lastCheck.ok ? 'answers' : `fails: ${lastCheck.error ?? 'no reason given'}`} (${lastCheck.checkedAt})`;
    return [`backend ${name}`, `${type}, ${how}`];
  });
}

function cacheText(cache: Status['cache']): string {
  if (cache === null) return 'off';
  const { diskBytes, memoryBytes, capacityBytes, pieces } = cache;
  const share = capacityBytes === 0 ? 0 : (100 * diskBytes) / capacityBytes;
  return [
    `${formatBytes(diskBytes)} of ${formatBytes(capacityBytes)} on disk (${share.toFixed(0)} %)`,
    `${formatBytes(memoryBytes)} in memory`,
    formatItems(pieces, 'piece'),
  ].join(', ');
}

/** What did not have to be fetched is what a cache is for. */
function servedText(servedBytes: Status['servedBytes']): string {
  const all = Object.values(servedBytes).reduce((sum, bytes) => sum + bytes, 0);
  if (all === 0) return 'nothing yet';
  const own = (100 * ((servedBytes.memory ?? 0) + (servedBytes.disk ?? 0))) / all;
  return `${listed(servedBytes, formatBytes)} (${own.toFixed(1)} % from this cache)`;
}

/** The largest first. */
function listed(totals: Readonly<Record<string, number>>, format: (value: number) => string): string {
  const entries = Object.entries(totals)
    .filter(([, value]) => value > 0)
    .toSorted(([, a], [, b]) => b - a);
  return entries.length === 0 ? 'none' : entries.map(([name, value]) => `${name} ${format(value)}`).join(', ');
}
