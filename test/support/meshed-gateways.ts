// Several whole gateways in this process, meshed with each other in front of one S3 origin.
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { freePort } from './free-port.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { MemoryBackend } from './memory-backend.ts';
import { TestGateway as OriginServer, OWNER } from './s3-gateway.ts';

interface Place {
  readonly role?: 'tracker' | 'peer' | 'seed';
  readonly zone?: string;
}

interface MeshedOptions {
  readonly origin?: MemoryBackend;
  /** Of every gateway. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export const BUCKET = 'models';

export class MeshedGateways implements AsyncDisposable {
  readonly origin: OriginServer;
  readonly gateways: readonly TestGateway[];
  /** Their names in the mesh, in the same order. */
  readonly ids: readonly string[];

  private constructor(origin: OriginServer, gateways: readonly TestGateway[], ids: readonly string[]) {
    this.origin = origin;
    this.gateways = gateways;
    this.ids = ids;
  }

  /** Resolves when all are ready, with an empty bucket at the origin. */
  static async start(places: readonly Place[], options: MeshedOptions = {}): Promise<MeshedGateways> {
    const origin = await OriginServer.start({ backend: options.origin ?? new MemoryBackend() });
    await origin.client().send(new CreateBucketCommand({ Bucket: BUCKET }));
    const ids: string[] = [];
    for (const _ of places) ids.push(`127.0.0.1:${await freePort()}`);
    const trackers = ids.filter((_, index) => places[index]?.role !== 'peer');
    const gateways = await Promise.all(
      places.map((place, index) => {
        const mesh = { listen: ids[index], members: { static: trackers }, secret: 'sixteen letters!', ...place };
        return startGateway({ config: { ...cachedConfig(origin.url), ...options.config, mesh } });
      }),
    );
    const meshed = new MeshedGateways(origin, gateways, ids);
    await Promise.all(gateways.map((gateway) => isReady(gateway)));
    return meshed;
  }

  /** At the origin, past every gateway. */
  async put(key: string, body: Buffer): Promise<void> {
    await this.origin.client().send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
  }

  gateway(index: number): TestGateway {
    const gateway = this.gateways[index];
    if (gateway === undefined) throw new Error(`There are ${this.gateways.length} gateways, and no ${index}.`);
    return gateway;
  }

  /** Bytes of objects that all gateways together have read from the origin. */
  async originBytes(): Promise<number> {
    const statuses = await Promise.all(this.gateways.map(({ adminUrl }) => askAdmin(adminUrl, '/status')));
    return statuses.reduce((sum, { body }) => sum + Number(body.originReadBytes), 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.close()));
    await this.origin.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Of a gateway that caches what lies at this origin in pieces of 1 MiB. */
export function cachedConfig(originUrl: string): Record<string, unknown> {
  const { accessKeyId, secretAccessKey } = OWNER;
  const main = { type: 's3', endpoint: originUrl, region: 'us-east-1', pathStyle: true, accessKeyId, secretAccessKey };
  return {
    backends: { main },
    buckets: { '*': { backend: 'main', freshness: '1h' } },
    cache: { pieceSize: '1MiB' },
  };
}

interface AdminAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at single fields of a document.
  readonly body: any;
}

export async function askAdmin(adminUrl: string, path: string): Promise<AdminAnswer> {
  const answer = await fetch(adminUrl + path);
  return { status: answer.status, body: await answer.json() };
}

/** The documents of an answer that has one on each line. */
export async function postAdmin(
  adminUrl: string,
  path: string,
): Promise<{ status: number; lines: Record<string, unknown>[] }> {
  const answer = await fetch(adminUrl + path, { method: 'POST' });
  const text = await answer.text();
  return {
    status: answer.status,
    lines: text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  };
}

async function isReady({ adminUrl }: TestGateway): Promise<void> {
  await expect.poll(async () => (await fetch(`${adminUrl}/readyz`)).status, { timeout: 10_000 }).toBe(200);
}
