// One gateway that reads: it asks the owners of what it wants where that is to be had, as the product's tracker client
// and directory do, gets it over the simulated wires, and tells the owners.
import type { Member, MemberId } from '../../src/mesh/member.ts';
import { OwnerCalls } from '../../src/mesh/owner-calls.ts';
import type { Complaint, Reported } from '../../src/mesh/tracker/tracker-calls.ts';
import type { SlabWire } from '../../src/mesh/tracker/tracker-wire.ts';
import { MeshError } from '../../src/mesh/transport.ts';
import { Claim } from './claim.ts';
import type { OpenCall } from './sim-tracker.ts';
import type { Level, World } from './world.ts';

const DOWN_MS = 2_000;
const PROGRESS_MS = 500;
const MAX_SOURCES = 8;
const TOLD_OWNERS = 2;

/** What one client of the gateway reads, in order. */
export interface Reading {
  readonly object: number;
  readonly beganMs: number;
  readonly left: Set<number>;
  next: number;
}

export class SimPeer {
  member: Member;
  readonly #world: World;
  readonly #calls: OwnerCalls;
  readonly #held = new Map<number, Set<number>>();
  readonly #readings: Reading[] = [];
  readonly #claims = new Map<string, Claim>();
  #reporting = false;
  #ticks = 0;
  alive = true;
  /** Neither hears nor says anything until then. */
  pausedUntilMs = 0;

  constructor(world: World, member: Member) {
    this.#world = world;
    this.member = member;
    this.#calls = new OwnerCalls({ now: () => world.queue.nowMs }, { downMs: DOWN_MS });
  }

  get id(): MemberId {
    return this.member.id;
  }

  get zone(): string | undefined {
    return this.member.zone;
  }

  get isDone(): boolean {
    return this.#readings.length === 0;
  }

  has(object: number, piece: number): boolean {
    return this.#held.get(object)?.has(piece) === true;
  }

  claimOf(object: number, piece: number): Claim | undefined {
    return this.#claims.get(`${object}/${piece}`);
  }

