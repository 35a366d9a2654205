// Gateways that share names, over a mesh in memory and an origin that is one register a key, all on one clock.
import { BackendError, type ObjectInfo } from '../../backends/backend.ts';
import { Background } from '../../src/concurrency/background.ts';
import { delay } from '../../src/mesh/clock.ts';
import type { Member, MemberId } from '../../src/mesh/member.ts';
import type { RefreshableList } from '../../src/mesh/names/mesh-names.ts';
import type { Arriving } from '../../src/mesh/names/name-wire.ts';
import { type OpenNamesOptions, openNames } from '../../src/mesh/names/open-names.ts';
import { owners } from '../../src/mesh/rendezvous.ts';
import { nameKey } from '../../src/mesh/slab.ts';
import { type NameRecord, NameRecords } from '../../src/objects/name-records.ts';
import { type Freshness, type ProbeAnswer, Versions, type Wanted } from '../../src/objects/versions.ts';
import { objectVersion, type Piece } from '../../src/pieces/piece.ts';
import { FakeClock } from './fake-clock.ts';
import { NamesMesh } from './names-mesh.ts';

export const NAMES_OPTIONS: OpenNamesOptions = {
  nameLeaseMs: 3_000,
  settleMs: 4_000,
  validatorTtlMs: 10_000,
  markTtlMs: 30_000,
  patienceMs: 300,
  maxIdle: 1_000,
  maxBusy: 1_000,
  blockSize: 65_536,
};

const NO_BYTES: Wanted = { offset: undefined, complete: false };
export const NOW: Freshness = { freshMs: 0, missingFreshMs: 0, staleIfErrorMs: 0 };
export const MINUTE: Freshness = { freshMs: 60_000, missingFreshMs: 60_000, staleIfErrorMs: 0 };
export const EVER: Freshness = { ...MINUTE, freshMs: Number.POSITIVE_INFINITY };

