// The backends as the bench opens them: as the gateway does, against the local origin.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../backends/backend.ts';
import { type BackendOptions, openBackend } from '../../backends/open-backend.ts';

const KEYS = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' };

export async function openBenchBackend(kind: string, port: number): Promise<Backend> {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return openBackend(optionsOf(kind, port, benchFolder()), { name: kind, log, secrets: [] });
}

function optionsOf(kind: string, port: number, folder: string): BackendOptions {
  const endpoint = `http://127.0.0.1:${port}`;
  switch (kind) {
    case 's3':
      return { type: 's3', endpoint, region: 'us-east-1', pathStyle: true, ...KEYS };
    case 'oss':
      return {
        type: 'oss',
        endpoint,
        region: 'oss-cn-hangzhou',
        accessKeyId: 'bench',
        accessKeySecret: 'bench-secret',
      };
    case 'obs':
      return { type: 'obs', endpoint, ...KEYS, signature: 'v2', pathStyle: true };
    case 'http':
      return { type: 'http', endpoint };
    case 'fs':
      return { type: 'fs', root: folder };
    default:
      throw new Error(`There is no backend '${kind}' to measure.`);
  }
}

/** Where the fs backend keeps its object between the put and the get that follows. */
function benchFolder(): string {
  return process.env.DFSTORE_BENCH_FOLDER ?? mkdtempSync(join(tmpdir(), 'dfstore-bench-'));
}
