// The runner's end of a bare server (bare-server.ts): what node:http itself costs, beside nginx in the same run.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export class BareProcess {
  readonly port: number;
  readonly pids: readonly number[];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.pids = [child.pid ?? 0];
  }

  static async start(): Promise<BareProcess> {
    const child = fork(fileURLToPath(new URL('bare-server.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
    const [port] = (await once(child, 'message')) as [number];
    return new BareProcess(child, port);
  }

  close(): void {
    this.#child.disconnect();
  }
}
