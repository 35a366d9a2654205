// Asks the trackers which copies of pieces the mesh can spare. Who answers first for a slab decides; its other owner is
// told what was decided.
import { patienceSignal } from '../concurrency/patience.ts';
import type { Piece } from '../pieces/piece.ts';
import type { Member, MemberId } from './member.ts';
import type { OwnerCalls } from './owner-calls.ts';
import type { Slab } from './slab.ts';
import type { TrackerService } from './tracker/tracker-service.ts';
import { MAX_SLABS, parseSpared, type Spare, type Spared } from './tracker/tracker-wire.ts';
import type { TrackerClient } from './tracker-client.ts';
import type { MeshClient } from './transport.ts';

export interface SpareCallsDeps {
  readonly self: Member;
  readonly client: Pick<MeshClient, 'ask'>;
  readonly local: Pick<TrackerService, 'spare'>;
  readonly trackers: Pick<TrackerClient, 'ownersOf' | 'tell'>;
  readonly calls: Pick<OwnerCalls, 'note' | 'answered'>;
}

export interface SpareCallsOptions {
  /** How long a tracker may take. */
  readonly patienceMs: number;
}

interface Asked {
  readonly piece: Piece;
  readonly slab: Slab;
}

/** By the key of the slab. */
type Slabs = Map<string, { readonly slab: Slab; readonly pieces: Piece[] }>;

export class SpareCalls {
  readonly #deps: SpareCallsDeps;
  readonly #options: SpareCallsOptions;

  constructor(deps: SpareCallsDeps, options: SpareCallsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Those of the pieces that others hold too, as far as trackers answer. Never rejects. */
  async ask(asked: readonly Asked[], signal: AbortSignal): Promise<Piece[]> {
    const byOwner = new Map<MemberId, Slabs>();
    for (const { piece, slab } of asked) {
      const [owner] = this.#deps.trackers.ownersOf(slab);
      if (owner === undefined) continue;
      const slabs: Slabs = byOwner.get(owner) ?? new Map();
      byOwner.set(owner, slabs);
      const entry = slabs.get(slab.key) ?? { slab, pieces: [] };
      slabs.set(slab.key, entry);
      entry.pieces.push(piece);
    }
    const answers = await Promise.all([...byOwner].map(([owner, slabs]) => this.#askOwner(owner, slabs, signal)));
    return answers.flat();
  }

  async #askOwner(owner: MemberId, slabs: Slabs, signal: AbortSignal): Promise<Piece[]> {
    const wanted = [...slabs.values()].map(({ slab, pieces }) => ({
      slab: { key: slab.key, ownerKey: slab.ownerKey, pieces: slab.pieces },
      pieces: pieces.map(({ index }) => index - slab.first),
    }));
    const spared: Piece[] = [];
    for (let at = 0; at < wanted.length; at += MAX_SLABS) {
      const answer = await this.#call(owner, { slabs: wanted.slice(at, at + MAX_SLABS) }, signal);
      for (const { slab: key, pieces } of answer.spared) {
        const entry = slabs.get(key);
        if (entry === undefined) continue;
        const { slab } = entry;
        spared.push(...entry.pieces.filter(({ index }) => pieces.includes(index - slab.first)));
        this.#deps.trackers.tell(slab, { dropped: pieces });
      }
    }
    return spared;
  }

  async #call(owner: MemberId, body: Spare, signal: AbortSignal): Promise<Spared> {
    const { self, client, local, calls } = this.#deps;
    try {
      if (owner === self.id) return await local.spare(body, self);
      const limit = AbortSignal.any([signal, patienceSignal(this.#options.patienceMs)]);
      const answer = parseSpared(await client.ask(owner, 'spare', body, limit));
      calls.answered(owner);
      return answer;
    } catch (error) {
      // A tracker of an earlier version, or none: without an answer nothing is spare.
      calls.note(owner, error);
      return { spared: [] };
    }
  }
}
