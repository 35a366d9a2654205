// Who holds which pieces of a version, for operators: what the owners of its slabs know, and what lies on this
// gateway's own shelf.
import pLimit from 'p-limit';
import { type ObjectVersion, pieceCount } from '../pieces/piece.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import type { Member, MemberId } from './member.ts';
import { NAME_OWNERS } from './names/name-owner.ts';
import { owners } from './rendezvous.ts';
import { nameKey, SLAB_PIECES, type Slab, slabOf, type ZoneKey, zoneSlab } from './slab.ts';
import { holdingsOf, type Rows } from './tracker/tracker-wire.ts';
import type { TrackerClient } from './tracker-client.ts';

interface PieceHolder {
  readonly id: MemberId;
  /** Undefined: nobody said, or nothing was heard of it. */
  readonly zone: string | undefined;
  /** Pieces it holds whole, and pieces that are on their way to it. */
  readonly held: number;
  readonly arriving: number;
}

export interface Located {
  /** Members that answer for the object's name, the first of them first. */
  readonly owners: readonly MemberId[];
  readonly pieces: number;
  /** Pieces of which nobody who would know answers. */
  readonly unknownPieces: number;
  /** Whoever has most first. */
  readonly holders: readonly PieceHolder[];
}

export interface PieceLocatorDeps {
  readonly members: {
    readonly self: Member;
    trackers(): readonly MemberId[];
    about(id: MemberId): Member | undefined;
  };
  readonly trackers: Pick<TrackerClient, 'peek'>;
  /** That trackers are in: of what a zone holds the mesh's trackers may know little. */
  readonly zones: () => readonly ZoneKey[];
  readonly store: Pick<PieceStore, 'blocks' | 'blockSize'>;
}

/** Pieces of one slab, by index within it. */
interface Having {
  readonly held: Set<number>;
  readonly arriving: Set<number>;
}

type Totals = Map<MemberId, { held: number; arriving: number }>;

/** Groups of pieces asked for at once. */
const SLABS_AT_ONCE = 8;

export class PieceLocator {
  readonly #deps: PieceLocatorDeps;

  constructor(deps: PieceLocatorDeps) {
    this.#deps = deps;
  }

  async locate(version: ObjectVersion, signal: AbortSignal): Promise<Located> {
    const { members } = this.#deps;
    const totals: Totals = new Map();
    let unknownPieces = 0;
    const limit = pLimit(SLABS_AT_ONCE);
    const slabs = slabsOf(version, this.#deps.store.blockSize);
    await Promise.all(
      slabs.map((slab) =>
        limit(async () => {
          if (!(await this.#addSlab(version, slab, totals, signal))) unknownPieces += slab.pieces;
        }),
      ),
    );
    const holders = [...totals].map(([id, having]) => ({ id, zone: members.about(id)?.zone, ...having }));
    return {
      owners: owners(nameKey(version), members.trackers(), NAME_OWNERS),
      pieces: pieceCount(version),
      unknownPieces,
      holders: holders.toSorted((a, b) => b.held - a.held || b.arriving - a.arriving || (a.id < b.id ? -1 : 1)),
    };
  }

  /** Whether anybody who would know has answered. */
  async #addSlab(version: ObjectVersion, slab: Slab, totals: Totals, signal: AbortSignal): Promise<boolean> {
    const { members, trackers, zones, store } = this.#deps;
    const near = zones().map((zone) => trackers.peek(zoneSlab(slab, zone), signal));
    const answers = await trackers.peek(slab, signal);
    const byMember = havingOf([...answers, ...(await Promise.all(near)).flat()], slab.pieces);
    // What this gateway holds it knows best itself.
    const self = byMember.get(members.self.id);
    const held = new Set<number>();
    for (let piece = 0; piece < slab.pieces; piece += 1) {
      if (store.blocks({ version, index: slab.first + piece }).isFull) held.add(piece);
    }
    byMember.set(members.self.id, { held, arriving: self?.arriving ?? new Set() });
    for (const [id, having] of byMember) {
      const arriving = [...having.arriving].filter((piece) => !having.held.has(piece)).length;
      if (having.held.size + arriving === 0) continue;
      const total = totals.get(id) ?? { held: 0, arriving: 0 };
      totals.set(id, { held: total.held + having.held.size, arriving: total.arriving + arriving });
    }
    return answers.length > 0;
  }
}

function slabsOf(version: ObjectVersion, blockSize: number): Slab[] {
  const slabs: Slab[] = [];
  for (let index = 0; index < pieceCount(version); index += SLAB_PIECES)
    slabs.push(slabOf({ version, index }, blockSize));
  return slabs;
}

/** What each owner knows, taken together. */
function havingOf(answers: readonly Rows[], pieces: number): Map<MemberId, Having> {
  const byMember = new Map<MemberId, Having>();
  const of = (id: MemberId): Having => {
    const having = byMember.get(id) ?? { held: new Set(), arriving: new Set() };
    byMember.set(id, having);
    return having;
  };
  for (const answer of answers) {
    for (const { member, held } of holdingsOf(answer, pieces).rows)
      for (const piece of held) of(member).held.add(piece);
    for (const { member, piece } of answer.receivers ?? []) of(member).arriving.add(piece);
  }
  return byMember;
}
