// The rules by which pieces spread: who reads one from its origin, and who gets it from whom. Pure: a clock is passed
// in, nothing is asked of anybody, and what it decides later is told by the callback of whoever waits. Soft state: a
// wrong lease costs one more origin read, never a wrong byte.
import { BitSet } from '../../pieces/bit-set.ts';
import type { Member, MemberId } from '../member.ts';
import type { SlabKey } from '../slab.ts';
import { chooseSource } from './choose-source.ts';
import { MemberBook, type MemberState, noteGiven } from './member-book.ts';
import { type Decision, type Receiver, SlabState, type Source, type Waiter } from './slab-state.ts';
import { findStragglers, type Transfer } from './stragglers.ts';

export interface TrackerOptions {
  /** Pieces that one member gives at once. */
  readonly uploadSlots: number;
  /** Pieces of one slab that one member reads from the origin at once, while others want them too. */
  readonly leases: number;
  /** A receiver that says nothing for so long receives no more. */
  readonly silenceMs: number;
  /** Bytes of slabs that nobody asked about for a while are forgotten beyond this many. */
  readonly maxSlabs: number;
}

export interface TrackerDeps {
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** This gateway is the whole mesh: nobody else's reads are to be waited for. */
  readonly alone: () => boolean;
  /** Somebody says that this member does not answer: ask it, and say gone() when it does not. */
  readonly suspected: (member: MemberId) => void;
  /** What this member holds of the slab has changed. */
  readonly changed: (slab: SlabKey, member: MemberId) => void;
}

export interface SlabRef {
  readonly key: SlabKey;
  readonly pieces: number;
}

export interface Asked {
  readonly slab: SlabRef;
  /** Within the slab. */
  readonly pieces: readonly number[];
  /** Not from these. */
  readonly avoid: readonly MemberId[];
}

export interface Announced {
  readonly piece: number;
  /** proof.ts: rootOf. */
  readonly root: string;
  /** Of the piece, that came from where it was last sent for. */
  readonly bytes?: number | undefined;
}

/** Who holds which pieces of a slab. What has no root counts for nothing. */
export interface Holdings {
  /** By piece. */
  readonly roots: ReadonlyMap<number, string>;
  readonly rows: readonly { readonly member: MemberId; readonly held: BitSet }[];
}

export interface Reported {
  readonly piece: number;
  readonly source: Source;
  readonly bytes: number;
  readonly waiting: boolean;
}

export type Complaint = 'unreachable' | 'silent' | 'short' | 'not-held' | 'unproved' | 'busy';

/** How long a lone reader waits for others to take their share of the leases. */
const SPREAD_MS = 30;
/** Who asked so lately is still at it. */
const ACTIVE_MS = 1_000;
/** Who was sent for something that is being read so lately reads side by side with others. */
const HERD_MS = 2_000;
/** Nobody waits longer than this for a piece that nobody reads, whatever his share. */
const PATIENCE_MS = 1_000;
const SUSPECT_MS = 5_000;
const BUSY_MS = 200;
/** A report may be on its way for so long while its sender is told something else. */
const OVERTAKEN_MS = 200;
const SLOW_MS = 5_000;
const BANNED_MS = 60_000;
const STRIKES = 3;
const LOOK_FOR_STRAGGLERS_MS = 250;
/** Of those who ask at the moment, looked at to see who had less. */
const COMPARED = 32;
/** So that looking takes a small part of the time, however many transfers there are to be looked at. */
const LOOK_MS_PER_TRANSFER = 0.02;
const LOOK_FOR_SILENT_MS_EACH = 0.005;
/** Of those who wait for one piece, tried before the rest is taken to wait in vain too. */
const TRIED = 8;

export class Tracker {
  readonly #deps: TrackerDeps;
  readonly #options: TrackerOptions;
  readonly #members = new MemberBook();
  /** The one used last is last. */
  readonly #slabs = new Map<SlabKey, SlabState>();
  /** Where something is under way. */
  readonly #busy = new Set<SlabState>();

  constructor(deps: TrackerDeps, options: TrackerOptions) {
    this.#deps = deps;
    this.#options = options;
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
    this.#members.seen(about);
    slab.askers.set(about.id, nowMs);
    const avoid = new Set(asked.avoid);
    const waiters: Waiter[] = [];
    for (const piece of asked.pieces) {
      this.#detach(slab, piece, about.id);
      // Whoever asks for a piece does not hold it, whatever it said before.
      if (slab.holds(about.id, piece)) this.withdraw(slab.key, about.id, [piece]);
      const waiter: Waiter = {
        piece,
        by: about.id,
        avoid,
        sinceMs: nowMs,
        decide: (decision) => decide(piece, decision),
      };
      if (slab.waiting.has(piece) || this.#try(slab, waiter, nowMs) !== 'told') {
        slab.addWaiter(waiter);
        this.#busy.add(slab);
        waiters.push(waiter);
        this.#pump(slab, piece, nowMs);
      }
    }
    return () => {
      for (const waiter of waiters) slab.removeWaiter(waiter);
    };
  }

