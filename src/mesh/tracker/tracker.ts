// The rules by which pieces spread: who reads one from its origin, and who gets it from whom. Pure: a clock is passed
// in, nothing is asked of anybody, and what it decides later is told by the callback of whoever waits. Soft state: a
// wrong lease costs one more origin read, never a wrong byte.
import { BitSet } from '../../pieces/bit-set.ts';
import type { Member, MemberId } from '../member.ts';
import type { SlabKey } from '../slab.ts';
import type { LeaseRules } from './lease-rules.ts';
import { MemberBook, type MemberBookOptions } from './member-book.ts';
import { type Decision, type Receiver, SlabState, type Waiter } from './slab-state.ts';
import { isHeldByOthers } from './spare-copies.ts';
import type { Announced, Asked, Complaint, Holdings, Reported, SlabRef } from './tracker-calls.ts';
import { Transfers } from './transfers.ts';
import { noteDoubt, noteLie } from './trust.ts';
import { Waiting } from './waiting.ts';

export interface TrackerOptions extends MemberBookOptions, LeaseRules {
  /** Pieces that one member gives at once. */
  readonly uploadSlots: number;
  /** A receiver that says nothing for so long receives no more. */
  readonly silenceMs: number;
  /** Slabs beyond this many: those that nobody asked about for longest, and of which nothing is under way, are forgotten. */
  readonly maxSlabs: number;
}

export interface TrackerDeps {
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** This gateway is the whole mesh: nobody else's reads are to be waited for. */
  readonly alone: () => boolean;
  /** Somebody says that this member does not answer, or broke off: ask it, and say cleared() or gone(). */
  readonly suspected: (member: MemberId) => void;
  /** What this member holds of the slab has changed. */
  readonly changed: (slab: SlabKey, member: MemberId) => void;
}

/** Who asked so lately is still at it. */
const ACTIVE_MS = 1_000;
const BUSY_MS = 200;
/** Ticks that are further apart say that this process was starved, or that nothing was under way. */
const LATE_TICK_MS = 500;

export class Tracker {
  readonly #deps: TrackerDeps;
  readonly #options: TrackerOptions;
  readonly #members: MemberBook;
  /** The one used last is last. */
  readonly #slabs = new Map<SlabKey, SlabState>();
  /** Where something is under way. */
  readonly #busy = new Set<SlabState>();
  readonly #transfers: Transfers;
  readonly #waiting: Waiting;
  #tickedMs = Number.NEGATIVE_INFINITY;
  /** What members said just before has perhaps not been read yet: this process did not run. */
  #hearsSinceMs = Number.NEGATIVE_INFINITY;

  constructor(deps: TrackerDeps, options: TrackerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#members = new MemberBook(options);
    const members = this.#members;
    this.#transfers = new Transfers({ members, busy: this.#busy }, options);
    this.#waiting = new Waiting({ ...deps, members, transfers: this.#transfers }, options);
  }

  knows(slab: SlabKey): boolean {
    return this.#slabs.has(slab);
  }

  find(slab: SlabKey): SlabState | undefined {
    return this.#slabs.get(slab);
  }

  /** Slabs of which a piece is on its way to somebody, or waited for. */
  get busySlabs(): number {
    return this.#busy.size;
  }

