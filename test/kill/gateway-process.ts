// The built gateway as a process that is killed, started over one configuration again and again.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface Serving {
  readonly s3Url: string;
  readonly adminUrl: string;
  /** From the start of the process until it said that it serves. */
  readonly startMs: number;
}

export class GatewayProcess {
  readonly serving: Promise<Serving>;
  /** Set before the signal is sent: from then on clients may find it gone. */
  killed = false;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #said = '';

  constructor(configFile: string) {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run 'npm run build' first.`);
    const startedMs = performance.now();
    this.#child = spawn(process.execPath, [MAIN, 'serve', '--config', configFile], {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
    });
    this.serving = new Promise((resolve, reject) => {
      for (const stream of [this.#child.stdout, this.#child.stderr]) {
        createInterface({ input: stream as NonNullable<typeof stream> }).on('line', (line) => {
          this.#said += `${line}\n`;
          const addresses = servingAt(line);
          if (addresses !== undefined) resolve({ ...addresses, startMs: performance.now() - startedMs });
        });
      }
      void this.#ended.then(() => reject(new Error(`The gateway ended by itself:\n${this.#said}`)));
    });
    // Of a gateway that is killed before it serves nobody hears.
    this.serving.catch(() => undefined);
  }

  /** Everything it logged. */
  get said(): string {
    return this.#said;
  }

  async kill(): Promise<void> {
    this.killed = true;
    this.#child.kill('SIGKILL');
    await this.#ended;
    if (this.#child.signalCode !== 'SIGKILL') throw new Error(`The gateway ended by itself:\n${this.#said}`);
  }
}

function servingAt(line: string): Pick<Serving, 's3Url' | 'adminUrl'> | undefined {
  if (!line.includes('"msg":"The gateway serves."')) return undefined;
  const { s3, admin } = JSON.parse(line) as { s3: string; admin: string };
  return { s3Url: s3, adminUrl: admin };
}
