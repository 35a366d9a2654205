// A gateway's status as a table.
import { meshTable, meshText } from './mesh-table.ts';
import { preheatText } from './preheat-command.ts';
import { formatBytes, formatCount, formatItems, formatSeconds } from './quantities.ts';
import type { Status } from './status-command.ts';

type Row = readonly [name: string, text: string];

export function statusTable(status: Status): string {
  const rows: Row[] = [
    ['gateway', `dfstore ${status.version}, ${status.phase}, up for ${formatSeconds(status.uptimeSeconds)}`],
    ...backendRows(status.backends),
    ['cache', cacheText(status.cache)],
    ['mesh', status.mesh === null ? 'none' : meshText(status.mesh)],
    ...preheatRows(status.preheat),
    ['now', `${formatItems(status.requestsInFlight, 'request')}, ${formatItems(status.connections, 'connection')}`],
    ['requests', listed(status.requests, formatCount)],
    ['refused', listed(status.limited, formatCount)],
    ['served', servedText(status.servedBytes)],
    ['peers', `${formatBytes(status.peerReadBytes)} read, ${formatBytes(status.peerSentBytes)} given`],
    ['origin', `${formatBytes(status.originReadBytes)} read; requests: ${listed(status.originRequests, formatCount)}`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
  return status.mesh === null ? table : `${table}\n${meshTable(status.mesh)}`;
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

function preheatRows(preheat: Status['preheat']): Row[] {
  if (preheat?.type === 'begun') return [['preheat', `begun at ${formatItems(preheat.gateways.length, 'gateway')}`]];
  if (preheat?.type === 'failed') return [['preheat', `failed: ${preheat.error}`]];
  if (preheat?.type === 'progress') return [['preheat', `under way: ${preheatText(preheat)}`]];
  if (preheat?.type === 'summary') return [['preheat', `done: ${preheatText(preheat)}`]];
  return [];
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
