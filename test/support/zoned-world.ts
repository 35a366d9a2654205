// Gateways in zones, in one process and in memory, with all that the mesh does with pieces; and an origin that counts.
import { Background } from '../../src/concurrency/background.ts';
import { BlockSigner } from '../../src/mesh/exchange/proof.ts';
import type { Member, MemberId, Role } from '../../src/mesh/member.ts';
import { openPieceMesh, type PieceMesh, type PieceMeshOptions } from '../../src/mesh/piece-mesh.ts';
import { Arrivals } from '../../src/pieces/arrivals.ts';
import { BufferPool } from '../../src/pieces/buffer-pool.ts';
import { pieceLength } from '../../src/pieces/piece.ts';
import type { Feed } from '../../src/pieces/piece-feed.ts';
import { BLOCK, BLOCKS, PIECE, pushBlocks } from './exchange-world.ts';
import { MemoryPieceStore } from './memory-piece-store.ts';
import { MemoryMesh } from './memory-trackers.ts';

export interface ZonedPlace {
  readonly id: MemberId;
  readonly zone?: string;
  readonly role?: Role;
  readonly options?: Partial<PieceMeshOptions>;
}

const OPTIONS: PieceMeshOptions = {
  uploadSlots: 32,
  maxUploads: 128,
  leases: 4,
  silenceMs: 1_500,
  progressMs: 50,
  longPollMs: 10_000,
  patienceMs: 1_000,
  tellMs: 3_000,
  peekMs: 1_000,
  maxSlabs: 1_000,
  maxMembers: 1_000,
  zoneLevel: 'on',
};

const { signal } = new AbortController();

export class ZonedGateway {
  readonly self: Member;
  readonly store = new MemoryPieceStore({ blockSize: BLOCK });
  readonly pieces: PieceMesh;
  readonly #arrivals: Arrivals;
  readonly #world: ZonedWorld;

  constructor(world: ZonedWorld, self: Member, signer: BlockSigner, options: Partial<PieceMeshOptions>) {
    this.#world = world;
    this.self = self;
    this.#arrivals = new Arrivals(
      { store: this.store, pool: new BufferPool({ maxFreeBytes: 1024 * 1024 }) },
      { windowBytes: 16 * BLOCK, maxArriving: 100, unwanted: () => undefined },
    );
    const ignore = () => undefined;
    this.pieces = openPieceMesh(
      {
        members: { self: this.self, trackers: () => world.trackers, about: (other) => world.about(other) },
        client: world.mesh.client(this.self),
        signer,
        store: this.store,
        departures: undefined,
        background: new Background({ failed: (_, error) => world.errors.push(error) }),
        observer: {
          received: ignore,
          sent: ignore,
          detoured: ignore,
          unproved: ({ error }) => world.errors.push(error),
          refused: (event) => world.errors.push(event),
          databaseFailed: ignore,
        },
        now: () => performance.now(),
      },
      { ...OPTIONS, ...options },
    );
    world.mesh.serve(
      self.id,
      this.pieces.handlers((piece) => this.#arrivals.find(piece)),
    );
  }

  /** Until it has the piece; what it holds of it already is not fetched again. */
  async read(): Promise<void> {
    const held = this.store.blocks(PIECE);
    const first = Array.from({ length: BLOCKS }, (_, block) => block).find((block) => !held.has(block)) ?? BLOCKS;
    if (first === BLOCKS) return;
    const feed = this.#arrivals.feed(PIECE, { first, end: BLOCKS });
    const length = pieceLength(PIECE);
    const progress = {
      get bytes() {
        return length - feed.remainingBytes;
      },
      urgency: 'demand' as const,
    };
    const claim = this.pieces.directory.claim(PIECE, progress);
    try {
      while (feed.remainingBytes > 0) {
        const where = await claim.acquire(signal);
        if (where.kind === 'leased')
          await this.#world.origin(this, feed, BLOCKS - Math.ceil(feed.remainingBytes / BLOCK));
        else await where.bring(feed, BLOCKS, signal);
      }
      await feed.finish();
    } catch (error) {
      feed.fail(error);
      throw error;
    } finally {
      await claim.end();
    }
  }
}

export class ZonedWorld {
  readonly mesh = new MemoryMesh();
  readonly errors: unknown[] = [];
  readonly trackers: readonly MemberId[];
  readonly #members = new Map<MemberId, Member>();
  readonly #gateways = new Map<MemberId, ZonedGateway>();
  originReads = 0;
  /** Sends all from this block on. */
  origin = async (_by: ZonedGateway, feed: Feed, first: number): Promise<void> => {
    this.originReads += 1;
    feed.from('origin');
    await pushBlocks(feed, first, BLOCKS);
  };

  constructor(places: readonly ZonedPlace[]) {
    this.trackers = places.filter(({ role }) => role !== 'peer').map(({ id }) => id);
    const signers = new Map(places.map(({ id }) => [id, new BlockSigner()]));
    for (const { id, zone, role = 'tracker' } of places) {
      this.#members.set(id, { id, role, zone, incarnation: '1', key: signers.get(id)?.publicKey ?? '' });
    }
    for (const { id, options = {} } of places) {
      const [self, signer] = [this.#members.get(id), signers.get(id)];
      if (self !== undefined && signer !== undefined) {
        this.#gateways.set(id, new ZonedGateway(this, self, signer, options));
      }
    }
  }

  get all(): readonly ZonedGateway[] {
    return [...this.#gateways.values()];
  }

  in(zone: string): readonly ZonedGateway[] {
    return this.all.filter(({ self }) => self.zone === zone);
  }

  at(id: MemberId): ZonedGateway {
    const gateway = this.#gateways.get(id);
    if (gateway === undefined) throw new Error(`There is no ${id}.`);
    return gateway;
  }

  /** All have heard of each other. */
  about(id: MemberId): Member | undefined {
    return this.#members.get(id);
  }

  /** Pieces asked for of a gateway in another zone. */
  get crossings(): number {
    const zone = (id: MemberId) => this.about(id)?.zone;
    return this.mesh.calls.filter(({ from, to, call }) => call === 'piece' && zone(from) !== zone(to)).length;
  }

  async close(): Promise<void> {
    for (const { pieces } of this.all) await pieces.close();
  }
}
