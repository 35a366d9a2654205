// The load generator, a process of its own so that its CPU is not the server's: does the jobs it is sent, one at a time.
// The window's bytes and the server's CPU are read off at the same instants, in here.
import { setTimeout as pause } from 'node:timers/promises';
import { LoadConnection } from './load-connection.ts';
import type { LoadJob, LoadResult } from './load-process.ts';
import { cpuSeconds } from './server-cpu.ts';

class Load {
  readonly #job: LoadJob;
  readonly #requests: readonly Buffer[];
  #next = 0;
  #bytes = 0;
  #latenciesMs: number[] = [];
  #failure: Error | undefined;

  constructor(job: LoadJob) {
    this.#job = job;
    this.#requests = job.requests.map((text) => Buffer.from(text, 'latin1'));
  }

  async run(): Promise<LoadResult> {
    const { connections, port, awake, warmMs, windowMs } = this.#job;
    const opened = Array.from({ length: connections }, () => this.#open(port));
    const sleep = awake ? stayAwake() : undefined;
    try {
      await pause(warmMs);
      return await this.#window(windowMs);
    } finally {
      sleep?.();
      for (const connection of opened) connection.close();
    }
  }

  async #window(windowMs: number): Promise<LoadResult> {
    const { pids } = this.#job;
    this.#bytes = 0;
    this.#latenciesMs = [];
    const [cpuBefore, begunAt] = [cpuSeconds(pids), performance.now()];
    await pause(windowMs);
    const [cpuAfter, endedAt] = [cpuSeconds(pids), performance.now()];
    if (this.#failure !== undefined) throw this.#failure;
    const latencies = this.#latenciesMs.sort((left, right) => left - right);
    return {
      seconds: (endedAt - begunAt) / 1000,
      cpuSeconds: cpuAfter - cpuBefore,
      bytes: this.#bytes,
      requests: latencies.length,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
    };
  }

  #open(port: number): LoadConnection {
    return new LoadConnection(port, {
      next: () => this.#take(),
      received: (bytes) => {
        this.#bytes += bytes;
      },
      answered: (latencyMs) => this.#latenciesMs.push(latencyMs),
      failed: (error) => {
        this.#failure ??= error;
      },
    });
  }

  #take(): Buffer {
    const request = this.#requests[this.#next % this.#requests.length];
    if (request === undefined || (this.#job.once && this.#next >= this.#requests.length)) {
      throw new Error('The job has too few requests that may be sent once only.');
    }
    this.#next += 1;
    return request;
  }
}

/** A server that must wake whoever it answers pays for it, on some machines more than for the answer. Ends at the call. */
function stayAwake(): () => void {
  let turn = setImmediate(function again() {
    turn = setImmediate(again);
  });
  return () => clearImmediate(turn);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

process.on('message', (job: LoadJob) => {
  new Load(job).run().then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ failure: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
