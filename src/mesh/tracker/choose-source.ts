// From whom a member gets a piece: a policy over what the tracker knows. In its own zone first, from nobody who is slow
// while others are not, then from who gives least: in pieces now, and in bytes lately, for a wire that is full does not
// show in how many wait for it; and from who has least, for those who came first are all that those have who come next.
// Each step away from the start of a chain counts as much as a few pieces given. So pieces spread in shallow trees, and
// where one reads all of them the others pass them on.
import type { MemberId } from '../member.ts';
import { lately, type MemberBook, type MemberState } from './member-book.ts';
import type { Chain, Decision, Proof, SlabState } from './slab-state.ts';
import { isTrusted } from './trust.ts';

export interface SourceRules {
  /** Pieces that one member gives at once. */
  readonly uploadSlots: number;
}

export interface Choice {
  readonly decision: Decision & { readonly kind: 'held' };
  readonly source: MemberState;
}

/** Why there is none: nobody has the piece or gets it, or those who do give as much as they can. */
export type NoChoice = 'nobody' | 'busy';

interface Candidate {
  readonly member: MemberState;
  readonly chain: Chain | undefined;
}

/** With room, before one is chosen: enough to be near the best, few enough for pieces that thousands have. */
const LOOKED_AT = 16;
/** Without room, before all are taken to have none. */
const LOOKED_THROUGH = 32;
const STEP_COST = 2;
/** Of whoever gave most lately; of the others in proportion. */
const GAVE_MOST_COST = 12;
/** Of whoever holds most pieces of the slab; of who holds least, nothing. Those who have little can give it to few. */
const HOLDS_MOST_COST = 16;
/** Pieces: whoever holds so many more than another is far ahead of him, however little that is of all. */
const FAR_AHEAD = 8;
const SLOW_COST = 1_000;
const OTHER_ZONE_COST = 10_000;

export interface Asking {
  readonly piece: number;
  readonly by: MemberState;
  readonly avoid: ReadonlySet<MemberId>;
  readonly nowMs: number;
  /** In [0, 1): where among many to begin looking. */
  readonly turn: number;
}

export function chooseSource(
  slab: SlabState,
  members: MemberBook,
  asking: Asking,
  rules: SourceRules,
): Choice | NoChoice {
  const found = new Found(slab, asking);
  for (const id of holdersOf(slab, asking, found)) {
    if (found.withRoom >= LOOKED_AT) break;
    const member = members.get(id);
    if (!isUsable(member, asking)) continue;
    if (hasRoom(member, asking, rules)) found.take(member, undefined);
    else found.busy += 1;
    // However many hold it: the others are as likely to be busy as these, and those who receive it may have room.
    if (found.busy >= LOOKED_THROUGH) break;
  }
  lookAtReceivers(slab, members, asking, rules, found);
  const { best } = found;
  if (best === undefined) return found.busy > 0 ? 'busy' : 'nobody';
  const { member, chain } = best;
  const proof = proofOf(slab, members, asking.piece, chain);
  return { source: member, decision: { kind: 'held', from: member.id, arriving: chain !== undefined, proof } };
}

/** Those to whom the piece is on its way. */
function lookAtReceivers(slab: SlabState, members: MemberBook, asking: Asking, rules: SourceRules, found: Found): void {
  const { piece, by, turn } = asking;
  let busy = 0;
  for (const [id, receiver] of slab.receivers(piece)?.from(turn) ?? []) {
    if (found.withRoom >= LOOKED_AT || busy >= LOOKED_THROUGH) return;
    const member = members.get(id);
    if (receiver.shunned || !isUsable(member, asking)) continue;
    const hasItRoom = hasRoom(member, asking, rules);
    // One who would have it, had he room, is enough to know that there are such.
    if (!hasItRoom && busy > 0) {
      busy += 1;
      continue;
    }
    const chain = slab.chain(piece, receiver, by.id);
    if (chain === undefined || chain.reader?.shunned === true) continue;
    // Its reader may not have shown itself to this tracker yet, and will in a moment.
    if (hasItRoom && isProvable(slab, members, piece, chain)) found.take(member, chain);
    else busy += 1;
  }
  found.busy += busy;
}

