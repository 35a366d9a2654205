// What is measured, and the budget each figure is held to. Ratios are to nginx in the same run: the figures themselves
// are the machine's.
import type { Source } from '../../src/objects/objects.ts';
import { BUCKETS } from './gateway-process.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Configurations of `cache`, a gateway each. */
export const CACHES = {
  memory: { memory: '1GiB' },
  disk: { memory: 0 },
  cold: { memory: 0, capacity: '4GiB' },
  off: { enabled: false },
} as const;

export type FigureName = 'CPU-s/GiB' | 'CPU-µs/request' | 'MiB/s' | 'requests/s' | 'p99 ms';

export interface Budget {
  readonly figure: FigureName;
  /** The gateway's figure over nginx's. */
  readonly ratioAtMost?: number;
  readonly ratioAtLeast?: number;
  /** The gateway's figure itself. */
  readonly atMost?: number;
}

export interface Row {
  readonly name: string;
  readonly cache: keyof typeof CACHES;
  readonly bucket: string;
  readonly object: 'big' | 'small' | 'cold';
  /** Of random ranges; absent: whole objects. */
  readonly rangeBytes?: number;
  readonly connections: number;
  /** Beside this many downloads of the big object, which are not measured. */
  readonly besideDownloads?: number;
  /** Where the gateway must have had its bytes from, or the figures are not of what the row says. Absent: anywhere. */
  readonly source?: Source;
  readonly budgets: readonly Budget[];
}

const bucket = BUCKETS.immutable;
const big = { bucket, object: 'big' } as const;
const small = { bucket, object: 'small', connections: 16 } as const;

function perGib(ratioAtMost?: number): readonly Budget[] {
  return [{ figure: 'CPU-s/GiB', ...(ratioAtMost !== undefined && { ratioAtMost }) }, { figure: 'MiB/s' }];
}

function perRequest(ratioAtMost?: number): readonly Budget[] {
  return [{ figure: 'CPU-µs/request', ...(ratioAtMost !== undefined && { ratioAtMost }) }];
}

export const ROWS: readonly Row[] = [
  {
    name: '256 MiB, memory, 1 client',
    cache: 'memory',
    source: 'memory',
    ...big,
    connections: 1,
    budgets: perGib(0.9),
  },
  {
    name: '256 MiB, memory, 8 clients',
    cache: 'memory',
    source: 'memory',
    ...big,
    connections: 8,
    budgets: perGib(0.9),
  },
  { name: '256 MiB, disk, 1 client', cache: 'disk', source: 'disk', ...big, connections: 1, budgets: perGib(1.5) },
  { name: '256 MiB, disk, 8 clients', cache: 'disk', source: 'disk', ...big, connections: 8, budgets: perGib(1.5) },
  range('1 MiB ranges, memory', 'memory', MIB, 1.3),
  range('1 MiB ranges, disk', 'disk', MIB, 2.2),
  range('128 KiB ranges, memory', 'memory', 128 * KIB, 1.5),
  range('128 KiB ranges, disk', 'disk', 128 * KIB, 2.5),
  {
    name: '4 KiB, memory',
    cache: 'memory',
    source: 'memory',
    ...small,
    budgets: [...perRequest(5), { figure: 'requests/s', ratioAtLeast: 0.2 }],
  },
  {
    name: '4 KiB, disk',
    cache: 'disk',
    source: 'disk',
    ...small,
    budgets: [...perRequest(6), { figure: 'requests/s' }],
  },
  {
    name: '4 KiB ranges beside 4 downloads, memory',
    cache: 'memory',
    source: 'memory',
    ...big,
    rangeBytes: 4 * KIB,
    connections: 1,
    besideDownloads: 4,
    budgets: [{ figure: 'p99 ms', ratioAtMost: 2, atMost: 10 }],
  },
  {
    name: '4 KiB, memory, validated at each read',
    cache: 'memory',
    source: 'memory',
    ...small,
    bucket: BUCKETS.validated,
    budgets: perRequest(),
  },
  { name: '64 MiB, cold', cache: 'cold', bucket, object: 'cold', connections: 4, budgets: perGib() },
  {
    name: '64 MiB, no cache',
    cache: 'off',
    source: 'origin',
    bucket,
    object: 'cold',
    connections: 4,
    budgets: perGib(),
  },
];

function range(name: string, from: 'memory' | 'disk', rangeBytes: number, ratioAtMost: number): Row {
  return { name, cache: from, source: from, ...big, rangeBytes, connections: 8, budgets: perRequest(ratioAtMost) };
}
