// Debian's redis-server without a disk, on a port of the loopback.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

export interface Redis {
  readonly port: number;
  readonly url: string;
  /** It answers nobody, and keeps its connections. */
  pause(): void;
  resume(): void;
  /** Its list is lost; another one may be started on its port. */
  close(): Promise<void>;
}

export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

export async function startRedis(options: { port?: number; password?: string } = {}): Promise<Redis> {
  const port = options.port ?? (await freePort());
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const password = options.password === undefined ? [] : ['--requirepass', options.password];
  const child = spawn('redis-server', [...settings, ...password], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const lines: string[] = [];
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server did not start: ${lines.join('\n')}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (line.includes('Ready to accept connections')) resolve();
    });
  });
  const credentials = options.password === undefined ? '' : `:${options.password}@`;
  return {
    port,
    url: `redis://${credentials}127.0.0.1:${port}`,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    close: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