  /** Held whole by this member. Answers those pieces of which another root is known: they are not believed. */
  announce(ref: SlabRef, about: Member, announced: readonly Announced[]): number[] {
    const slab = this.#slab(ref);
    const member = this.#members.seen(about);
    const refused: number[] = [];
    const ended: Receiver[] = [];
    for (const { piece, root, bytes } of announced) {
      const receiver = this.#detach(slab, piece, about.id);
      if (receiver !== undefined) ended.push(receiver);
      if (receiver !== undefined && bytes !== undefined) this.#noteReceived(receiver, bytes, this.#deps.now());
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
    const nowMs = this.#deps.now();
    for (const { piece } of announced) this.#pump(slab, piece, nowMs);
    this.#pumpAfter(slab, ended, nowMs);
    return refused;
  }

  /** No longer held. */
  withdraw(key: SlabKey, member: MemberId, pieces: readonly number[]): void {
    const slab = this.#slabs.get(key);
    if (slab === undefined) return;
    for (const piece of pieces) slab.dropHeld(member, piece);
    this.#deps.changed(key, member);
  }

  /** No longer wanted, or failed. */
  release(key: SlabKey, member: MemberId, pieces: readonly number[]): void {
    const slab = this.#slabs.get(key);
    if (slab === undefined) return;
    const ended = pieces.flatMap((piece) => this.#detach(slab, piece, member) ?? []);
    const nowMs = this.#deps.now();
    for (const piece of pieces) this.#pump(slab, piece, nowMs);
    this.#pumpAfter(slab, ended, nowMs);
  }

  /** `by` did not get the piece from `holder`, or not all of it. */
  complain(key: SlabKey, by: Member, holder: MemberId, piece: number, complaint: Complaint): void {
    const slab = this.#slabs.get(key);
    this.#members.seen(by);
    if (slab === undefined || holder === by.id) return;
    const nowMs = this.#deps.now();
    const isItsOwn = slab.receivers(piece)?.get(by.id)?.source === holder;
    const ended = isItsOwn ? this.#detach(slab, piece, by.id) : undefined;
    const member = this.#members.get(holder);
    if (complaint === 'busy') member.busyUntilMs = nowMs + BUSY_MS;
    if (complaint === 'not-held' || complaint === 'unproved') {
      slab.dropHeld(holder, piece);
      if (complaint === 'unproved') this.#detach(slab, piece, holder);
      this.#deps.changed(key, holder);
    }
    if (complaint === 'unproved') this.#strike(member, nowMs);
    if (complaint === 'unreachable' || complaint === 'silent') this.#suspect(member, nowMs);
    this.#pump(slab, piece, nowMs);
    this.#pumpAfter(slab, ended === undefined ? [] : [ended], nowMs);
  }

  /** They are still at it. Answers the pieces for which there is a better source: ask again. */
  progress(ref: SlabRef, about: Member, reported: readonly Reported[]): number[] {
    const slab = this.#slab(ref);
    const nowMs = this.#deps.now();
    this.#members.seen(about);
    slab.askers.set(about.id, nowMs);
    for (const { piece, source, bytes, waiting } of reported) {
      const receiver = this.#receiverAsTold(slab, about.id, { piece, source }, nowMs);
      if (receiver === undefined) continue;
      this.#noteReceived(receiver, bytes, nowMs);
      receiver.waiting = waiting;
      receiver.heardMs = nowMs;
    }
    this.#lookForStragglers(slab, nowMs);
    const moved = reported.filter(({ piece }) => this.#hasBetterSource(slab, piece, about.id, nowMs));
    return moved.map(({ piece }) => piece);
  }

  /** It does not answer, or has left: what it holds counts for nothing until it calls again. */
  gone(id: MemberId): void {
    this.#members.get(id).gone = true;
    const nowMs = this.#deps.now();
    for (const slab of this.#busy) {
      const pieces = [...slab.allReceivers()].filter(([, { member }]) => member === id).map(([piece]) => piece);
      for (const piece of pieces) this.#detach(slab, piece, id);
      this.#pumpAll(slab, nowMs);
    }
  }

  /** It answered after all. */
  cleared(id: MemberId): void {
    this.#members.get(id).suspectUntilMs = 0;
  }

  /** Another tracker says that a piece is on its way to this member. */
  learn(ref: SlabRef, member: MemberId, reported: Reported): void {
    const slab = this.#slab(ref);
    if (reported.piece >= slab.pieces || slab.holds(member, reported.piece)) return;
    if (slab.receivers(reported.piece)?.get(member) !== undefined) return;
    this.#attach(slab, reported.piece, member, reported.source, this.#deps.now()).bytes = reported.bytes;
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
    for (const slab of this.#busy) {
      if (slab.isIdle) this.#busy.delete(slab);
      this.#endSilent(slab, nowMs);
      for (const [id, askedMs] of slab.askers) if (nowMs - askedMs > ACTIVE_MS) slab.askers.delete(id);
      this.#pumpAll(slab, nowMs);
    }
  }

  #endSilent(slab: SlabState, nowMs: number): void {
    if (nowMs < slab.lookForSilentMs) return;
    const silent: (readonly [number, Receiver])[] = [];
    let seen = 0;
    for (const entry of slab.allReceivers()) {
      seen += 1;
      if (nowMs - entry[1].heardMs > this.#options.silenceMs) silent.push(entry);
    }
    slab.lookForSilentMs = nowMs + seen * LOOK_FOR_SILENT_MS_EACH;
    for (const [piece, { member }] of silent) this.#detach(slab, piece, member);
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

  /** 'busy': those who have it give as much as they can. 'later': somebody else is to read it, or the same later. */
  #try(slab: SlabState, waiter: Waiter, nowMs: number): 'told' | 'busy' | 'later' {
    const { piece, avoid } = waiter;
    const by = this.#members.get(waiter.by);
    const asking = { piece, by, avoid, nowMs, turn: this.#deps.random() };
    const choice = chooseSource(slab, this.#members, asking, this.#options);
    if (typeof choice === 'object') {
      choice.source.given += 1;
      if (choice.decision.arriving) slab.herd.set(by.id, nowMs);
      this.#attach(slab, piece, by.id, choice.source.id, nowMs);
      waiter.decide(choice.decision);
      return 'told';
    }
    if (choice === 'busy') return 'busy';
    if (!this.#mayRead(slab, by, waiter, nowMs)) return 'later';
    this.#attach(slab, piece, by.id, 'origin', nowMs);
    slab.noteSent(by.id);
    slab.herd.set(by.id, nowMs);
    waiter.decide({ kind: 'leased' });
    return 'told';
  }

  /** Nobody has the piece: whether this member is the one to read it. */
  #mayRead(slab: SlabState, by: MemberState, waiter: Waiter, nowMs: number): boolean {
    const waitedMs = nowMs - waiter.sinceMs;
    const othersAsk = slab.askers.size > 1 || !slab.askers.has(by.id);
    if (this.#deps.alone() || (!othersAsk && waitedMs >= SPREAD_MS)) return true;
    const leases = slab.leases(by.id);
    const isPatient = waitedMs >= PATIENCE_MS;
    if (by.slowUntilMs > nowMs) return isPatient && leases === 0;
    // Who reads the origin gets ahead of those that wait for him, until he alone reads it and all of them wait for what
    // he can give. So they stay side by side: whoever had more than his share lets the others come up.
    if (this.#hasMoreThanHerd(slab, by.id, nowMs)) return isPatient && leases === 0;
    // Who has not brought one home yet may be slow: he gets one to begin with.
    return leases < (isPatient ? this.#options.leases : Math.min(this.#options.leases, 1 + by.leasesDone));
  }

  /** `bytes` of the piece have come in all. */
  #noteReceived(receiver: Receiver, bytes: number, nowMs: number): void {
    const { source } = receiver;
    if (source !== 'origin') noteGiven(this.#members.get(source), Math.max(0, bytes - receiver.bytes), nowMs);
    receiver.bytes = bytes;
  }

  #hasMoreThanHerd(slab: SlabState, member: MemberId, nowMs: number): boolean {
    let least = Number.POSITIVE_INFINITY;
    let compared = 0;
    for (const [id, sentMs] of slab.herd) {
      if (nowMs - sentMs > HERD_MS) slab.herd.delete(id);
      else if (this.#members.get(id).slowUntilMs <= nowMs) least = Math.min(least, slab.share(id));
      compared += 1;
      if (compared >= COMPARED) break;
    }
    return slab.share(member) > least + 1;
  }

  #attach(slab: SlabState, piece: number, member: MemberId, source: Source, nowMs: number): Receiver {
    this.#detach(slab, piece, member);
    this.#busy.add(slab);
    if (source !== 'origin') this.#members.get(source).uploads += 1;
    const receiver: Receiver = {
      member,
      source,
      sinceMs: nowMs,
      heardMs: nowMs,
      bytes: 0,
      waiting: false,
      shunned: false,
      via: undefined,
      ended: false,
    };
    slab.addReceiver(piece, receiver);
    return receiver;
  }

  /** Undefined: what it says was overtaken by what it has said since, or was told. */
  #receiverAsTold(
    slab: SlabState,
    member: MemberId,
    { piece, source }: { piece: number; source: Source },
    nowMs: number,
  ): Receiver | undefined {
    if (slab.holds(member, piece)) return undefined;
    const known = slab.receivers(piece)?.get(member);
    if (known?.source === source) return known;
    if (known !== undefined && nowMs - known.sinceMs < OVERTAKEN_MS) return undefined;
    // A tracker that has only just become one, is not the first, or lost what it knew, learns it again.
    return this.#attach(slab, piece, member, source, nowMs);
  }

  #detach(slab: SlabState, piece: number, member: MemberId): Receiver | undefined {
    const receiver = slab.removeReceiver(piece, member);
    if (receiver !== undefined && receiver.source !== 'origin') this.#members.get(receiver.source).uploads -= 1;
    return receiver;
  }

  #pumpAll(slab: SlabState, nowMs: number): void {
    for (const piece of [...slab.waiting.keys()]) this.#pump(slab, piece, nowMs);
  }

  /** Those who wait for the piece, while there is something to tell them: who reads least from the origin first. */
  #pump(slab: SlabState, piece: number, nowMs: number): void {
    for (;;) {
      const first = slab.waiting.get(piece)?.slice(0, TRIED);
      if (first === undefined) return;
      first.sort((left, right) => slab.share(left.by) - slab.share(right.by));
      const decided = this.#tryFirst(slab, first, nowMs);
      if (decided === undefined) return;
      slab.removeWaiter(decided);
    }
  }

  #tryFirst(slab: SlabState, waiters: readonly Waiter[], nowMs: number): Waiter | undefined {
    for (const waiter of waiters) {
      const came = this.#try(slab, waiter, nowMs);
      if (came === 'told') return waiter;
      // Whoever would take it from anybody waits in vain, and so do all others.
      if (came === 'busy' && waiter.avoid.size === 0) return undefined;
    }
    return undefined;
  }

  /** These receive no more: their sources have room for others, and who read the origin may read more of it. */
  #pumpAfter(slab: SlabState, ended: readonly Receiver[], nowMs: number): void {
    if (ended.some(({ source }) => source === 'origin')) this.#pumpAll(slab, nowMs);
    else for (const { source } of ended) this.#pumpFrom(slab, source, nowMs);
  }

  /** For what this member can give, while it can. */
  #pumpFrom(slab: SlabState, source: MemberId, nowMs: number): void {
    const held = slab.holders.get(source);
    const member = this.#members.get(source);
    for (const piece of [...slab.waiting.keys()]) {
      if (member.uploads >= this.#options.uploadSlots) return;
      const canGive = held?.has(piece) === true || slab.receivers(piece)?.get(source) !== undefined;
      if (canGive) this.#pump(slab, piece, nowMs);
    }
  }

  #suspect(member: MemberState, nowMs: number): void {
    if (member.gone || member.suspectUntilMs > nowMs) return;
    member.suspectUntilMs = nowMs + SUSPECT_MS;
    this.#deps.suspected(member.id);
  }

