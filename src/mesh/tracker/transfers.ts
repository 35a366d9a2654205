// The pieces that are on their way, and what that says of those who give and receive them: how much each gives, who has
// fallen silent, who is slow.
import type { MemberId } from '../member.ts';
import { grown, lately, type MemberBook, noteSlow } from './member-book.ts';
import type { Receiver, SlabState, Source } from './slab-state.ts';
import { findStragglers, type Transfer } from './stragglers.ts';

/** A report may be on its way for so long while its sender is told something else. */
const OVERTAKEN_MS = 200;
const LOOK_FOR_STRAGGLERS_MS = 250;
/** So that looking takes a small part of the time, however many transfers there are to be looked at. */
const LOOK_MS_PER_TRANSFER = 0.02;
const LOOK_FOR_SILENT_MS_EACH = 0.005;
/** A lease may be silent for so many times as long as other transfers. */
const PATIENCE_WITH_LEASES = 3;

export class Transfers {
  readonly #members: MemberBook;
  readonly #busy: Set<SlabState>;
  readonly #silenceMs: number;

  /** `busy`: gets every slab of which a piece is on its way. */
  constructor(deps: { members: MemberBook; busy: Set<SlabState> }, options: { silenceMs: number }) {
    this.#members = deps.members;
    this.#busy = deps.busy;
    this.#silenceMs = options.silenceMs;
  }

  attach(slab: SlabState, piece: number, member: MemberId, source: Source, nowMs: number): Receiver {
    this.detach(slab, piece, member);
    this.#busy.add(slab);
    if (source !== 'origin') this.#members.get(source).uploads += 1;
    const receiver: Receiver = {
      member,
      source,
      sinceMs: nowMs,
      heardMs: nowMs,
      bytes: 0,
      waiting: false,
      activeMs: 0,
      shunned: false,
      via: undefined,
      ended: false,
    };
    slab.addReceiver(piece, receiver);
    return receiver;
  }

  /** Undefined: what it says was overtaken by what it has said since, or was told. */
  receiverAsTold(
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
    return this.attach(slab, piece, member, source, nowMs);
  }

  /** It receives the piece no more, for whatever reason. Undefined: it did not. */
  detach(slab: SlabState, piece: number, member: MemberId): Receiver | undefined {
    const receiver = slab.removeReceiver(piece, member);
    if (receiver !== undefined && receiver.source !== 'origin') this.#members.get(receiver.source).uploads -= 1;
    return receiver;
  }

  /** `bytes` of the piece have come in all. */
  noteReceived(receiver: Receiver, bytes: number, nowMs: number): void {
    const more = Math.max(0, bytes - receiver.bytes);
    const member = this.#members.get(receiver.member);
    member.got = grown(member.got, more, nowMs);
    const source = receiver.source === 'origin' ? undefined : this.#members.get(receiver.source);
    if (source !== undefined) source.gave = grown(source.gave, more, nowMs);
    receiver.bytes = bytes;
  }

  /** What it says of itself, now and then. */
  noteReport(receiver: Receiver, { bytes, waiting }: { bytes: number; waiting: boolean }, nowMs: number): void {
    this.noteReceived(receiver, bytes, nowMs);
    if (!waiting && !receiver.waiting) receiver.activeMs += nowMs - receiver.heardMs;
    receiver.waiting = waiting;
    receiver.heardMs = nowMs;
  }

  /**
   * Whoever has said nothing for long receives no more; who reads the origin, not before it had time to be asked whether
   * it is still there, for a lease that is given twice reads the origin twice. Answers whom to ask. `sinceMs`: nobody
   * could be heard before.
   */
  endSilent(slab: SlabState, nowMs: number, sinceMs: number): Set<MemberId> {
    const toAsk = new Set<MemberId>();
    if (nowMs < slab.lookForSilentMs) return toAsk;
    const silent: (readonly [number, Receiver])[] = [];
    let seen = 0;
    for (const [piece, receiver] of slab.allReceivers()) {
      seen += 1;
      const quietMs = nowMs - Math.max(receiver.heardMs, sinceMs);
      if (quietMs <= this.#silenceMs) continue;
      const { member, source } = receiver;
      if (source !== 'origin' || quietMs > this.#silenceMs * PATIENCE_WITH_LEASES) silent.push([piece, receiver]);
      else if (nowMs - this.#members.get(member).answeredMs > this.#silenceMs) toAsk.add(member);
    }
    slab.lookForSilentMs = nowMs + seen * LOOK_FOR_SILENT_MS_EACH;
    for (const [piece, { member }] of silent) this.detach(slab, piece, member);
    return toAsk;
  }

  /** True: somebody is found slow, and others need not wait for what he was to bring. */
  lookForStragglers(slab: SlabState, nowMs: number): boolean {
    if (nowMs < slab.lookForStragglersMs) return false;
    const all = [...slab.allReceivers()];
    slab.lookForStragglersMs = nowMs + Math.max(LOOK_FOR_STRAGGLERS_MS, all.length * LOOK_MS_PER_TRANSFER);
    const transfers = all.map(
      ([, { member, source, bytes, activeMs, waiting }]): Transfer => ({
        to: member,
        from: source,
        bytes,
        activeMs,
        waiting,
      }),
    );
    const { receivers, givers } = findStragglers(transfers, {
      got: (id) => lately(this.#members.get(id).got, nowMs),
      gave: (id) => lately(this.#members.get(id).gave, nowMs),
    });
    for (const id of [...receivers, ...givers]) noteSlow(this.#members.get(id), nowMs);
    for (const [, receiver] of all) receiver.shunned = receivers.has(receiver.member);
    return receivers.size > 0;
  }
}
