// The built command line as a child process. `npm test` builds it first.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory; default: an empty one of its own. */
  readonly cwd?: string;
}

export class BuiltCli {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  #changed: () => void = () => undefined;

  private constructor(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
    // Nothing of the environment the tests run in may configure it.
    this.process = spawn(process.execPath, [MAIN, ...args], { cwd, env: { PATH: process.env.PATH, ...env } });
    this.process.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
      this.#changed();
    });
    this.process.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
      this.#changed();
    });
    this.ended = new Promise((resolve) => {
      this.process.once('close', (code, signal) => {
        resolve(code ?? signal ?? 'SIGKILL');
        this.#changed();
      });
    });
  }

  static async start(args: readonly string[], options: CliOptions = {}): Promise<BuiltCli> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run 'npm run build' first.`);
    const cwd = options.cwd ?? (await mkdtemp(join(tmpdir(), 'dfstore-cli-')));
    const cli = new BuiltCli(args, cwd, options.env ?? {});
    onTestFinished(() => void cli.process.kill('SIGKILL'));
    return cli;
  }

  /** Resolves once standard output has it; rejects when the process ends without. */
  async says(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`It ended without saying '${text}':\n${this.stdout}\n${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** The fields of the first log line with this message. */
  async logged(message: string): Promise<Record<string, unknown>> {
    await this.says(`"msg":"${message}"`);
    const line = this.stdout.split('\n').find((candidate) => candidate.includes(`"msg":"${message}"`));
    return JSON.parse(line ?? '{}');
  }
}

/** On free ports. */
export async function serveBuilt(
  args: readonly string[] = [],
  options: CliOptions = {},
): Promise<{ cli: BuiltCli; s3Url: string; adminUrl: string }> {
  const ports = ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'];
  const cli = await BuiltCli.start(['serve', ...ports, ...args], options);
  const { s3, admin } = await cli.logged('The gateway serves.');
  return { cli, s3Url: String(s3), adminUrl: String(admin) };
}
