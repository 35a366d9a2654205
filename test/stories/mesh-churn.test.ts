// Gateways that come, go and are restarted one after the other while clients read: no client sees an error, and the
// origin gives hardly more than each byte once.
import { expect, test } from 'vitest';
import { type MeshGateway, MeshGateways } from '../support/mesh-gateways.ts';

const MIB = 1024 * 1024;
const OBJECTS = 8;
const OBJECT_BYTES = 4 * MIB;
const CLIENTS = 4;
/**
 * After so many each object is at every gateway: what only one has must be read again when that one stops, and one that
 * has just started counts again as having something once it has said so, which a busy machine may let it do late.
 */
const WARM_READS = 128;

test('all gateways are restarted in turn under load, and one is lost and replaced: no request fails, origin at most 1.05', {
  timeout: 120_000,
}, async () => {
  await using mesh = await MeshGateways.start({ count: 4 });
  const { origin } = mesh;
  const contents = new Map<string, Buffer>();
  for (let index = 0; index < OBJECTS; index += 1) {
    contents.set(`model-${index}`, await origin.set(`model-${index}`, OBJECT_BYTES));
  }
  await mesh.settled(...contents.keys());
  const load = new Load(mesh.all, contents);
  const clients = Array.from({ length: CLIENTS }, (_, client) => load.run(client));
  try {
    await load.answered(WARM_READS);
    for (const gateway of mesh.all) {
      await gateway.terminate();
      await load.answered(OBJECTS);
      await gateway.start();
      await load.answered(OBJECTS);
    }
    // It leaves for good, and one with nothing comes in its place.
    await mesh.at(0).terminate();
    await mesh.at(0).wipe();
    await mesh.at(0).start();
    await load.answered(2 * OBJECTS);
  } finally {
    load.stop();
    await Promise.all(clients);
  }
  expect(load.failures).toEqual([]);
  expect(origin.bodyBytes / (OBJECTS * OBJECT_BYTES)).toBeGreaterThanOrEqual(1);
  expect(origin.bodyBytes / (OBJECTS * OBJECT_BYTES)).toBeLessThanOrEqual(1.05);
});

/**
 * Clients who read objects in turn through gateways in turn. One whom the operating system turns away, since nobody
 * listens there while a gateway restarts, asks the next gateway; whatever else goes wrong is a failure, a connection
 * that the gateway ends without an answer included.
 */
class Load {
  readonly failures: string[] = [];
  readonly #gateways: readonly MeshGateway[];
  readonly #contents: readonly (readonly [string, Buffer])[];
  #stopped = false;
  #reads = 0;
  #waiting: { readonly reads: number; readonly go: () => void }[] = [];

  constructor(gateways: readonly MeshGateway[], contents: ReadonlyMap<string, Buffer>) {
    this.#gateways = gateways;
    this.#contents = [...contents];
  }

  async run(client: number): Promise<void> {
    for (let turn = client; !this.#stopped; turn += 1) {
      const [key, bytes] = this.#contents[turn % this.#contents.length] ?? ['', Buffer.alloc(0)];
      await this.#read(turn, key, bytes);
      this.#reads += 1;
      for (const { reads, go } of this.#waiting) if (this.#reads >= reads) go();
    }
  }

  /** Resolves after so many more reads. */
  answered(more: number): Promise<void> {
    const reads = this.#reads + more;
    return new Promise((go) => this.#waiting.push({ reads, go }));
  }

  stop(): void {
    this.#stopped = true;
  }

  async #read(turn: number, key: string, bytes: Buffer): Promise<void> {
    // By another rhythm than the objects', so that each is read through each gateway.
    const first = turn + Math.floor(turn / this.#contents.length);
    for (let attempt = 0; attempt < this.#gateways.length; attempt += 1) {
      const gateway = this.#gateways[(first + attempt) % this.#gateways.length];
      try {
        const answer = await gateway?.get(key);
        const isRight = answer?.status === 200 && !answer.cut && answer.body.equals(bytes);
        if (!isRight) this.failures.push(`${gateway?.id} answered ${answer?.status}, cut: ${answer?.cut}`);
        return;
      } catch (error) {
        if (!isTurnedAway(error)) {
          this.failures.push(`${gateway?.id}: ${error}`);
          return;
        }
      }
    }
    this.failures.push(`Nobody listens, for ${key}.`);
  }
}

/** Refused, or reset while it waited to be accepted: only the operating system's own errors name a system call. */
function isTurnedAway(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return false;
  return error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET';
}
