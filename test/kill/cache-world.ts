// What the gateway that is killed stands between: two origins that outlive it, one of large objects that are read, one
// of small ones that its clients write, both slow enough that a kill finds much under way.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { delayingBackend } from '../support/delaying-backend.ts';
import { MemoryBackend } from '../support/memory-backend.ts';
import { TestGateway as OriginServer, OWNER } from '../support/s3-gateway.ts';
import { SyntheticOrigin } from '../support/synthetic-origin.ts';

const MIB = 1024 * 1024;
export const LARGE_BYTES = 12 * MIB + 4321;
export const LARGE_KEYS = ['a', 'b', 'c', 'd', 'e'].map((name) => `large-${name}`);
/** Less than the large objects have: under load something is always on its way out. */
const CAPACITY_BYTES = 40 * MIB;
/** For each 64 KiB of a body, and for each call: some 30 MiB/s. */
const ORIGIN_DELAY_MS = 2;

export const CLIENT = { accessKeyId: 'KILLCLIENT', secretAccessKey: 'kill-client-secret' };

export class CacheKillWorld {
  readonly folder: string;
  readonly configFile: string;
  readonly cacheDirectory: string;
  readonly written: MemoryBackend;
  readonly #servers: readonly OriginServer[];

  private constructor(folder: string, written: MemoryBackend, servers: readonly OriginServer[]) {
    this.folder = folder;
    this.configFile = join(folder, 'dfstore.yaml');
    this.cacheDirectory = join(folder, 'data', 'cache');
    this.written = written;
    this.#servers = servers;
  }

  static async open(): Promise<CacheKillWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'dfstore-kill-cache-'));
    const read = new SyntheticOrigin();
    for (const key of LARGE_KEYS) read.set(key, LARGE_BYTES);
    read.beforeChunk = () => pause(ORIGIN_DELAY_MS);
    const written = new MemoryBackend();
    await written.buckets.create('written', { owner: OWNER.account }, new AbortController().signal);
    const slow = delayingBackend(written, () => pause(ORIGIN_DELAY_MS));
    const servers = [await OriginServer.start({ backend: read }), await OriginServer.start({ backend: slow })];
    const world = new CacheKillWorld(folder, written, servers);
    await writeFile(world.configFile, stringify(world.#config(servers.map(({ url }) => url))));
    return world;
  }

  /** What killed clients of the origins had under way has ended, one way or the other. */
  async originsAtRest(): Promise<void> {
    while (this.#servers.some(({ inFlight }) => inFlight > 0)) await pause(1);
  }

  async close(): Promise<void> {
    for (const server of this.#servers) await server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #config([read, written]: string[]): object {
    const { accessKeyId, secretAccessKey } = OWNER;
    const s3 = { type: 's3', region: 'us-east-1', pathStyle: true, accessKeyId, secretAccessKey };
    return {
      data: join(this.folder, 'data'),
      listen: '127.0.0.1:0',
      admin: { listen: '127.0.0.1:0' },
      auth: { credentials: [CLIENT] },
      backends: { read: { ...s3, endpoint: read }, written: { ...s3, endpoint: written } },
      buckets: { read: { backend: 'read', freshness: '1h' }, written: { backend: 'written', freshness: '1h' } },
      cache: { capacity: CAPACITY_BYTES, memory: '4MiB', pieceSize: '1MiB', blockSize: '64KiB' },
    };
  }
}
