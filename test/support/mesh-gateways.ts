// Several gateways as processes of their own, the built command line, that are one mesh before one origin: to be killed,
// stopped, restarted and wiped while clients read and write through them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { owners } from '../../src/mesh/rendezvous.ts';
import { nameKey } from '../../src/mesh/slab.ts';
import { askGateway, type ClientOutcome } from './client-outcome.ts';
import { freePort } from './free-port.ts';
import { BUCKET, MeshOrigin, ORIGIN } from './mesh-origin.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const KEYS = { accessKeyId: 'MESHKEY', secretAccessKey: 'mesh-secret-access-key' };
export const MESH_SECRET = 'the secret of the meshed processes';
const POLL_MS = 20;
const START_LIMIT_MS = 120_000;

type Settings = Readonly<Record<string, unknown>>;

export class MeshGateway {
  /** Its name among the others. */
  readonly id: string;
  readonly home: string;
  readonly accessKeyId = KEYS.accessKeyId;
  readonly secretAccessKey = KEYS.secretAccessKey;
  /** All that it has logged, its earlier runs included. */
  log = '';
  #settings: Settings;
  #child: ChildProcess | undefined;
  #s3Url = 'http://127.0.0.1:0';
  #adminUrl = 'http://127.0.0.1:0';

  constructor(id: string, home: string, settings: Settings) {
    this.id = id;
    this.home = home;
    this.#settings = settings;
  }

  get s3Url(): string {
    return this.#s3Url;
  }

  get meshPort(): number {
    return Number(this.id.split(':')[1]);
  }

