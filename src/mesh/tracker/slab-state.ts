// What a tracker knows of one slab: who holds which of its pieces whole, who receives one right now and from whom, and
// who waits to be told. Bookkeeping only; the rules are in tracker.ts.
import { BitSet } from '../../pieces/bit-set.ts';
import type { MemberId } from '../member.ts';
import { type SlabKey, zoneOfSlab } from '../slab.ts';
import { HolderSample } from './holder-sample.ts';
import { Roster } from './roster.ts';

/** Where a receiver's bytes come from; 'origin': it holds a lease. In a zone, who holds one brings the piece into it. */
export type Source = MemberId | 'origin';

/** A member to whom a piece is on its way. */
export interface Receiver {
  readonly member: MemberId;
  readonly source: Source;
  readonly sinceMs: number;
  /** When it last said that it is still at it. */
  heardMs: number;
  /** Of the piece, received so far. */
  bytes: number;
  /** It has nothing to receive because its source waits, for whatever reason. */
  waiting: boolean;
  /** For how long it had something to receive, by its reports. */
  activeMs: number;
  /** It is much slower than others: nobody new is sent to it, and a second one may read the origin. */
  shunned: boolean;
  /** What its source receives, as long as that has not ended. */
  via: Receiver | undefined;
  /** It receives no more: it has all of it, or gets it from elsewhere. */
  ended: boolean;
}

export interface Waiter {
  readonly piece: number;
  readonly by: MemberId;
  readonly avoid: ReadonlySet<MemberId>;
  /** Trackers that should have been asked first, and did not answer. */
  readonly inPlaceOf: readonly MemberId[];
  readonly sinceMs: number;
  readonly decide: (decision: Decision) => void;
}

/**
 * How whoever fetches can tell that the bytes are right (proof.ts): the piece's root, or who has been reading its origin
 * since it is on its way. There may have been several, of each of whom some blocks are.
 */
export interface Proof {
  readonly root?: string | undefined;
  readonly readerKeys: readonly string[];
}

export type Decision =
  | { readonly kind: 'held'; readonly from: MemberId; readonly arriving: boolean; readonly proof: Proof }
  | { readonly kind: 'leased' };

/** How the bytes reach a receiver, from where they start. */
export interface Chain {
  /** Members between it and the start. */
  readonly depth: number;
  /** Reads the origin for it; undefined: the chain starts at a member that holds the piece. */
  readonly reader: Receiver | undefined;
}

/** Of one piece at once; blocks of more are fetched anew. */
const MAX_READERS = 8;
/** Of those who hold a piece in a zone: so many tell the mesh's trackers of it, too. */
const SPEAKERS = 3;
/** Leases that count for what is somebody's share. */
const REMEMBERED = 64;
/** Longer chains are taken for loops. */
const LONGEST_CHAIN = 64;

export class SlabState {
  readonly key: SlabKey;
  /** How many pieces it has. Indices are within the slab. */
  readonly pieces: number;
  /** It is a zone's: who brings a piece into it says what its blocks are proved by. */
  readonly isOfZone: boolean;
  readonly holders = new Roster<BitSet>();
  /** By piece. */
  readonly roots = new Map<number, string>();
  readonly waiting = new Map<number, Waiter[]>();
  /** When each member last asked for pieces. */
  readonly askers = new Map<MemberId, number>();
  readonly #holding = new Map<number, HolderSample>();
  readonly #receivers = new Map<number, Roster<Receiver>>();
  readonly #leases = new Map<MemberId, number>();
  readonly #readers = new Map<number, MemberId[]>();
  readonly #brought = new Map<number, Proof>();
  /** Not before then again. */
  lookForStragglersMs = 0;
  lookForSilentMs = 0;
  /** When each member was last sent for a piece that is read from the origin at the time: those that read side by side. */
  readonly herd = new Map<MemberId, number>();
  /** Who was sent to the origin lately, the last one last. */
  readonly #sent: MemberId[] = [];