  read(object: number): void {
    const pieces = Array.from({ length: this.#world.settings.pieces }, (_, piece) => piece);
    const left = new Set(pieces.filter((piece) => !this.has(object, piece)));
    if (left.size === 0) {
      this.#world.stats.finished(0);
      return;
    }
    const reading = { object, beganMs: this.#world.queue.nowMs, left, next: 0 };
    this.#readings.push(reading);
    this.#goOn(reading);
  }

  stop(): void {
    this.alive = false;
    for (const claim of this.#claims.values()) claim.end();
    this.#claims.clear();
  }

  start(incarnation: string): void {
    this.alive = true;
    this.member = { ...this.member, incarnation };
    for (const reading of [...this.#readings]) {
      reading.next = 0;
      this.#goOn(reading);
    }
  }

  /** What it holds is told to those who have come to answer for it. */
  viewChanged(before: readonly MemberId[], ownersBefore: (object: number) => readonly MemberId[]): void {
    if (!this.alive || before.length === 0) return;
    let told = 0;
    for (const [object, pieces] of this.#held) {
      const had = ownersBefore(object).slice(0, TOLD_OWNERS);
      const owners = this.#world.ownersOf(this, object, 'mesh').slice(0, TOLD_OWNERS);
      told += pieces.size;
      const announced = [...pieces];
      if (owners.every((id) => had.includes(id))) continue;
      this.#world.queue.after(told / 2, () => this.#announce(object, announced));
    }
  }

  /** Begins pieces until the window is full. */
  #goOn(reading: Reading): void {
    if (!this.alive) return;
    const { pieces, window } = this.#world.settings;
    const wanted: Claim[] = [];
    let underWay = [...reading.left].filter((piece) => this.claimOf(reading.object, piece) !== undefined).length;
    for (; reading.next < pieces && underWay < window; reading.next += 1) {
      const piece = reading.next;
      if (!reading.left.has(piece) || this.claimOf(reading.object, piece) !== undefined) continue;
      const claim = new Claim(this.#world, this, reading.object, piece);
      this.#claims.set(claim.key, claim);
      wanted.push(claim);
      underWay += 1;
    }
    if (wanted.length > 0) this.acquire(wanted);
    this.#reportLater();
  }

  /** Asks for all of them in one call, of the first owner that answers. */
  acquire(claims: readonly Claim[]): void {
    for (const claim of claims) claim.source = undefined;
    const tired = claims.filter(({ avoid }) => avoid.size >= MAX_SOURCES);
    for (const claim of tired) claim.readOrigin();
    const [first] = claims.filter((claim) => !tired.includes(claim));
    if (first === undefined) return;
    const owners = this.#calls.inOrder(this.#world.ownersOf(this, first.object, first.level));
    this.#askFirst(owners, new Map(claims.filter((claim) => !tired.includes(claim)).map((one) => [one.piece, one])));
  }

  #askFirst(owners: readonly MemberId[], open: Map<number, Claim>): void {
    for (const [piece, claim] of [...open]) if (claim.ended) open.delete(piece);
    const [claim] = open.values();
    if (claim === undefined || !this.alive) return;
    const [owner, ...next] = owners;
    if (owner === undefined) {
      for (const each of open.values()) each.decided({ kind: 'leased', piece: each.piece });
      return;
    }
    const there = this.#world.place(owner);
    const failed = () => {
      this.#calls.note(owner, new MeshError('Unreachable', 'Simulated.'));
      this.#askFirst(next, open);
    };
    this.#world.network.send(this, there, () => this.#askAt(owner, claim, open, failed), failed);
  }

  #askAt(owner: MemberId, first: Claim, open: Map<number, Claim>, failed: () => void): void {
    const { network, queue } = this.#world;
    const tracker = this.#world.trackerAt(owner);
    const backMs = network.oneWayMs(this.#world.place(owner), this);
    if (tracker === undefined) {
      queue.after(backMs, failed);
      return;
    }
    const call: OpenCall = { by: this, broken: () => queue.after(this.#world.settings.breakMs, failed) };
    const leave = tracker.acquire(
      this.#world.slab(this, first.object, first.level),
      [...open.keys()],
      [...first.avoid],
      this.member,
      call,
      (decided) => {
        const claim = open.get(decided.piece);
        open.delete(decided.piece);
        queue.after(backMs, () => {
          this.#calls.answered(owner);
          claim?.decided(decided);
        });
      },
    );
    for (const claim of open.values()) claim.leave = leave;
  }

  /** A piece has come whole. */
  arrived(claim: Claim): void {
    this.#claims.delete(claim.key);
    const held = this.#held.get(claim.object) ?? new Set();
    this.#held.set(claim.object, held.add(claim.piece));
    this.#announce(claim.object, [claim.piece], claim.wentFar);
    for (const reading of [...this.#readings]) {
      if (reading.object !== claim.object || !reading.left.delete(claim.piece)) continue;
      if (reading.left.size === 0) {
        this.#readings.splice(this.#readings.indexOf(reading), 1);
        this.#world.stats.finished(this.#world.queue.nowMs - reading.beganMs);
      } else this.#goOn(reading);
    }
  }

  complain(claim: Claim, holder: MemberId, complaint: Complaint): void {
    const slab = this.#world.slab(this, claim.object, claim.level);
    this.#tell(claim.object, claim.level, (owner) =>
      this.#world.trackerAt(owner)?.complain(slab, this.member, holder, claim.piece, complaint),
    );
  }

  #announce(object: number, pieces: readonly number[], wentFar = true): void {
    for (const level of this.#world.levels) {
      if (level === 'mesh' && this.#world.levels.length > 1 && !wentFar) continue;
      const slab = this.#world.slab(this, object, level);
      const speak = (spoken: readonly number[]) => {
        const ofMesh = this.#world.slab(this, object, 'mesh');
        this.#tell(object, 'mesh', (owner) => this.#world.trackerAt(owner)?.announce(ofMesh, this.member, spoken));
      };
      this.#tell(object, level, (owner) => this.#world.trackerAt(owner)?.announce(slab, this.member, pieces, speak));
    }
  }

  #tell(object: number, level: Level, tell: (owner: MemberId) => void, told = TOLD_OWNERS): void {
    const owners = this.#calls.inOrder(this.#world.ownersOf(this, object, level)).slice(0, told);
    for (const owner of owners) {
      if (this.#calls.isDown(owner)) continue;
      const failed = () => this.#calls.note(owner, new MeshError('Unreachable', 'Simulated.'));
      this.#world.network.send(this, this.#world.place(owner), () => tell(owner), failed);
    }
  }

  #reportLater(): void {
    if (this.#reporting) return;
    this.#reporting = true;
    this.#world.queue.after(PROGRESS_MS, () => {
      this.#reporting = false;
      if (!this.alive || this.#claims.size === 0) return;
      this.#ticks += 1;
      // As a gateway does: the second owner need not know as soon.
      const told = this.#ticks % 2 === 0 ? TOLD_OWNERS : 1;
      if (this.pausedUntilMs <= this.#world.queue.nowMs) this.report(undefined, undefined, told);
      this.#reportLater();
    });
  }

  report(only?: Claim, levels: readonly Level[] = this.#world.levels, told = TOLD_OWNERS): void {
    for (const level of levels) {
      const byObject = new Map<number, Reported[]>();
      for (const claim of only === undefined ? this.#claims.values() : [only]) {
        const report = claim.report(level);
        if (report === undefined) continue;
        byObject.set(claim.object, [...(byObject.get(claim.object) ?? []), report]);
      }
      for (const [object, reports] of byObject) {
        const slab: SlabWire = this.#world.slab(this, object, level);
        const moved = (pieces: readonly number[]) => {
          for (const piece of pieces) this.claimOf(object, piece)?.move();
        };
        const progress = (owner: MemberId) => this.#world.trackerAt(owner)?.progress(slab, this.member, reports, moved);
        this.#tell(object, level, progress, told);
      }
    }
  }
}