  /** Resolves when it is ready. On the ports of its run before. `mesh`: settings that are others from now on. */
  async start({ mesh = {} }: { mesh?: Settings } = {}): Promise<void> {
    this.#settings = { ...this.#settings, mesh: { ...(this.#settings.mesh as Settings), ...mesh } };
    const file = join(this.home, 'dfstore.yaml');
    await mkdir(this.home, { recursive: true });
    const addresses = { listen: new URL(this.#s3Url).host, admin: { listen: new URL(this.#adminUrl).host } };
    await writeFile(file, stringify({ ...addresses, data: join(this.home, 'data'), ...this.#settings }), {
      mode: 0o600,
    });
    const child = spawn(process.execPath, [MAIN, 'serve', '--config', file], {
      cwd: this.home,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH },
    });
    this.#child = child;
    const from = this.log.length;
    for (const output of [child.stdout, child.stderr]) output.on('data', (chunk) => (this.log += chunk));
    await this.#until('did not start', () => this.log.includes('"The gateway serves."', from));
    const line = this.log
      .slice(from)
      .split('\n')
      .find((candidate) => candidate.includes('"The gateway serves."'));
    const { s3, admin } = JSON.parse(line ?? '{}');
    this.#s3Url = String(s3);
    this.#adminUrl = String(admin);
    await this.#until('is not ready', async () => (await fetch(`${this.#adminUrl}/readyz`)).ok);
  }

  /** kill -9. Resolves when it is gone. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Tells it to stop, and waits until it has. */
  terminate(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** It hangs: its connections stay, and say nothing. */
  hang(): void {
    this.#child?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Of everything it kept. */
  wipe(): Promise<void> {
    return rm(join(this.home, 'data'), { recursive: true, force: true });
  }

  get(key: string, headers: Readonly<Record<string, string>> = {}): Promise<ClientOutcome> {
    return askGateway(this, { path: `/${BUCKET}/${key}`, headers });
  }

  put(key: string, body: Buffer | string): Promise<ClientOutcome> {
    return askGateway(this, { method: 'PUT', path: `/${BUCKET}/${key}`, body });
  }

  /** The sum over those of its labels that have this text in them. */
  async metric(name: string, label = ''): Promise<number> {
    const text = await (await fetch(`${this.#adminUrl}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    const wanted = lines.filter((line) => line.includes(label));
    return wanted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** How many pieces of the key each gateway holds, as those who keep track of them say, and this one of itself. */
  async holders(key: string): Promise<ReadonlyMap<string, number>> {
    const answer = await fetch(`${this.#adminUrl}/where?${new URLSearchParams({ bucket: BUCKET, key })}`);
    const { holders } = (await answer.json()) as { holders: { id: string; held: number }[] };
    return new Map(holders.map(({ id, held }) => [id, held]));
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async #until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    while (!(await holds())) {
      const ended = this.#child?.exitCode !== null || this.#child.signalCode !== null;
      if (ended || performance.now() > deadline) throw new Error(`Gateway ${this.id} ${what}:\n${this.log}`);
      await pause(POLL_MS);
    }
  }
}

export interface MeshGatewaysOptions {
  readonly count: number;
  readonly mesh?: Settings;
  readonly cache?: Settings;
  /** Of every bucket; default: freshness 60 s. */
  readonly bucket?: Settings;
  readonly backend?: Settings;
  /** Mesh settings of one gateway. `ids`: of all of them. */
  readonly meshOf?: (index: number, ids: readonly string[]) => Settings;
  /** Mesh settings that need files; they go into this folder. */
  readonly prepare?: (folder: string) => Promise<Settings>;
}

export class MeshGateways implements AsyncDisposable {
  readonly all: readonly MeshGateway[];
  readonly origin: MeshOrigin;
  readonly #folder: string;
  readonly #trackers: readonly string[];
  #made = 0;

  private constructor(
    all: readonly MeshGateway[],
    trackers: readonly string[],
    { origin, folder }: { origin: MeshOrigin; folder: string },
  ) {
    this.all = all;
    this.origin = origin;
    this.#trackers = trackers;
    this.#folder = folder;
  }

  /** All are ready. Names may not have settled yet. */
  static async start(options: MeshGatewaysOptions): Promise<MeshGateways> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run 'npm run build' first.`);
    const folder = await mkdtemp(join(tmpdir(), 'dfstore-mesh-'));
    const origin = await MeshOrigin.start();
    const ports = await Promise.all(Array.from({ length: options.count }, () => freePort()));
    const ids = ports.map((port) => `127.0.0.1:${port}`);
    const prepared = (await options.prepare?.(folder)) ?? {};
    const all = ids.map((id, index) => {
      const mesh = {
        secret: MESH_SECRET,
        ...QUICK,
        ...PATIENT,
        listen: id,
        members: { static: ids },
        ...options.mesh,
        ...prepared,
      };
      const settings = {
        auth: { credentials: [KEYS] },
        backends: { [ORIGIN]: { ...origin.settings, ...options.backend } },
        buckets: { '*': { backend: ORIGIN, freshness: '60s', ...options.bucket } },
        cache: { pieceSize: '1MiB', memory: '64MiB', capacity: '1GiB', scrub: 0, ...options.cache },
        mesh: { ...mesh, ...options.meshOf?.(index, ids) },
      };
      return new MeshGateway(id, join(folder, `gateway-${index}`), settings);
    });
    const world = new MeshGateways(all, ids, { origin, folder });
    try {
      await Promise.all(all.map((gateway) => gateway.start()));
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  at(index: number): MeshGateway {
    const gateway = this.all[index];
    if (gateway === undefined) throw new Error(`There is no gateway ${index}.`);
    return gateway;
  }

  /** Of an object's name and its first pieces: who decides, and who decides when that one is gone. */
  ownersOf(key: string): [MeshGateway, MeshGateway] {
    const [first, second] = owners(nameKey({ origin: ORIGIN, bucket: BUCKET, key }), this.#trackers, 2).map((id) =>
      this.all.find((gateway) => gateway.id === id),
    );
    if (first === undefined || second === undefined) throw new Error(`'${key}' has no two owners.`);
    return [first, second];
  }

  /** Those who do not answer for the name. */
  othersThan(...gateways: readonly MeshGateway[]): MeshGateway[] {
    return this.all.filter((gateway) => !gateways.includes(gateway));
  }

  /**
   * Resolves when answers of the origin are remembered by the owners of these keys: for a while after a start they are
   * not, since writes may go past a gateway whose list others do not have yet. Resets the origin's counts.
   */
  async settled(...keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.settledBetween(...this.ownersOf(key))));
    this.origin.reset();
  }

  /** As settled, of the keys that these two own, in this order. */
  async settledBetween(gateway: MeshGateway, second: MeshGateway): Promise<void> {
    const key = this.#keyOwnedBy(gateway, second);
    await this.origin.set(key, 1);
    // The answer is older than the request: it was not asked for this one.
    for (let remembered = 0; remembered < 2; ) {
      const { headers, elapsedMs } = await gateway.get(key);
      remembered = 1_000 * Number(headers['x-dfstore-version-age']) > elapsedMs ? remembered + 1 : 0;
      if (remembered < 2) await pause(POLL_MS);
    }
  }

  /** Another one each time. */
  #keyOwnedBy(gateway: MeshGateway, second: MeshGateway): string {
    for (;;) {
      this.#made += 1;
      const key = `settles-${this.#made}`;
      const [first, other] = owners(nameKey({ origin: ORIGIN, bucket: BUCKET, key }), this.#trackers, 2);
      if (first === gateway.id && other === second.id) return key;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((gateway) => gateway.kill()));
    await this.origin.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Small, so that names settle within 1 s and marks of the dead lapse within 2 s. */
const QUICK = { nameLease: '500ms', refresh: '200ms', memberTtl: '5s', markTtl: '2s' };

/** So that on a busy machine nobody is taken for dead who only has to wait for the processor. */
const PATIENT = limits('3s', '5s');

/** The same where many more gateways than processors wait for their turn, for several seconds each. */
export const VERY_PATIENT = { ...limits('30s', '30s'), silence: '20s' };

function limits(toAnswer: string, toBegin: string): Settings {
  return {
    connectTimeout: toAnswer,
    handshakeTimeout: toBegin,
    linesTimeout: toAnswer,
    bytesTimeout: toBegin,
    silenceTimeout: toBegin,
    patience: toBegin,
  };
}

/** The limits of PATIENT as they are by default. */
export const AS_DELIVERED = {
  connectTimeout: '300ms',
  handshakeTimeout: '1s',
  linesTimeout: '300ms',
  bytesTimeout: '1s',
  silenceTimeout: '1s',
  patience: '1s',
};
