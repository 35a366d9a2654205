// A simulated mesh: its members, its wires, its clock, and what befalls it.
import type { Member, MemberId } from '../../src/mesh/member.ts';
import { slabOf, zoneKey, zoneSlab } from '../../src/mesh/slab.ts';
import type { TrackerView } from '../../src/mesh/slab-owners.ts';
import type { SlabWire } from '../../src/mesh/tracker/tracker-wire.ts';
import { objectVersion } from '../../src/pieces/piece.ts';
import { seeded } from '../../test/support/seeded.ts';
import type { Claim } from './claim.ts';
import { EventQueue } from './event-queue.ts';
import { Membership } from './membership.ts';
import { Network, type NetworkOptions, type Reach } from './network.ts';
import { SimPeer } from './sim-peer.ts';
import { SimTracker } from './sim-tracker.ts';
import { Stats } from './stats.ts';

export interface SimSettings {
  readonly seed: number;
  readonly peers: number;
  /** The first so many of the peers keep track for all. */
  readonly trackers: number;
  readonly zones: number;
  /** 2: a zone's own trackers are asked first, and only who holds the zone's lease asks those of the mesh. */
  readonly levels: 1 | 2;
  readonly objects: number;
  /** Of each object; one slab at most. */
  readonly pieces: number;
  readonly pieceBytes: number;
  /** Pieces that one reader has under way. */
  readonly window: number;
  readonly network: NetworkOptions;
  /** After so long everybody has a change of the list of trackers. */
  readonly staleMs: number;
  /** Members tell new owners what they hold. Where they have not come to it yet, owners have only each other to ask. */
  readonly reannounces: boolean;
  /** A block's time on a wire: what each hop of a piece that is passed on while it arrives adds. */
  readonly blockMs: number;
  /** After so long a broken connection is noticed. */
  readonly breakMs: number;
}

export type Level = 'zone' | 'mesh';

const BLOCK_SIZE = 256 * 1024;
/** Of a member of whom no more is heard: what the receiver's silence limit is. */
const SILENCE_MS = 1_500;

export class World {
  readonly settings: SimSettings;
  readonly queue = new EventQueue();
  readonly stats = new Stats();
  readonly random: () => number;
  readonly network: Network;
  readonly membership: Membership;
  readonly levels: readonly Level[];
  readonly #peers = new Map<MemberId, SimPeer>();
  readonly #trackers = new Map<MemberId, SimTracker>();
  readonly #uploads = new Map<MemberId, Set<Claim>>();
  readonly #slabs = new Map<string, SlabWire>();
  readonly #places = new Map<MemberId, number>();
  readonly #dead = new Map<MemberId, Reach>();
  #runs = 0;
  /** A call from one to the other comes through, both being there. */
  isConnected: (from: MemberId, to: MemberId) => boolean = () => true;

  constructor(settings: SimSettings) {
    this.settings = settings;
    this.random = seeded(settings.seed);
    this.network = new Network(this.queue, settings.network);
    this.membership = new Membership(this.queue, {
      staleMs: settings.staleMs,
      random: this.random,
      zoneOf: (id) => this.peer(id).zone,
    });
    this.levels = settings.levels === 2 ? ['zone', 'mesh'] : ['mesh'];
    this.network.reach = (from, to) => {
      if (!this.isConnected(from.id, to.id)) return 'silent';
      return this.#dead.get(to.id) ?? 'there';
    };
    for (let index = 0; index < settings.peers; index += 1) this.#add(index);
    this.membership.set(this.ids.slice(0, settings.trackers));
  }

