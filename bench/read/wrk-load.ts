// wrk as the load generator: a C program that sleeps until bytes come, as most clients do. It costs whoever answers it
// what they cost: a server that never finds it asleep looks cheaper than it is, and cheapest where it does the least.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LoadJob, LoadResult } from './load-process.ts';
import { cpuSeconds } from './server-cpu.ts';

/** What it says at its end, in its script's words. */
interface Told {
  readonly requests: number;
  /** Heads included. */
  readonly bytes: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
}

export function hasWrk(): boolean {
  try {
    execFileSync('which', ['wrk'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export class WrkLoad {
  /** Requests in turn and again from the first. Counts from its first byte to its last: it tells of no shorter window. */
  async run({ port, connections, requests, warmMs, windowMs, pids }: LoadJob): Promise<LoadResult> {
    const folder = await mkdtemp(join(tmpdir(), 'dfstore-bench-wrk-'));
    try {
      const script = join(folder, 'requests.lua');
      await writeFile(script, scriptOf(requests));
      const seconds = Math.max(1, Math.round((warmMs + windowMs) / 1000));
      const limits = ['--threads', '1', '--connections', String(connections), '--timeout', '60s'];
      const args = [...limits, '--duration', `${seconds}s`, '--script', script, `http://127.0.0.1:${port}/`];
      const cpuBefore = cpuSeconds(pids);
      const { stdout } = await promisify(execFile)('wrk', args);
      const cpuAfter = cpuSeconds(pids);
      const { errors, ...told } = JSON.parse(stdout.slice(stdout.lastIndexOf('{'))) as Told;
      if (errors > 0) throw new Error(`wrk met errors:\n${stdout}`);
      return { ...told, cpuSeconds: cpuAfter - cpuBefore };
    } finally {
      await rm(folder, { recursive: true });
    }
  }
}

/** A JSON string is a Lua string too, for what stands in requests. */
function scriptOf(requests: readonly string[]): string {
  return `
local requests = { ${requests.map((text) => JSON.stringify(text)).join(',\n')} }
local turn = 0

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format(
    '{"requests":%d,"bytes":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f,"errors":%d}',
    summary.requests, summary.bytes, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    failed.connect + failed.read + failed.write + failed.timeout + failed.status))
end
`;
}
