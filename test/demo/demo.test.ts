// npm run demo as users run it, with smaller files.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const RUN = fileURLToPath(new URL('../../demo/run.ts', import.meta.url));
const LIMIT_MS = 60_000;

test('the demo reads a cold file once for three gateways, and at Ctrl-C ends all it began', {
  timeout: LIMIT_MS,
}, async () => {
  const { child, said, folder } = await startDemo(['--size', '4MiB', '--rate', '8MiB']);
  await said.has('Ctrl-C ends them');
  expect(said.text).toContain('The origin gave 4.0 MiB: 1.00 times the file, for 3 readers.');
  expect(said.text).toContain('The origin gave 0 bytes: 0.00 times the file, for 3 readers.');
  const admins = [...said.text.matchAll(/ admin (http:\S+)$/gm)].map(([, url = '']) => url);
  expect(admins).toHaveLength(4);
  for (const admin of admins) expect((await fetch(`${admin}/healthz`)).status).toBe(200);

  child.kill('SIGINT');
  await once(child, 'close');
  expect(child.exitCode, said.text).toBe(0);
  for (const admin of admins) await expect(fetch(`${admin}/healthz`)).rejects.toThrow();
  expect((await readdir(folder)).filter((name) => name.startsWith('dfstore-'))).toEqual([]);
});

/** `folder` is where it may keep what it keeps. */
async function startDemo(args: readonly string[]): Promise<{ child: ChildProcess; said: Said; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'dfstore-demo-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const child = spawn(process.execPath, ['--import', 'tsx', RUN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, TMPDIR: folder },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, said: new Said(child), folder };
}

class Said {
  text = '';
  #changed: () => void = () => undefined;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const output of [child.stdout, child.stderr]) {
      output?.on('data', (chunk) => {
        this.text += chunk;
        this.#changed();
      });
    }
    child.once('close', () => this.#changed());
  }

  /** Rejects when it ends without. */
  async has(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`It ended without saying '${text}':\n${this.text}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}
