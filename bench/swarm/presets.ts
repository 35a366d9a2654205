// What is measured, as data: who reads what over which links, what goes wrong meanwhile, and the bars that the figures
// are held to. S is the object's size, R the rate of a link. Two cores carry N × R up to about 400 Mbit/s.
import type { FigureName } from './figures.ts';

const MIB = 1024 ** 2;

export interface Scenario {
  readonly name: string;
  /** Each with one client. */
  readonly gateways: number;
  readonly sizeBytes: number;
  /** Of each link, both ways, in Mbit/s. */
  readonly rateMbit: number;
  /** Of that, what the origin's link has; absent: all. */
  readonly originShare?: number;
  /** Of that, what the last gateway's link has; its client is not waited for. Absent: there is none such. */
  readonly stragglerShare?: number;
  readonly fault?: Fault;
  /** Clients begin evenly over this time; absent: all at once. */
  readonly arrivalSeconds?: number;
  /** Aligned ranges at random, in place of the whole object. */
  readonly randomReads?: { readonly count: number; readonly bytes: number };
  readonly bars: readonly Bar[];
}

/** What happens to the last gateways once `at` of S ÷ R has passed. Their clients are not waited for. */
export interface Fault {
  /** SIGKILL, the link silently down, or SIGSTOP: the kernel still answers for a process that does nothing. */
  readonly kind: 'kill' | 'cut' | 'stop';
  readonly peers: number;
  readonly at: number;
}

export interface Bar {
  readonly figure: FigureName;
  readonly atMost: number;
  /** What a great cache reaches. */
  readonly aim?: number;
}

const once: readonly Bar[] = [{ figure: 'originBody', atMost: 1 }];
const balanced: Bar = { figure: 'busiest', atMost: 1.4, aim: 1.1 };
const wire: Bar = { figure: 'originWire', atMost: 1.03 };

export const PRESETS: readonly Scenario[] = [
  herd(8, 50, { figure: 'overIdeal', atMost: 1.15, aim: 1.1 }),
  herd(16, 25, { figure: 'overIdeal', atMost: 1.25, aim: 1.15 }),
  herd(24, 16, { figure: 'overIdeal', atMost: 1.25, aim: 1.15 }),
  {
    name: 'straggler',
    gateways: 8,
    sizeBytes: 128 * MIB,
    rateMbit: 50,
    stragglerShare: 0.1,
    bars: [
      { figure: 'overBound', atMost: 1.4, aim: 1.2 },
      { figure: 'originBody', atMost: 1.1 },
    ],
  },
  faulty('kill', [
    { figure: 'overBound', atMost: 1.4, aim: 1.2 },
    { figure: 'originBody', atMost: 1.25, aim: 1.05 },
  ]),
  faulty('cut', outage()),
  faulty('stop', outage()),
  {
    name: 'slow-origin',
    gateways: 8,
    sizeBytes: 64 * MIB,
    rateMbit: 100,
    originShare: 0.1,
    bars: [
      { figure: 'overBound', atMost: 1.1, aim: 1.06 },
      { figure: 'originBody', atMost: 1.02 },
    ],
  },
  {
    name: 'arrival',
    gateways: 8,
    sizeBytes: 128 * MIB,
    rateMbit: 50,
    arrivalSeconds: 10,
    bars: [{ figure: 'overIdeal', atMost: 1.2, aim: 1.15 }, ...once],
  },
  {
    name: 'random',
    gateways: 8,
    sizeBytes: 128 * MIB,
    rateMbit: 50,
    randomReads: { count: 48, bytes: MIB },
    bars: [{ figure: 'overBound', atMost: 1.2, aim: 1.12 }, ...once],
  },
];

function herd(gateways: number, rateMbit: number, time: Bar): Scenario {
  return { name: `herd-${gateways}`, gateways, rateMbit, sizeBytes: 128 * MIB, bars: [time, ...once, wire, balanced] };
}

function faulty(kind: Fault['kind'], bars: readonly Bar[]): Scenario {
  return { name: kind, gateways: 10, rateMbit: 40, sizeBytes: 128 * MIB, fault: { kind, peers: 2, at: 0.5 }, bars };
}

function outage(): readonly Bar[] {
  return [
    { figure: 'lateSeconds', atMost: 5, aim: 2 },
    { figure: 'originBody', atMost: 1.15, aim: 1.05 },
  ];
}
