// Those who wait to be told where a piece is to be had: who is told what, and when there is something to tell.
import type { MemberId } from '../member.ts';
import { chooseSource } from './choose-source.ts';
import { type LeaseRules, mayRead, PATIENCE_MS } from './lease-rules.ts';
import type { MemberBook } from './member-book.ts';
import type { Receiver, SlabState, Waiter } from './slab-state.ts';
import type { Transfers } from './transfers.ts';

interface WaitingDeps {
  readonly members: MemberBook;
  readonly transfers: Transfers;
  /** In [0, 1). */
  readonly random: () => number;
  /** This gateway is the whole mesh: nobody else's reads are to be waited for. */
  readonly alone: () => boolean;
}

interface WaitingOptions extends LeaseRules {
  /** Pieces that one member gives at once. */
  readonly uploadSlots: number;
}

/** Who waits so long for a source that itself is not known to get the piece waits in vain. */
const ADRIFT_MS = 2_000;
/** Of those who wait for one piece, tried before the rest is taken to wait in vain too. */
const TRIED = 8;
/** Who gives so many while another who could gives nothing gives too much: at an end, when most have all they can get. */
const CROWDED = 3;
const IDLE_ONLY = { uploadSlots: 1 };

/** Somebody reads it from the origin, and is not much slower than others. */
function isBeingRead(slab: SlabState, piece: number, members: MemberBook): boolean {
  const receivers = slab.receivers(piece);
  return slab.readers(piece).some((reader) => {
    const receiver = receivers?.get(reader);
    return receiver?.source === 'origin' && !receiver.shunned && !members.get(reader).gone;
  });
}

export class Waiting {
  readonly #deps: WaitingDeps;
  readonly #options: WaitingOptions;

  constructor(deps: WaitingDeps, options: WaitingOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** 'busy': those who have it give as much as they can. 'later': somebody else is to read it, or the same later. */
  decide(slab: SlabState, waiter: Waiter, nowMs: number): 'told' | 'busy' | 'later' {
    const { piece, avoid } = waiter;
    const by = this.#deps.members.get(waiter.by);
    const asking = { piece, by, avoid, nowMs, turn: this.#deps.random() };
    const choice = chooseSource(slab, this.#deps.members, asking, this.#options);
    if (typeof choice === 'object') {
      choice.source.given += 1;
      if (choice.decision.arriving) slab.herd.set(by.id, nowMs);
      const receiver = this.#deps.transfers.attach(slab, piece, by.id, choice.source.id, nowMs);
      receiver.waiting = choice.decision.arriving;
      waiter.decide(choice.decision);
      return 'told';
    }
    if (choice === 'busy') return 'busy';
    // Whom this one does not want or cannot reach brings it in for others, who pass it on.
    if (isBeingRead(slab, piece, this.#deps.members) && nowMs - waiter.sinceMs < PATIENCE_MS) return 'later';
    const now = { nowMs, alone: this.#deps.alone() };
    if (!mayRead(slab, this.#deps.members, waiter, now, this.#options)) return 'later';
    this.#deps.transfers.attach(slab, piece, by.id, 'origin', nowMs);
    slab.noteSent(by.id);
    slab.herd.set(by.id, nowMs);
    waiter.decide({ kind: 'leased' });
    return 'told';
  }

  pumpAll(slab: SlabState, nowMs: number): void {
    for (const piece of [...slab.waiting.keys()]) this.pump(slab, piece, nowMs);
  }

  /** Those who wait for the piece, while there is something to tell them: who reads least from the origin first. */
  pump(slab: SlabState, piece: number, nowMs: number): void {
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
      const came = this.decide(slab, waiter, nowMs);
      if (came === 'told') return waiter;
      // Whoever would take it from anybody waits in vain, and so do all others.
      if (came === 'busy' && waiter.avoid.size === 0) return undefined;
    }
    return undefined;
  }

  /** These receive no more: their sources have room for others, and who read the origin may read more of it. */
  pumpAfter(slab: SlabState, ended: readonly Receiver[], nowMs: number): void {
    if (ended.some(({ source }) => source === 'origin')) this.pumpAll(slab, nowMs);
    else for (const { source } of ended) this.#pumpFrom(slab, source, nowMs);
  }

  /** For what this member can give, while it can. */
  #pumpFrom(slab: SlabState, source: MemberId, nowMs: number): void {
    const held = slab.holders.get(source);
    const member = this.#deps.members.get(source);
    for (const piece of [...slab.waiting.keys()]) {
      if (member.uploads >= this.#options.uploadSlots) return;
      const canGive = held?.has(piece) === true || slab.receivers(piece)?.get(source) !== undefined;
      if (canGive) this.pump(slab, piece, nowMs);
    }
  }

  /** It gets the piece from somebody slow, or who gives to many while another is idle, or by way of somebody slow or of itself. */
  hasBetterSource(slab: SlabState, piece: number, member: MemberId, nowMs: number): boolean {
    const receiver = slab.receivers(piece)?.get(member);
    if (receiver === undefined || receiver.source === 'origin') return false;
    const chain = slab.chain(piece, receiver, member);
    if (slab.isLoop(piece, receiver) || chain?.reader?.shunned === true) return true;
    // Its source gets the piece from where this tracker does not see: from this very member, it may be, by their zone.
    if (chain === undefined && receiver.waiting && nowMs - receiver.sinceMs > ADRIFT_MS) return true;
    const source = this.#deps.members.get(receiver.source);
    const isSlow = source.slowUntilMs > nowMs;
    if (!isSlow && source.uploads < CROWDED) return false;
    const by = this.#deps.members.get(member);
    const asking = { piece, by, avoid: new Set([receiver.source]), nowMs, turn: this.#deps.random() };
    // Where it only gives to many, those who give something are not worth a look.
    const choice = chooseSource(slab, this.#deps.members, asking, isSlow ? this.#options : IDLE_ONLY);
    if (typeof choice !== 'object' || choice.source.slowUntilMs > nowMs) return false;
    return isSlow || choice.source.about?.zone === by.about?.zone;
  }
}
