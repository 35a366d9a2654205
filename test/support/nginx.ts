// Debian's nginx over a directory of the test's own, on a free port of the loopback.
import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Nginx {
  readonly url: string;
  /** What it serves at '/'. */
  readonly root: string;
  write(name: string, bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v']).status === 0;
}

/** `server`: more directives of the server's block. */
export async function startNginx(server = ''): Promise<Nginx> {
  const home = await mkdtemp(join(tmpdir(), 'dfstore-nginx-'));
  const root = join(home, 'root');
  await mkdir(root);
  const port = await freePort();
  await writeFile(join(home, 'nginx.conf'), configuration(home, port, server));
  const child = spawn('nginx', ['-p', home, '-c', join(home, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const lines: string[] = [];
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`nginx did not start: ${lines.join('\n')}`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      // Logged by the master once the sockets listen and the workers are forked.
      if (line.includes('start worker process')) resolve();
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    root,
    write: async (name, bytes) => {
      const path = join(root, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    },
    close: async () => {
      child.kill('SIGTERM');
      await exited;
      await rm(home, { recursive: true });
    },
  };
}

function configuration(home: string, port: number, server: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    daemon off;
    user root;
    worker_processes 1;
    pid ${home}/nginx.pid;
    error_log stderr notice;
    events { worker_connections 256; }
    http {
      access_log off;
      default_type application/octet-stream;
      ${temporary.map((name) => `${name}_temp_path ${home}/${name};`).join('\n')}
      server {
        listen 127.0.0.1:${port};
        root ${home}/root;
        merge_slashes off;
        ${server}
      }
    }`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}
