// A built gateway as a process of its own, and what it counts.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

export class GatewayProcess {
  readonly name: string;
  readonly s3Url: string;
  readonly adminUrl: string;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess, { s3, admin }: { s3: string; admin: string }) {
    this.name = name;
    this.s3Url = s3;
    this.adminUrl = admin;
    this.#child = child;
  }

  /** `config`: as in its file, which is written below `folder` with its data and its log. */
  static async start(name: string, folder: string, config: Readonly<Record<string, unknown>>): Promise<GatewayProcess> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run 'npm run build' first.`);
    const home = join(folder, name);
    const file = join(home, 'dfstore.yaml');
    await mkdir(home, { recursive: true });
    await writeFile(file, stringify({ data: join(home, 'data'), ...config }), { mode: 0o600 });
    const child = spawn(process.execPath, [MAIN, 'serve', '--config', file], {
      cwd: home,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH },
    });
    const log = createWriteStream(join(home, 'log'));
    for (const output of [child.stdout, child.stderr]) output.pipe(log, { end: false });
    child.once('close', () => log.end());
    try {
      return new GatewayProcess(name, child, await addresses(name, child));
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** The value of a metric without labels. */
  async count(metric: string): Promise<number> {
    const text = await (await fetch(`${this.adminUrl}/metrics`)).text();
    const [, value] = new RegExp(`^${metric} (\\S+)$`, 'm').exec(text) ?? [];
    if (value === undefined) throw new Error(`Gateway ${this.name} does not count ${metric}.`);
    return Number(value);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}

/** Resolves when it serves. */
function addresses(name: string, child: ChildProcess): Promise<{ s3: string; admin: string }> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error(`Gateway '${name}' has no output.`);
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    for (const output of [stdout, stderr]) {
      createInterface({ input: output }).on('line', (line) => {
        if (line.includes('"The gateway serves."')) resolve(JSON.parse(line));
        else said.push(line);
      });
    }
    child.once('error', reject);
    child.once('close', () => reject(new Error(`Gateway '${name}' did not start:\n${said.join('\n')}`)));
  });
}
