// One piece on its way to one gateway of the simulation.
import type { MemberId } from '../../src/mesh/member.ts';
import type { Proof } from '../../src/mesh/tracker/slab-state.ts';
import type { Reported } from '../../src/mesh/tracker/tracker-calls.ts';
import type { Decided } from '../../src/mesh/tracker/tracker-wire.ts';
import type { Carried } from './network.ts';
import type { SimPeer } from './sim-peer.ts';
import type { Level, World } from './world.ts';

export class Claim {
  readonly object: number;
  readonly piece: number;
  readonly avoid = new Set<MemberId>();
  readonly #world: World;
  readonly #peer: SimPeer;
  /** Who is asked now: with zones first the zone's owner, and whoever holds its lease then the mesh's. */
  level: Level;
  /** Its bytes come from another zone, or from the origin. */
  wentFar = false;
  source: MemberId | 'origin' | undefined;
  /** What its zone proves it by, once it comes in. */
  #proof: Proof | undefined;
  ended = false;
  leave: () => void = () => undefined;
  #carried: Carried | undefined;
  /** Told when this piece is here, or will not be. */
  readonly #dependents = new Set<() => void>();
  /** What was planned for an earlier source is not done any more. */
  #turn = 0;

  constructor(world: World, peer: SimPeer, object: number, piece: number) {
    this.#world = world;
    this.#peer = peer;
    this.object = object;
    this.piece = piece;
    this.level = world.levels[0] ?? 'mesh';
  }

  get key(): string {
    return `${this.object}/${this.piece}`;
  }

  decided(decided: Decided): void {
    if (this.ended || !this.#peer.alive) return;
    if (decided.kind === 'again') this.#peer.acquire([this]);
    else if (decided.kind === 'held') {
      this.#proof = decided.proof;
      this.#fetch(decided.from);
      if (this.wentFar) this.#peer.report(this, ['zone']);
    } else if (this.level === 'zone') {
      this.level = 'mesh';
      this.wentFar = true;
      this.#peer.acquire([this]);
    } else this.readOrigin();
  }

  readOrigin(): void {
    const { network, settings, stats, queue } = this.#world;
    stats.originRead(this.object, this.piece);
    this.source = 'origin';
    this.wentFar = true;
    this.#proof = { readerKeys: [this.#peer.member.key] };
    this.#peer.report(this);
    this.#carried = network.carryFromOrigin(this.#peer.id, settings.pieceBytes);
    const turn = this.#nextTurn();
    queue.at(this.#carried.endsMs, () => {
      if (turn === this.#turn) this.#arrive();
    });
  }

  /** The tracker knows a better source. */
  move(): void {
    if (this.source === undefined || this.source === 'origin') return;
    this.#nextTurn();
    this.#peer.acquire([this]);
  }

  end(): void {
    this.ended = true;
    this.#nextTurn();
    this.leave();
    this.#fail();
  }

  report(level: Level): Reported | undefined {
    if (this.level === 'mesh' && level === 'zone') {
      // For the zone it is the one that brings the piece in.
      return { piece: this.piece, source: 'origin', ...this.#progress(), proof: this.#proof };
    }
    if (this.source === undefined || level !== this.level) return undefined;
    return { piece: this.piece, source: this.source, ...this.#progress() };
  }

  #progress(): { bytes: number; waiting: boolean } {
    const carried = this.#carried;
    const nowMs = this.#world.queue.nowMs;
    if (carried === undefined || nowMs < carried.beginsMs || nowMs > carried.endsMs) return { bytes: 0, waiting: true };
    const part = (nowMs - carried.beginsMs) / Math.max(1e-9, carried.endsMs - carried.beginsMs);
    return { bytes: Math.floor(part * this.#world.settings.pieceBytes), waiting: false };
  }

  #fetch(from: MemberId): void {
    const { network, stats } = this.#world;
    this.source = from;
    this.#carried = undefined;
    const turn = this.#nextTurn();
    const there = this.#world.place(from);
    if (there.zone !== this.#peer.zone) stats.crossedZones += 1;
    network.send(
      this.#peer,
      there,
      () => {
        if (turn === this.#turn) this.#fetchFrom(this.#world.peer(from), turn);
      },
      () => {
        if (turn === this.#turn) this.#blame(from, 'unreachable');
      },
    );
  }

  #fetchFrom(holder: SimPeer, turn: number): void {
    const { network, queue, settings } = this.#world;
    const arriving = holder.claimOf(this.object, this.piece);
    if (!holder.has(this.object, this.piece) && arriving === undefined) {
      queue.after(network.oneWayMs(holder, this.#peer), () => {
        if (turn === this.#turn) this.#blame(holder.id, 'not-held');
      });
      return;
    }
    this.#carried = network.carry(holder.id, this.#peer.id, settings.pieceBytes);
    this.#world.uploads(holder.id).add(this);
    queue.at(this.#carried.endsMs, () => {
      if (turn === this.#turn) this.#whenHeldBy(holder, turn);
    });
  }

  /** The wires have carried it, as far as the holder had it. */
  #whenHeldBy(holder: SimPeer, turn: number): void {
    // Whoever was cut off by its death notices by itself.
    if (!holder.alive) return;
    const hopMs = this.#world.network.oneWayMs(holder, this.#peer) + this.#world.settings.blockMs;
    const isHere = () => {
      if (turn === this.#turn) this.#arrive();
    };
    const arriving = holder.claimOf(this.object, this.piece);
    if (holder.has(this.object, this.piece)) isHere();
    else if (arriving === undefined) this.#blame(holder.id, 'short');
    else {
      arriving.#dependents.add(() => {
        this.#world.queue.after(hopMs, () => {
          if (turn === this.#turn) this.#whenHeldBy(holder, turn);
        });
      });
    }
  }

  /** The holder has died: noticed at once, or when it has been silent for long enough. */
  lost(holder: MemberId, afterMs: number): void {
    const turn = this.#turn;
    this.#world.queue.after(afterMs, () => {
      if (turn === this.#turn && this.source === holder) this.#blame(holder, 'unreachable');
    });
  }

  #blame(holder: MemberId, complaint: 'unreachable' | 'not-held' | 'short'): void {
    if (this.ended || !this.#peer.alive) return;
    this.#nextTurn();
    this.avoid.add(holder);
    this.#peer.complain(this, holder, complaint);
    this.#peer.acquire([this]);
  }

  #arrive(): void {
    this.ended = true;
    this.#nextTurn();
    this.#peer.arrived(this);
    this.#fail();
  }

  /** Those who depend on it look again. */
  #fail(): void {
    for (const look of this.#dependents) look();
    this.#dependents.clear();
  }

  #nextTurn(): number {
    if (this.source !== undefined && this.source !== 'origin') this.#world.uploads(this.source).delete(this);
    this.#turn += 1;
    return this.#turn;
  }
}
