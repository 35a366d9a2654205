// nginx over the files that the gateways have for their origin: the anchor that everything is measured against.
import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasNginx, type Nginx, startNginx } from '../../test/support/nginx.ts';
import { childrenOf } from './server-cpu.ts';

export const BIG = { name: 'big.bin', bytes: 256 * 1024 ** 2 };
export const SMALL = { name: 'small.bin', bytes: 4 * 1024 };
/** Any name under it is the same file: as many cold objects as are wanted. */
export const COLD = { folder: 'cold', bytes: 64 * 1024 ** 2 };

const SERVER = `
  sendfile on;
  keepalive_requests 1000000000;
  location /${COLD.folder}/ { rewrite ^ /cold.bin break; }`;

export interface NginxProcess {
  readonly url: string;
  readonly port: number;
  /** The worker's. */
  readonly pids: readonly number[];
  close(): Promise<void>;
}

/** Rejects where nginx is not installed. */
export async function startAnchor(): Promise<NginxProcess> {
  if (!hasNginx()) {
    throw new Error(
      'nginx is not installed, and without it there is nothing to measure against: apt install nginx-light',
    );
  }
  const nginx = await startNginx(SERVER);
  try {
    await writeFiles(nginx);
  } catch (error) {
    await nginx.close();
    throw error;
  }
  const master = Number(readFileSync(join(dirname(nginx.root), 'nginx.pid'), 'utf8'));
  return {
    url: nginx.url,
    port: Number(new URL(nginx.url).port),
    pids: childrenOf(master),
    close: () => nginx.close(),
  };
}

async function writeFiles(nginx: Nginx): Promise<void> {
  for (const [name, bytes] of [
    [BIG.name, BIG.bytes],
    [SMALL.name, SMALL.bytes],
    ['cold.bin', COLD.bytes],
  ] as const) {
    await nginx.write(name, randomFillSync(Buffer.allocUnsafe(bytes)));
  }
}