  get ids(): readonly MemberId[] {
    return [...this.#peers.keys()];
  }

  get peers(): Iterable<SimPeer> {
    return this.#peers.values();
  }

  peer(id: MemberId): SimPeer {
    const peer = this.#peers.get(id);
    if (peer === undefined) throw new Error(`There is no ${id}.`);
    return peer;
  }

  place(id: MemberId): SimPeer {
    return this.peer(id);
  }

  /** Undefined: its process is not there. */
  trackerAt(id: MemberId): SimTracker | undefined {
    const tracker = this.#trackers.get(id);
    return tracker?.stopped === false ? tracker : undefined;
  }

  viewOf(id: MemberId): TrackerView {
    return this.membership.at(this.#places.get(id) ?? 0);
  }

  /** In order of their rank. */
  ownersOf(peer: SimPeer, object: number, level: Level, view = this.viewOf(peer.id)): readonly MemberId[] {
    return this.membership.ranked(view, this.slab(peer, object, level));
  }

  slab(peer: { readonly zone: string | undefined }, object: number, level: Level): SlabWire {
    const name = level === 'mesh' ? `${object}` : `${peer.zone}/${object}`;
    const known = this.#slabs.get(name);
    if (known !== undefined) return known;
    const { pieces, pieceBytes } = this.settings;
    const fields = { origin: 'o', bucket: 'b', key: `${object}`, etag: 'e', size: pieces * pieceBytes };
    const { key, ownerKey } = slabOf(
      { version: objectVersion({ ...fields, pieceSize: pieceBytes }), index: 0 },
      BLOCK_SIZE,
    );
    const ofMesh = { key, ownerKey, pieces };
    const slab = level === 'mesh' ? ofMesh : zoneSlab(ofMesh, zoneKey(peer.zone ?? ''));
    this.#slabs.set(name, slab);
    return slab;
  }

  /** Transfers from this member. */
  uploads(id: MemberId): Set<Claim> {
    const known = this.#uploads.get(id) ?? new Set();
    this.#uploads.set(id, known);
    return known;
  }

  /** Its process ends. 'silent': its machine does, and nobody is told by a closed connection. */
  stop(id: MemberId, how: Reach = 'refused'): void {
    this.#dead.set(id, how);
    this.peer(id).stop();
    this.#trackers.get(id)?.stop();
    const noticedMs = how === 'refused' ? this.settings.breakMs : SILENCE_MS;
    for (const claim of [...this.uploads(id)]) claim.lost(id, noticedMs);
  }

  /** It tells the trackers before it ends, as on SIGTERM. */
  leave(id: MemberId): void {
    for (const other of this.viewOf(id).trackers) {
      if (other === id) continue;
      this.network.send(
        this.peer(id),
        this.place(other),
        () => this.trackerAt(other)?.gone(id),
        () => undefined,
      );
    }
    this.queue.after(2 * this.settings.network.farMs, () => this.stop(id));
  }

  /** `finding`: what an earlier run wrote down is found again. */
  start(id: MemberId, finding: boolean): void {
    this.#dead.delete(id);
    this.#runs += 1;
    const peer = this.peer(id);
    const before = this.#trackers.get(id);
    peer.start(`run ${this.#runs}`);
    if (before !== undefined) {
      this.#trackers.set(id, new SimTracker(this, peer.member, finding ? before : undefined));
    }
  }

  /** Everybody comes to know of it in his own time, and tells new owners what he holds. */
  setTrackers(trackers: readonly MemberId[]): void {
    const before = this.membership.current;
    this.membership.set(trackers);
    if (!this.settings.reannounces) return;
    for (const peer of this.#peers.values()) {
      const place = this.#places.get(peer.id) ?? 0;
      this.queue.after(place * this.settings.staleMs + 1, () =>
        peer.viewChanged(before.trackers, (object) => this.ownersOf(peer, object, 'mesh', before)),
      );
    }
  }

  #add(index: number): void {
    const { zones, trackers } = this.settings;
    const id = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:9002`;
    const zone = zones > 1 ? `z${index % zones}` : undefined;
    const role = index < trackers ? 'tracker' : 'peer';
    const member: Member = { id, role, zone, incarnation: 'run 0', key: `key ${index}` };
    this.#peers.set(id, new SimPeer(this, member));
    this.#places.set(id, this.membership.place());
    if (role === 'tracker') this.#trackers.set(id, new SimTracker(this, member, undefined));
  }
}
