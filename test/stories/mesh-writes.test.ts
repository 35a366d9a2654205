// Promise 'Read after write' across gateways as processes: whatever dies at whatever moment, no read that starts after a
// write was acknowledged sees anything older, through any gateway.
import { expect, test } from 'vitest';
import { type MeshGateway, MeshGateways } from '../support/mesh-gateways.ts';
import { CUT, WriteHistory } from '../support/write-history.ts';

const ROUNDS = 10;

test('with writers in turn and racing, and the owner of the name killed, nobody reads older than what was acknowledged', {
  timeout: 120_000,
}, async () => {
  await using mesh = await MeshGateways.start({ count: 4 });
  await mesh.settled('raced');
  const [owner] = mesh.ownersOf('raced');
  const history = new HistoryOf('raced');
  // In turn: everybody reads each write as soon as it was acknowledged.
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    await history.write(mesh.at(turn % 4));
    await Promise.all(mesh.all.map((gateway) => history.read(gateway)));
  }
  // Racing: two write while all read, and then while the owner dies.
  await race(history, mesh.all, async () => undefined);
  const survivors = mesh.othersThan(owner);
  await race(history, survivors, () => owner.kill());
  await race(history, survivors, async () => undefined);
  await owner.start();
  await race(history, mesh.all, async () => undefined);
  expect(history.wrong).toEqual([]);
  expect(history.reads).toBeGreaterThan(10 * ROUNDS);
  expect(history.failed).toEqual([]);
});

/** `between`: takes place once the race is on. */
async function race(history: HistoryOf, gateways: readonly MeshGateway[], between: () => Promise<void>): Promise<void> {
  const [one, other] = gateways;
  if (one === undefined || other === undefined) throw new Error('A race needs two gateways.');
  let writing = 2;
  const write = async (gateway: MeshGateway) => {
    for (let turn = 0; turn < ROUNDS; turn += 1) await history.write(gateway);
    writing -= 1;
  };
  const read = async (gateway: MeshGateway) => {
    while (writing > 0) await history.read(gateway);
    await history.read(gateway);
  };
  await Promise.all([write(one), write(other), ...gateways.map(read), history.written(ROUNDS / 2).then(between)]);
}

test.each([
  { when: 'before the origin has answered it', answered: false },
  { when: 'when the origin has just answered it', answered: true },
])('a writer killed $when leaves no gateway with what was there before', { timeout: 60_000 }, async ({ answered }) => {
  await using mesh = await MeshGateways.start({ count: 3 });
  const { origin } = mesh;
  await mesh.settled('left-half-way');
  const [writer, ...others] = mesh.othersThan();
  if (writer === undefined) throw new Error('There is no writer.');
  const key = 'left-half-way';
  expect((await writer.put(key, 'old')).status).toBe(200);
  for (const gateway of mesh.all) expect((await gateway.get(key)).body.toString()).toBe('old');
  let killed = Promise.resolve();
  const taken = new Promise<void>((resolve) => {
    origin.taken = async (name) => {
      if (name !== key) return;
      origin.taken = undefined;
      killed = writer.kill();
      if (!answered) await killed;
      resolve();
    };
  });
  const outcome = writer.put(key, 'new').then(
    () => 'acknowledged',
    () => 'failed',
  );
  await taken;
  // From the moment the origin has it, everybody has: while the mark is open, and when it has lapsed.
  for (let read = 0; read < 10; read += 1) {
    for (const gateway of others) expect((await gateway.get(key)).body.toString()).toBe('new');
  }
  await killed;
  if (!answered) expect(await outcome).toBe('failed');
  expect((await others[0]?.put(key, 'newer'))?.status).toBe(200);
  for (const gateway of others) expect((await gateway.get(key)).body.toString()).toBe('newer');
  await writer.start();
  expect((await writer.get(key)).body.toString()).toBe('newer');
});

/** What happened to one key, through all gateways. */
class HistoryOf {
  readonly wrong: string[] = [];
  /** Requests to a gateway that nobody has killed. */
  readonly failed: string[] = [];
  reads = 0;
  readonly #key: string;
  readonly #history = new WriteHistory();
  #writes = 0;
  #waiting: { readonly writes: number; readonly go: () => void }[] = [];

  constructor(key: string) {
    this.#key = key;
  }

  async write(gateway: MeshGateway): Promise<void> {
    this.#writes += 1;
    const value = `value ${this.#writes}`;
    await this.#history.write(value, async () => {
      const { status } = await gateway.put(this.#key, value);
      if (status !== 200) this.failed.push(`${value} was answered with ${status}`);
    });
    for (const { writes, go } of this.#waiting) if (this.#writes >= writes) go();
  }

  async read(gateway: MeshGateway): Promise<void> {
    const wrong = await this.#history.read(async () => {
      const { status, body, cut } = await gateway.get(this.#key).catch(() => ({ status: 0, body: '', cut: true }));
      if (cut || (status !== 200 && status !== 404)) return CUT;
      this.reads += 1;
      return status === 404 ? undefined : body.toString();
    });
    if (wrong !== undefined) this.wrong.push(`${gateway.id}: ${wrong}`);
  }

  /** Resolves when so many more writes were acknowledged. */
  written(more: number): Promise<void> {
    const writes = this.#writes + more;
    return new Promise((go) => this.#waiting.push({ writes, go }));
  }
}
