// A built gateway as a process of its own, in front of files that a web server has.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Source } from '../../src/objects/objects.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const START_LIMIT_MS = 20_000;

export const KEY = { accessKeyId: 'BENCHACCESSKEY', secretAccessKey: 'bench-secret-access-key' };
/** Never validated, and validated at each read. */
export const BUCKETS = { immutable: 'bench', validated: 'live' };

export class GatewayProcess {
  readonly port: number;
  readonly pid: number;
  readonly #adminUrl: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, { s3, admin }: { s3: string; admin: string }) {
    this.#child = child;
    this.#folder = folder;
    this.#adminUrl = admin;
    this.port = Number(new URL(s3).port);
    this.pid = child.pid ?? 0;
  }

  /** `cache`: as in the configuration file. Each request is logged, to a file. */
  static async start(originUrl: string, cache: Readonly<Record<string, unknown>>): Promise<GatewayProcess> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run 'npm run build' first.`);
    const folder = await mkdtemp(join(tmpdir(), 'dfstore-bench-read-'));
    const config = {
      data: join(folder, 'data'),
      listen: '127.0.0.1:0',
      admin: { listen: '127.0.0.1:0' },
      auth: { credentials: [KEY] },
      backends: { files: { type: 'http', endpoint: originUrl } },
      buckets: {
        [BUCKETS.immutable]: { backend: 'files', freshness: 'immutable' },
        [BUCKETS.validated]: { backend: 'files', freshness: '0s' },
      },
      cache,
      log: { requests: true },
    };
    await writeFile(join(folder, 'dfstore.yaml'), stringify(config));
    const log = join(folder, 'log');
    const args = [...nodeOptions(), MAIN, 'serve', '--config', join(folder, 'dfstore.yaml')];
    const child = spawn(process.execPath, args, {
      cwd: folder,
      stdio: ['ignore', openSync(log, 'w'), 'inherit'],
      env: { PATH: process.env.PATH },
    });
    return new GatewayProcess(child, folder, await addresses(child, log));
  }

  /** Bytes of objects served so far, by where they came from. */
  async served(): Promise<ReadonlyMap<Source, number>> {
    const text = await (await fetch(`${this.#adminUrl}/metrics`)).text();
    const lines = text.matchAll(/^dfstore_served_bytes_total\{source="(\w+)"\} (\S+)$/gm);
    return new Map([...lines].map(([, source, bytes]) => [source as Source, Number(bytes)]));
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
    await rm(this.#folder, { recursive: true });
  }
}

/** More for node, such as --cpu-prof: what a profile is taken with. */
function nodeOptions(): readonly string[] {
  return process.env.DFSTORE_BENCH_NODE_OPTIONS?.split(' ') ?? [];
}

async function addresses(child: ChildProcess, log: string): Promise<{ s3: string; admin: string }> {
  for (const endsAt = performance.now() + START_LIMIT_MS; performance.now() < endsAt; await pause(50)) {
    const text = readFileSync(log, 'utf8');
    const line = text.split('\n').find((each) => each.includes('"The gateway serves."'));
    if (line !== undefined) return JSON.parse(line);
    if (child.exitCode !== null) throw new Error(`The gateway did not start:\n${text}`);
  }
  child.kill('SIGKILL');
  throw new Error(`The gateway did not start within ${START_LIMIT_MS} ms:\n${readFileSync(log, 'utf8')}`);
}