  constructor(key: SlabKey, pieces: number) {
    this.key = key;
    this.pieces = pieces;
    this.isOfZone = zoneOfSlab(key) !== undefined;
  }

  get isIdle(): boolean {
    return this.#receivers.size === 0 && this.waiting.size === 0;
  }

  receivers(piece: number): Roster<Receiver> | undefined {
    return this.#receivers.get(piece);
  }

  *allReceivers(): Generator<readonly [piece: number, receiver: Receiver], void, undefined> {
    for (const [piece, receivers] of this.#receivers) for (const [, receiver] of receivers) yield [piece, receiver];
  }

  addReceiver(piece: number, receiver: Receiver): void {
    const receivers = this.#receivers.get(piece) ?? new Roster<Receiver>();
    this.#receivers.set(piece, receivers);
    receivers.set(receiver.member, receiver);
    receiver.via = receivers.get(receiver.source);
    if (receiver.source !== 'origin') return;
    this.#leases.set(receiver.member, this.leases(receiver.member) + 1);
    const readers = this.readers(piece).filter((reader) => reader !== receiver.member);
    this.#readers.set(piece, [receiver.member, ...readers].slice(0, MAX_READERS));
  }

  removeReceiver(piece: number, member: MemberId): Receiver | undefined {
    const receivers = this.#receivers.get(piece);
    const receiver = receivers?.get(member);
    if (receivers === undefined || receiver === undefined) return undefined;
    receivers.delete(member);
    receiver.ended = true;
    receiver.via = undefined;
    if (receivers.size === 0) {
      this.#receivers.delete(piece);
      this.#readers.delete(piece);
      this.#brought.delete(piece);
    }
    if (receiver.source === 'origin') {
      const left = this.leases(member) - 1;
      if (left > 0) this.#leases.set(member, left);
      else this.#leases.delete(member);
    }
    return receiver;
  }

  /** Who has read the piece from its origin since it is on its way to anybody, the last first. */
  readers(piece: number): readonly MemberId[] {
    return this.#readers.get(piece) ?? [];
  }

  /** What proves the piece, by the word of those who have been bringing it into the zone. */
  brought(piece: number): Proof | undefined {
    return this.#brought.get(piece);
  }

  /** True: whoever brings the piece into the zone says more of its proof than was known. */
  noteBrought({ piece, source, proof }: { piece: number; source: Source; proof?: Proof | undefined }): boolean {
    if (!this.isOfZone || source !== 'origin' || proof === undefined) return false;
    const { root, readerKeys } = proof;
    const known = this.#brought.get(piece);
    const isNews =
      (root !== undefined && root !== known?.root) || readerKeys.some((key) => !known?.readerKeys.includes(key));
    if (!isNews) return false;
    const keys = new Set([...readerKeys, ...(known?.readerKeys ?? [])]);
    this.#brought.set(piece, { root: root ?? known?.root, readerKeys: [...keys].slice(0, MAX_READERS) });
    return true;
  }

  /** It is one of the few who tell the mesh of what its zone holds. */
  speaksFor(member: MemberId, piece: number): boolean {
    if (!this.isOfZone) return false;
    const holding = this.#holding.get(piece);
    for (let step = 0; step < Math.min(SPEAKERS, holding?.size ?? 0); step += 1) {
      if (holding?.at(step, 0) === member) return true;
    }
    return false;
  }

  /** Of the pieces that were read from the origin lately, those that this member was sent for. */
  share(member: MemberId): number {
    return this.#sent.filter((id) => id === member).length;
  }

  noteSent(member: MemberId): void {
    this.#sent.push(member);
    if (this.#sent.length > REMEMBERED) this.#sent.shift();
  }

  /** Pieces that this member reads from the origin now. */
  leases(member: MemberId): number {
    return this.#leases.get(member) ?? 0;
  }

  holds(member: MemberId, piece: number): boolean {
    return this.holders.get(member)?.has(piece) === true;
  }

  /** Some of those who hold it. */
  holding(piece: number): HolderSample | undefined {
    return this.#holding.get(piece);
  }

  setHeld(member: MemberId, piece: number): void {
    const known = this.holders.get(member) ?? BitSet.none(this.pieces);
    if (known.has(piece)) return;
    this.holders.set(member, known.with(piece));
    this.#noteHeld(member, piece);
  }

  /** Besides what it is known to hold. */
  addHeld(member: MemberId, pieces: BitSet): void {
    const known = this.holders.get(member) ?? BitSet.none(this.pieces);
    const held = BitSet.from(this.pieces, (piece) => known.has(piece) || pieces.has(piece));
    if (held.isEmpty) return;
    this.holders.set(member, held);
    for (const piece of held) if (!known.has(piece)) this.#noteHeld(member, piece);
  }

  dropHeld(member: MemberId, piece: number): void {
    const held = this.holders.get(member);
    if (held?.has(piece) !== true) return;
    if (held.count === 1) this.holders.delete(member);
    else
      this.holders.set(
        member,
        BitSet.from(this.pieces, (index) => index !== piece && held.has(index)),
      );
    const holding = this.#holding.get(piece);
    holding?.remove(member, () => this.#allHolding(piece));
    if (holding?.count !== 0) return;
    this.#holding.delete(piece);
    this.roots.delete(piece);
  }

  /** Whoever holds it is not believed to. */
  forgetPiece(piece: number): void {
    for (const [member] of [...this.holders]) this.dropHeld(member, piece);
    this.roots.delete(piece);
  }

  addWaiter(waiter: Waiter): void {
    const queue = this.waiting.get(waiter.piece);
    if (queue === undefined) this.waiting.set(waiter.piece, [waiter]);
    else queue.push(waiter);
  }

  waits(member: MemberId, piece: number): boolean {
    return this.waiting.get(piece)?.some(({ by }) => by === member) === true;
  }

  removeWaiter(waiter: Waiter): void {
    const queue = this.waiting.get(waiter.piece);
    const at = queue?.indexOf(waiter) ?? -1;
    if (queue === undefined || at === -1) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.waiting.delete(waiter.piece);
  }

  #noteHeld(member: MemberId, piece: number): void {
    const holding = this.#holding.get(piece) ?? new HolderSample();
    this.#holding.set(piece, holding);
    holding.add(member);
  }

  *#allHolding(piece: number): Generator<MemberId, void, undefined> {
    for (const [member, held] of this.holders) if (held.has(piece)) yield member;
  }

  /** Undefined: it hangs in the air (its source has gone), or its bytes come by way of `asker`, who must not wait for itself. */
  chain(piece: number, receiver: Receiver, asker: MemberId): Chain | undefined {
    let at = receiver;
    for (let depth = 1; depth <= LONGEST_CHAIN; depth += 1) {
      if (at.source === 'origin') return { depth, reader: at };
      if (at.source === asker) return undefined;
      const next: Receiver | undefined = this.#upstream(piece, at);
      if (next === undefined) return this.holds(at.source, piece) ? { depth, reader: undefined } : undefined;
      at = next;
    }
    return undefined;
  }

  /** What its source receives; undefined: nothing, since it holds the piece or does not get it. */
  #upstream(piece: number, receiver: Receiver): Receiver | undefined {
    if (receiver.via?.ended !== false) receiver.via = this.#receivers.get(piece)?.get(receiver.source);
    return receiver.via;
  }

  /** It waits for itself: trackers that knew too little of each other's words have sent members in a circle. */
  isLoop(piece: number, receiver: Receiver): boolean {
    let at: Receiver | undefined = receiver;
    for (let steps = 0; at !== undefined && steps < LONGEST_CHAIN; steps += 1) {
      if (at.source === receiver.member) return true;
      if (at.source === 'origin') return false;
      at = this.#upstream(piece, at);
    }
    return false;
  }
}
