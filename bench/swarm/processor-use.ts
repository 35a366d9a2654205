// How busy the processors were: of the whole machine, and how long each node's processes had to wait for one. Where
// they were the bottleneck, a run says nothing about the network.
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const QUIET_SHARE = 0.2;
const QUIET_WINDOW_MS = 700;

/** Ticks of all processors since the machine started. */
interface Ticks {
  readonly total: number;
  readonly idle: number;
}

export function processorTicks(): Ticks {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user = 0, nice = 0, system = 0, idle = 0, ioWait = 0, irq = 0, softIrq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1, 9)
    .map(Number);
  return { total: user + nice + system + idle + ioWait + irq + softIrq + steal, idle: idle + ioWait };
}

/** 0 to 1. */
export function busyShare(before: Ticks, after: Ticks): number {
  return 1 - (after.idle - before.idle) / Math.max(1, after.total - before.total);
}

/** Until other work leaves the machine alone, or the limit. Answers the busy share seen last. */
export async function quietMachine(limitMs: number, signal: AbortSignal): Promise<number> {
  for (const endsAt = performance.now() + limitMs; ; ) {
    const before = processorTicks();
    await pause(QUIET_WINDOW_MS, undefined, { signal });
    const share = busyShare(before, processorTicks());
    if (share < QUIET_SHARE || performance.now() > endsAt) return share;
  }
}

/** Where version 2 of control groups is mounted. */
export function cgroupRoot(): string | undefined {
  return ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((root) => existsSync(join(root, 'cgroup.controllers')));
}

/** A control group for each node: their pressure says how long a node's threads were ready and had no processor. */
export class NodeGroups {
  readonly #groups: readonly string[];

  private constructor(groups: readonly string[]) {
    this.#groups = groups;
  }

  /** Without control groups nothing is told, and nothing fails. */
  static async make(id: string, nodes: number): Promise<NodeGroups> {
    const root = cgroupRoot();
    if (root === undefined) return new NodeGroups([]);
    const groups = Array.from({ length: nodes }, (_, node) => join(root, id, `${node}`));
    try {
      for (const group of groups) await mkdir(group, { recursive: true });
    } catch (error) {
      if (!['EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      return new NodeGroups([]);
    }
    return new NodeGroups(groups);
  }

  /** A line of shell that puts the shell, and so what it starts, into the node's group. */
  entering(node: number): string {
    const group = this.#groups[node];
    return group === undefined ? ':' : `echo $$ >${group}/cgroup.procs`;
  }

  /** So far, by node; absent where the kernel does not tell. */
  use(): readonly NodeUse[] | undefined {
    const told = this.#groups.map((group) => {
      const [, used] = /^usage_usec (\d+)/m.exec(readFileSync(join(group, 'cpu.stat'), 'utf8')) ?? [];
      const pressure = join(group, 'cpu.pressure');
      const [, waited] = existsSync(pressure)
        ? (/^some .*total=(\d+)/m.exec(readFileSync(pressure, 'utf8')) ?? [])
        : [];
      return { usedSeconds: Number(used) / 1e6, waitedSeconds: Number(waited) / 1e6 };
    });
    return told.length > 0 && told.every(({ waitedSeconds }) => Number.isFinite(waitedSeconds)) ? told : undefined;
  }
}

interface NodeUse {
  /** On a processor. */
  readonly usedSeconds: number;
  /** In which some of its threads waited for one. */
  readonly waitedSeconds: number;
}

export interface UseShares {
  /** Of all processors, by what the lab runs; 0 to 1. */
  readonly lab: number;
  /** Of the time in which some threads of a node waited for a processor: the mean over the nodes. */
  readonly starved: number;
}

/** Between two readings, `seconds` apart. */
export function useShares(before: readonly NodeUse[], after: readonly NodeUse[], seconds: number): UseShares {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const used = after.map(({ usedSeconds }, node) => usedSeconds - (before[node]?.usedSeconds ?? 0));
  const waited = after.map(({ waitedSeconds }, node) => waitedSeconds - (before[node]?.waitedSeconds ?? 0));
  return { lab: sum(used) / seconds / availableParallelism(), starved: sum(waited) / seconds / after.length };
}
