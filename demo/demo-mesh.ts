// The players of the demo: an origin, a gateway on its embedded store, behind a slow wire; and three gateways that are
// one mesh in front of it. All on ports of the loopback that were free, with secrets made for this once.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CloseStack } from '../src/concurrency/close-stack.ts';
import { freePort } from '../test/support/free-port.ts';
import { GatewayProcess } from './gateway-process.ts';
import { SlowWire } from './slow-wire.ts';

const NAMES = ['one', 'two', 'three'] as const;

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface DemoMesh {
  readonly origin: GatewayProcess;
  readonly gateways: readonly GatewayProcess[];
  /** Good at all of them. */
  readonly keys: Keys;
}

/** What is opened is pushed to `opened`, also when it rejects. */
export async function openDemoMesh(originBytesPerSecond: number, opened: CloseStack): Promise<DemoMesh> {
  const folder = await mkdtemp(join(tmpdir(), 'dfstore-demo-'));
  opened.push('folder', () => rm(folder, { recursive: true, force: true }));
  const keys = { accessKeyId: 'demo', secretAccessKey: randomBytes(24).toString('base64url') };
  const common = { listen: '127.0.0.1:0', admin: { listen: '127.0.0.1:0' }, auth: { credentials: [keys] } };
  const start = async (name: string, config: Readonly<Record<string, unknown>>) => {
    const gateway = await GatewayProcess.start(name, folder, { ...common, ...config });
    opened.push(name, () => gateway.close());
    return gateway;
  };
  const origin = await start('origin', {});
  const wire = await SlowWire.open(new URL(origin.s3Url), originBytesPerSecond);
  opened.push('slow wire', () => wire.close());

  const ports = await Promise.all(NAMES.map(() => freePort()));
  const members = { static: ports.map((port) => `127.0.0.1:${port}`) };
  const secret = randomBytes(24).toString('base64url');
  const meshed = {
    backends: { origin: { type: 's3', endpoint: wire.url, region: 'us-east-1', pathStyle: true, ...keys } },
    buckets: { '*': { backend: 'origin', freshness: '60s' } },
    cache: { pieceSize: '1MiB' },
  };
  const gateways = await Promise.all(
    NAMES.map((name, index) =>
      start(name, { ...meshed, mesh: { listen: `127.0.0.1:${ports[index]}`, members, secret } }),
    ),
  );
  return { origin, gateways, keys };
}