/** The origin: how long a question takes to reach it, and its answer to come back. */
class RegisterOrigin {
  readonly values = new Map<string, string>();
  asked = 0;
  /** Answers that had to bring bytes: whoever asked did not know what the key is. */
  bodies = 0;
  toMs: () => number = () => 20;
  backMs: () => number = () => 20;
  /** It answers nobody. */
  down = false;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async probe(key: string, known?: NameRecord): Promise<ProbeAnswer> {
    this.asked += 1;
    await delay(this.#clock, this.toMs());
    const value = this.values.get(key);
    const { down } = this;
    await delay(this.#clock, this.backMs());
    if (down) throw new BackendError('Unavailable', 'The origin is down.');
    if (value === undefined) return { kind: 'missing' };
    if (known?.kind !== 'known' || known.info.etag !== value) this.bodies += 1;
    return { kind: 'found', info: infoOf(key, value), complete: true, arriving: pieceOf(key, value) };
  }

  /** `took`: told at the instant from which the key is this. */
  async commit(key: string, value: string | undefined, took: () => void = () => undefined): Promise<void> {
    await delay(this.#clock, this.toMs());
    if (value === undefined) this.values.delete(key);
    else this.values.set(key, value);
    took();
    await delay(this.#clock, this.backMs());
  }
}

/** A gateway's view of who the trackers are. */
export class ListView implements RefreshableList {
  readonly self: Member;
  changedAtMs = Number.NEGATIVE_INFINITY;
  #trackers: readonly MemberId[];
  readonly #clock: FakeClock;
  readonly #truth: () => readonly MemberId[];

  constructor(self: Member, clock: FakeClock, truth: () => readonly MemberId[]) {
    this.self = self;
    this.#clock = clock;
    this.#truth = truth;
    this.#trackers = truth();
  }

  trackers(): readonly MemberId[] {
    return this.#trackers;
  }

  get hash(): string {
    return this.#trackers.join(' ');
  }

  async refresh(): Promise<void> {
    if (this.#truth().join(' ') === this.hash) return;
    this.#trackers = this.#truth();
    this.changedAtMs = this.#clock.now();
  }
}

export class NamesWorld {
  readonly clock = new FakeClock();
  readonly mesh = new NamesMesh(this.clock);
  readonly origin = new RegisterOrigin(this.clock);
  readonly failures: unknown[] = [];
  readonly arriving: { readonly owner: MemberId; readonly caller: MemberId; readonly arriving: Arriving }[] = [];
  readonly gateways = new Map<MemberId, TestGateway>();
  trackers: readonly MemberId[];
  readonly options: OpenNamesOptions;
  #runs = 0;

  constructor(ids: readonly MemberId[], options: Partial<OpenNamesOptions> = {}) {
    this.trackers = ids;
    this.options = { ...NAMES_OPTIONS, ...options };
    for (const id of ids) this.start(id);
  }

  /** Another run, which knows nothing of the one before, and of the list only that it has just read it. */
  restart(id: MemberId): TestGateway {
    const gateway = this.start(id);
    gateway.list.changedAtMs = this.clock.now();
    return gateway;
  }

  kill(id: MemberId): void {
    this.mesh.kill(id);
    this.at(id).killed = true;
  }

  start(id: MemberId): TestGateway {
    this.#runs += 1;
    const member: Member = { id, role: 'tracker', zone: undefined, incarnation: `run ${this.#runs}`, key: '' };
    const gateway = new TestGateway(this, member);
    this.gateways.set(id, gateway);
    return gateway;
  }

  at(id: MemberId): TestGateway {
    const gateway = this.gateways.get(id);
    if (gateway === undefined) throw new Error(`There is no gateway '${id}'.`);
    return gateway;
  }

  /** Owners of the key by the true list, first rank first, then everybody else. */
  ranked(key: string): readonly TestGateway[] {
    return owners(nameKey(nameOf({ key })), this.trackers, this.trackers.length).map((id) => this.at(id));
  }

  run<T>(work: Promise<T>): Promise<T> {
    return this.clock.run(work);
  }
}

export class TestGateway {
  readonly id: MemberId;
  readonly list: ListView;
  readonly versions: Versions;
  readonly opened: ReturnType<typeof openNames>;
  /** What it does from now on is nobody's business. */
  killed = false;
  readonly #world: NamesWorld;

  constructor(world: NamesWorld, member: Member) {
    const { clock, mesh, failures } = world;
    this.#world = world;
    this.id = member.id;
    this.list = new ListView(member, clock, () => world.trackers);
    const background = new Background({ failed: (_, error) => failures.push(error) });
    const arriving = (caller: MemberId, piece: Arriving) =>
      world.arriving.push({ owner: member.id, caller, arriving: piece });
    this.opened = openNames(
      { client: mesh.client(member), clock, list: this.list, background, arriving },
      world.options,
    );
    mesh.join(member, this.opened.handlers);
    this.versions = new Versions(
      {
        prober: { probe: (ref, known) => world.origin.probe(ref.key, known) },
        records: new NameRecords({ failed: (error) => failures.push(error) }, { maxRecords: 1_000 }),
        names: this.opened.names,
        nameOf,
        now: () => clock.now(),
        wallNow: () => clock.wallNow(),
      },
      { maxNames: 1_000 },
    );
  }

  /** What the key is now, for somebody with this freshness; undefined: there is no such key. */
  async read(key: string, freshness: Freshness = NOW, signal = new AbortController().signal) {
    try {
      return (await this.versions.open({ bucket: 'b', key }, freshness, NO_BYTES, signal)).info.etag;
    } catch (error) {
      if (error instanceof BackendError && error.code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  /** Begins, commits, ends; resolves when the write may be acknowledged. */
  async write(key: string, value: string | undefined, took?: () => void): Promise<void> {
    const mark = await this.versions.begin({ bucket: 'b', key });
    await this.#world.origin.commit(key, value, took);
    await this.versions.end(mark, { kind: value === undefined ? 'missing' : 'written' });
  }
}

function nameOf({ key }: { key: string }) {
  return { origin: 'origin', bucket: 'b', key };
}

function infoOf(key: string, etag: string): ObjectInfo {
  return { key, sizeBytes: 10, etag, lastModified: new Date(0), headers: {}, metadata: {}, identity: 'strong' };
}

function pieceOf(key: string, etag: string): Piece {
  return {
    version: objectVersion({ origin: 'origin', bucket: 'b', key, etag, size: 10, pieceSize: 1 << 20 }),
    index: 0,
  };
}