/** Those who have room. */
class Found {
  readonly #slab: SlabState;
  readonly #asking: Asking;
  readonly #candidates: Candidate[] = [];
  busy = 0;

  constructor(slab: SlabState, asking: Asking) {
    this.#slab = slab;
    this.#asking = asking;
  }

  get withRoom(): number {
    return this.#candidates.length;
  }

  take(member: MemberState, chain: Chain | undefined): void {
    this.#candidates.push({ member, chain });
  }

  get best(): Candidate | undefined {
    const { nowMs } = this.#asking;
    const gave = this.#candidates.map(({ member }) => lately(member.gave, nowMs));
    const held = this.#candidates.map(({ member }) => this.#slab.holders.get(member.id)?.count ?? 0);
    const gaveMost = Math.max(1, ...gave);
    // Who receives the piece will soon have one more.
    const ahead = held.map((count) => Math.max(0, count - Math.min(...held) - 1));
    const farthest = Math.max(FAR_AHEAD, ...ahead);
    let best: { readonly candidate: Candidate; readonly cost: number } | undefined;
    for (const [index, candidate] of this.#candidates.entries()) {
      const { given } = candidate.member;
      const givesCost = (GAVE_MOST_COST * (gave[index] ?? 0)) / gaveMost;
      const holdsCost = (HOLDS_MOST_COST * (ahead[index] ?? 0)) / farthest;
      const cost = costOf(candidate, this.#asking) + givesCost + holdsCost;
      const isEqual = cost === best?.cost && given < best.candidate.member.given;
      if (best === undefined || cost < best.cost || isEqual) best = { candidate, cost };
    }
    return best?.candidate;
  }
}

function hasRoom(member: MemberState, { nowMs }: Asking, rules: SourceRules): boolean {
  return member.uploads < rules.uploadSlots && member.busyUntilMs <= nowMs;
}

/** Those of the sample; all others, too, where none of it can be asked. */
function* holdersOf(
  slab: SlabState,
  { piece, turn }: Asking,
  found: Pick<Found, 'withRoom' | 'busy'>,
): Generator<MemberId, void, undefined> {
  const holding = slab.holding(piece);
  if (holding === undefined) return;
  for (let step = 0; step < holding.size; step += 1) {
    const id = holding.at(step, turn);
    if (id !== undefined) yield id;
  }
  if (holding.count === holding.size || found.withRoom > 0 || found.busy > 0) return;
  for (const [id, held] of slab.holders.from(turn)) if (held.has(piece)) yield id;
}

function isUsable(member: MemberState, { by, avoid, nowMs }: Asking): boolean {
  return member !== by && !avoid.has(member.id) && isTrusted(member, by.id, nowMs);
}

function costOf({ member, chain }: Candidate, { by, nowMs }: Asking): number {
  const zone = by.about?.zone;
  const elsewhere = zone !== undefined && member.about?.zone !== zone ? OTHER_ZONE_COST : 0;
  const slow = member.slowUntilMs > nowMs ? SLOW_COST : 0;
  return elsewhere + slow + member.uploads + STEP_COST * (chain?.depth ?? 0);
}

function isProvable(slab: SlabState, members: MemberBook, piece: number, chain: Chain | undefined): boolean {
  if (slab.roots.has(piece)) return true;
  if (slab.isOfZone) return slab.brought(piece) !== undefined;
  return chain?.reader !== undefined && members.get(chain.reader.member).about !== undefined;
}

function proofOf(slab: SlabState, members: MemberBook, piece: number, chain: Chain | undefined): Proof {
  const root = slab.roots.get(piece);
  const brought = slab.brought(piece);
  if (slab.isOfZone) return { root: root ?? brought?.root, readerKeys: brought?.readerKeys ?? [] };
  const readers = chain === undefined ? [] : slab.readers(piece);
  const readerKeys = readers.flatMap((reader) => members.get(reader).about?.key ?? []);
  return { root, readerKeys };
}
