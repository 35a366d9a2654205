// The origin: nginx on node 0 with one object of random bytes, and what its access log says that it gave.
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabNodes, Started } from './lab-nodes.ts';

export const OBJECT_KEY = 'object.bin';
const NODE = 0;
const PORT = 8000;
const START_LIMIT_S = 10;
/** A reader behind a cut wire does not hold up the end for longer. */
const SEND_TIMEOUT = '5s';
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

export interface LabObject {
  readonly bytes: Buffer;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** What all gateways together asked of the origin. */
export interface OriginReads {
  readonly gets: number;
  /** Bytes of the bodies of GETs, those included that the reader gave up on. */
  readonly bodyBytes: number;
}

export class LabOrigin {
  readonly object: LabObject;
  readonly #folder: string;
  readonly #nginx: Started;

  private constructor(object: LabObject, folder: string, nginx: Started) {
    this.object = object;
    this.#folder = folder;
    this.#nginx = nginx;
  }

  static url(address: string): string {
    return `http://${address}:${PORT}`;
  }

  static async start(nodes: LabNodes, sizeBytes: number): Promise<LabOrigin> {
    const folder = nodes.folderOf(NODE);
    const bytes = randomFillSync(Buffer.allocUnsafe(sizeBytes));
    await mkdir(join(folder, 'www'), { recursive: true });
    await writeFile(join(folder, 'www', OBJECT_KEY), bytes);
    await writeFile(join(folder, 'nginx.conf'), configuration(folder));
    const nginx = await nodes.start(NODE, 'nginx', `exec nginx -e stderr -p ${folder} -c ${folder}/nginx.conf >&2`);
    const head = `curl --head --silent --fail --output /dev/null ${LabOrigin.url('127.0.0.1')}/${OBJECT_KEY}`;
    await nodes.run(NODE, 'nginx', `timeout ${START_LIMIT_S} bash -c 'until ${head}; do sleep 0.1; done'`);
    const object = { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
    return new LabOrigin(object, folder, nginx);
  }

  /** Requests that are being answered are finished and logged first. */
  async stop(): Promise<OriginReads> {
    const { child } = this.#nginx;
    if (child.exitCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGQUIT');
      await exited;
    }
    return readsIn(readFileSync(join(this.#folder, 'access.log'), 'utf8'));
  }
}

function readsIn(accessLog: string): OriginReads {
  const bodies = [...accessLog.matchAll(/^GET \d+ (\d+) /gm)].map(([, bytes]) => Number(bytes));
  return { gets: bodies.length, bodyBytes: bodies.reduce((sum, bytes) => sum + bytes, 0) };
}

function configuration(folder: string): string {
  return `
    daemon off;
    user root;
    worker_processes 1;
    pid ${folder}/nginx.pid;
    error_log stderr warn;
    events { worker_connections 4096; }
    http {
      ${TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
      log_format reads '$request_method $status $body_bytes_sent "$http_range" $request_time $remote_addr';
      access_log ${folder}/access.log reads;
      default_type application/octet-stream;
      sendfile on;
      sendfile_max_chunk 256k;
      tcp_nodelay on;
      keepalive_requests 1000000;
      send_timeout ${SEND_TIMEOUT};
      server {
        listen ${PORT} backlog=4096;
        root ${folder}/www;
      }
    }`;
}
