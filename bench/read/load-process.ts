// The runner's end of a load generator (load.ts).
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface LoadJob {
  readonly port: number;
  readonly connections: number;
  /** As they go on the wire, in turn. */
  readonly requests: readonly string[];
  /** Each may be sent once only. */
  readonly once: boolean;
  /** The generator never sleeps: for one that has a core to itself. */
  readonly awake: boolean;
  /** Before the window in which is counted. */
  readonly warmMs: number;
  readonly windowMs: number;
  /** The server's. */
  readonly pids: readonly number[];
}

/** Of the window. */
export interface LoadResult {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Heads included. */
  readonly bytes: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export class LoadProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(): Promise<LoadProcess> {
    const child = fork(fileURLToPath(new URL('load.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
    await once(child, 'message');
    return new LoadProcess(child);
  }

  async run(job: LoadJob): Promise<LoadResult> {
    this.#child.send(job);
    const [answer] = (await once(this.#child, 'message')) as [{ result?: LoadResult; failure?: string }];
    if (answer.result !== undefined) return answer.result;
    throw new Error(answer.failure);
  }

  close(): void {
    this.#child.disconnect();
  }
}
