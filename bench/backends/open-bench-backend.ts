// The backends as the bench opens them: as the gateway does, against the local origin.
import type { LookupFunction } from 'node:net';
import type { Backend } from '../../backends/backend.ts';
import { guardOrigin } from '../../backends/net/guard-origin.ts';
import { type BackendOptions, openBackend } from '../../backends/open-backend.ts';

export type BenchedKind = 's3' | 'oss' | 'obs' | 'http' | 'fs';

const KEYS = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' };
const LOG = { info: () => undefined, warn: () => undefined };

/** `folder`: where the fs backend keeps its object between the put and the get that follows. */
export function openBenchBackend(kind: BenchedKind, port: number, folder: string): Promise<Backend> {
  if (kind === 'oss') return openOss(port);
  return openBackend(optionsOf(kind, port, folder), { name: kind, log: LOG, secrets: [] });
}

function optionsOf(kind: Exclude<BenchedKind, 'oss'>, port: number, folder: string): BackendOptions {
  const endpoint = `http://127.0.0.1:${port}`;
  switch (kind) {
    case 's3':
      return { type: 's3', endpoint, region: 'us-east-1', pathStyle: true, ...KEYS };
    case 'obs':
      return { type: 'obs', endpoint, ...KEYS, signature: 'v2', pathStyle: true };
    case 'http':
      return { type: 'http', endpoint };
    case 'fs':
      return { type: 'fs', root: folder };
  }
}

/** OSS has buckets in host names only, so the origin must have one, which no resolver knows. */
async function openOss(port: number): Promise<Backend> {
  const { openOssBackend } = await import('../../backends/oss.ts');
  const backend = await openOssBackend({
    endpoint: `http://oss.bench.invalid:${port}`,
    region: 'oss-cn-hangzhou',
    accessKeyId: KEYS.accessKeyId,
    accessKeySecret: KEYS.secretAccessKey,
    lookup: loopback,
  });
  return guardOrigin(backend, {}, { name: 'oss', log: LOG });
}

const loopback: LookupFunction = (_hostname, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};