  /** Pieces that somebody is known to hold, or was. Looks at every slab. */
  get piecesKnown(): number {
    let pieces = 0;
    for (const { roots } of this.#slabs.values()) pieces += roots.size;
    return pieces;
  }

  /** Pieces that this member gives now, by this tracker's word. */
  uploadsOf(member: MemberId): number {
    return this.#members.get(member).uploads;
  }

  /**
   * `decide` is called once for each piece: at once, or when there is something to tell. The answer ends the waiting for
   * those that are left.
   */
  acquire(asked: Asked, about: Member, decide: (piece: number, decision: Decision) => void): () => void {
    const slab = this.#slab(asked.slab);
    const nowMs = this.#deps.now();
    this.#members.seen(about, nowMs);
    slab.askers.set(about.id, nowMs);
    const avoid = new Set(asked.avoid);
    const waiters: Waiter[] = [];
    for (const piece of asked.pieces) {
      this.#transfers.detach(slab, piece, about.id);
      // Whoever asks for a piece does not hold it, whatever it said before.
      if (slab.holds(about.id, piece)) this.withdraw(slab.key, about.id, [piece]);
      const waiter: Waiter = {
        piece,
        by: about.id,
        avoid,
        inPlaceOf: asked.inPlaceOf ?? [],
        sinceMs: nowMs,
        decide: (decision) => decide(piece, decision),
      };
      if (slab.waiting.has(piece) || this.#waiting.decide(slab, waiter, nowMs) !== 'told') {
        slab.addWaiter(waiter);
        this.#busy.add(slab);
        waiters.push(waiter);
        this.#waiting.pump(slab, piece, nowMs);
      }
    }
    return () => {
      for (const waiter of waiters) slab.removeWaiter(waiter);
    };
  }

  /** Held whole by this member. Answers those pieces of which another root is known: they are not believed. */
  announce(ref: SlabRef, about: Member, announced: readonly Announced[]): number[] {
    const slab = this.#slab(ref);
    const nowMs = this.#deps.now();
    const member = this.#members.seen(about, nowMs);
    const refused: number[] = [];
    const ended: Receiver[] = [];
    for (const { piece, root, bytes } of announced) {
      const receiver = this.#transfers.detach(slab, piece, about.id);
      if (receiver !== undefined) ended.push(receiver);
      if (receiver !== undefined && bytes !== undefined) this.#transfers.noteReceived(receiver, bytes, nowMs);
      const hadLease = receiver?.source === 'origin';
      if ((slab.roots.get(piece) ?? root) !== root) {
        // Who was sent to the origin is believed more than who came by himself.
        if (hadLease) slab.forgetPiece(piece);
        else {
          refused.push(piece);
          continue;
        }
      }
      if (hadLease) member.leasesDone += 1;
      slab.roots.set(piece, root);
      slab.setHeld(about.id, piece);
    }
    this.#deps.changed(ref.key, about.id);
    for (const { piece } of announced) this.#waiting.pump(slab, piece, nowMs);
    this.#waiting.pumpAfter(slab, ended, nowMs);
    return refused;
  }

  /** No longer held. */
  withdraw(key: SlabKey, member: MemberId, pieces: readonly number[]): void {
    const slab = this.#slabs.get(key);
    if (slab === undefined) return;
    for (const piece of pieces) slab.dropHeld(member, piece);
    this.#deps.changed(key, member);
  }

  /** It may drop those that others hold too, and counts as having dropped them. Answers which. */
  spare(key: SlabKey, about: Member, pieces: readonly number[]): number[] {
    const nowMs = this.#deps.now();
    const by = this.#members.seen(about, nowMs);
    const slab = this.#slabs.get(key);
    if (slab === undefined) return [];
    const spared = pieces.filter((piece) => isHeldByOthers(slab, piece, by, this.#members, nowMs));
    this.withdraw(key, about.id, spared);
    return spared;
  }

  /** No longer wanted, or failed. */
  release(key: SlabKey, member: MemberId, pieces: readonly number[]): void {
    const slab = this.#slabs.get(key);
    if (slab === undefined) return;
    const ended = pieces.flatMap((piece) => this.#transfers.detach(slab, piece, member) ?? []);
    const nowMs = this.#deps.now();
    for (const piece of pieces) this.#waiting.pump(slab, piece, nowMs);
    this.#waiting.pumpAfter(slab, ended, nowMs);
  }

  /** `by` did not get the piece from `holder`, or not all of it. */
  complain(key: SlabKey, by: Member, holder: MemberId, piece: number, complaint: Complaint): void {
    const slab = this.#slabs.get(key);
    const nowMs = this.#deps.now();
    this.#members.seen(by, nowMs);
    if (slab === undefined || holder === by.id) return;
    const isItsOwn = slab.receivers(piece)?.get(by.id)?.source === holder;
    const ended = isItsOwn ? this.#transfers.detach(slab, piece, by.id) : undefined;
    const member = this.#members.get(holder);
    // Only of whom it was sent to: nobody keeps others from a member by his word alone.
    if (complaint === 'busy' && isItsOwn) member.busyUntilMs = nowMs + BUSY_MS;
    if (complaint === 'not-held' || complaint === 'unproved') {
      slab.dropHeld(holder, piece);
      if (complaint === 'unproved') this.#transfers.detach(slab, piece, holder);
      this.#deps.changed(key, holder);
    }
    if (complaint === 'unproved') noteLie(member, by.id, nowMs);
    const isUnanswered = complaint === 'unreachable' || complaint === 'silent';
    const isNews = isUnanswered ? noteDoubt(member, by.id, nowMs) : complaint === 'short';
    if (isNews && !member.gone) this.#deps.suspected(holder);
    this.#waiting.pump(slab, piece, nowMs);
    this.#waiting.pumpAfter(slab, ended === undefined ? [] : [ended], nowMs);
  }

  /** They are still at it. Answers the pieces for which there is a better source: ask again. */
  progress(ref: SlabRef, about: Member, reported: readonly Reported[]): number[] {
    const slab = this.#slab(ref);
    const nowMs = this.#deps.now();
    this.#members.seen(about, nowMs);
    slab.askers.set(about.id, nowMs);
    for (const told of reported) {
      const receiver = this.#transfers.receiverAsTold(slab, about.id, told, nowMs);
      if (receiver !== undefined) this.#transfers.noteReport(receiver, told, nowMs);
      if (receiver !== undefined && slab.noteBrought(told)) this.#waiting.pump(slab, told.piece, nowMs);
    }
    if (this.#transfers.lookForStragglers(slab, nowMs)) this.#waiting.pumpAll(slab, nowMs);
    const moved = reported.filter(({ piece }) => this.#waiting.hasBetterSource(slab, piece, about.id, nowMs));
    return moved.map(({ piece }) => piece);
  }

  /** It does not answer, or has left: what it holds counts for nothing until it calls again. */
  gone(id: MemberId): void {
    this.#members.get(id).gone = true;
    const nowMs = this.#deps.now();
    for (const slab of this.#busy) {
      const pieces = [...slab.allReceivers()].filter(([, { member }]) => member === id).map(([piece]) => piece);
      for (const piece of pieces) this.#transfers.detach(slab, piece, id);
      this.#waiting.pumpAll(slab, nowMs);
    }
  }

  /** It answered after all. */
  cleared(id: MemberId): void {
    const member = this.#members.get(id);
    member.doubts = [];
    member.answeredMs = this.#deps.now();
  }

  /** Another tracker says that a piece is on its way to this member. */
  learn(ref: SlabRef, member: MemberId, reported: Reported): void {
    const slab = this.#slab(ref);
    if (reported.piece >= slab.pieces || slab.holds(member, reported.piece)) return;
    if (slab.receivers(reported.piece)?.get(member) !== undefined) return;
    this.#transfers.attach(slab, reported.piece, member, reported.source, this.#deps.now()).bytes = reported.bytes;
    slab.noteBrought(reported);
  }

  /** What another tracker, or an earlier run, knew of a slab. */
  absorb(ref: SlabRef, { roots, rows }: Holdings): SlabState {
    const slab = this.#slab(ref);
    for (const [piece, root] of roots) {
      if (piece < slab.pieces && !slab.roots.has(piece)) slab.roots.set(piece, root);
    }
    const agreed = BitSet.from(slab.pieces, (piece) => roots.has(piece) && slab.roots.get(piece) === roots.get(piece));
    for (const { member, held } of rows) {
      slab.addHeld(
        member,
        BitSet.from(slab.pieces, (piece) => agreed.has(piece) && held.has(piece)),
      );
    }
    return slab;
  }

  /** To be called every 30 ms or so while anything is under way. */
  tick(): void {
    const nowMs = this.#deps.now();
    if (nowMs - this.#tickedMs > LATE_TICK_MS) this.#hearsSinceMs = nowMs;
    this.#tickedMs = nowMs;
    for (const slab of this.#busy) {
      if (slab.isIdle) this.#busy.delete(slab);
      for (const id of this.#transfers.endSilent(slab, nowMs, this.#hearsSinceMs)) {
        // Its own silence is a voice against it, until it has answered.
        if (noteDoubt(this.#members.get(id), id, nowMs)) this.#deps.suspected(id);
      }
      for (const [id, askedMs] of slab.askers) if (nowMs - askedMs > ACTIVE_MS) slab.askers.delete(id);
      this.#waiting.pumpAll(slab, nowMs);
    }
  }

  #slab(ref: SlabRef): SlabState {
    const slab = this.#slabs.get(ref.key) ?? new SlabState(ref.key, ref.pieces);
    this.#slabs.delete(ref.key);
    this.#slabs.set(ref.key, slab);
    if (this.#slabs.size > this.#options.maxSlabs) this.#forgetIdle();
    return slab;
  }

  #forgetIdle(): void {
    for (const [key, slab] of this.#slabs) {
      if (this.#slabs.size <= this.#options.maxSlabs) return;
      if (slab.isIdle) this.#slabs.delete(key);
    }
  }
}
