// Moto's S3 server from PyPI (pip install 'moto[server]'), as a second opinion on the s3 backend. It keeps everything in
// memory and checks no signatures.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { freePort } from './free-port.ts';
import type { RunningServer } from './radosgw.ts';

export function hasMoto(): boolean {
  return spawnSync('python3', ['-c', 'import moto.server, flask']).status === 0;
}

export async function startMoto(): Promise<RunningServer> {
  const port = await freePort();
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(endpoint, child);
  return { endpoint, accessKeyId: 'test', secretAccessKey: 'test', close: () => stop(child) };
}

/** Resolves with the first answer of any kind; rejects when the process ends before. */
async function answering(endpoint: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The server ended with code ${child.exitCode} before it answered.`);
    try {
      await fetch(endpoint);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