  #strike(member: MemberState, nowMs: number): void {
    member.strikes += 1;
    if (member.strikes >= STRIKES) member.suspectUntilMs = nowMs + BANNED_MS;
  }

  #lookForStragglers(slab: SlabState, nowMs: number): void {
    if (nowMs < slab.lookForStragglersMs) return;
    const all = [...slab.allReceivers()];
    slab.lookForStragglersMs = nowMs + Math.max(LOOK_FOR_STRAGGLERS_MS, all.length * LOOK_MS_PER_TRANSFER);
    const transfers = all.map(
      ([, { member, source, bytes, sinceMs, waiting }]): Transfer => ({
        to: member,
        from: source,
        bytes,
        elapsedMs: nowMs - sinceMs,
        waiting,
      }),
    );
    const { receivers, givers } = findStragglers(transfers);
    for (const id of [...receivers, ...givers]) this.#members.get(id).slowUntilMs = nowMs + SLOW_MS;
    for (const [, receiver] of all) receiver.shunned = receivers.has(receiver.member);
    if (receivers.size > 0) this.#pumpAll(slab, nowMs);
  }

  /** It gets the piece from somebody slow, or by way of somebody slow or of itself, and need not. */
  #hasBetterSource(slab: SlabState, piece: number, member: MemberId, nowMs: number): boolean {
    const receiver = slab.receivers(piece)?.get(member);
    if (receiver === undefined || receiver.source === 'origin') return false;
    if (slab.isLoop(piece, receiver) || slab.chain(piece, receiver, member)?.reader?.shunned === true) return true;
    if (this.#members.get(receiver.source).slowUntilMs <= nowMs) return false;
    const by = this.#members.get(member);
    const asking = { piece, by, avoid: new Set([receiver.source]), nowMs, turn: this.#deps.random() };
    const choice = chooseSource(slab, this.#members, asking, this.#options);
    return typeof choice === 'object' && choice.source.slowUntilMs <= nowMs;
  }
}
