// What the owners of slabs are told, without waiting for an answer: what is on its way here, what is held, whom not to
// ask. What is told within a moment goes together, in order. An owner that does not answer is told on, by one call at a
// time: a tracker that loses word of who reads a piece sends somebody else for it, and it leaves its origin twice.
import type { Background } from '../concurrency/background.ts';
import { patienceSignal } from '../concurrency/patience.ts';
import { Batched } from './batched.ts';
import type { Member, MemberId } from './member.ts';
import { isUnheard, type OwnerCalls } from './owner-calls.ts';
import { meshSlab, type Slab, zoneOfSlab } from './slab.ts';
import { type ToldOf, together, wire } from './tracker/tell-together.ts';
import type { TrackerService } from './tracker/tracker-service.ts';
import {
  type Complain,
  MAX_SLABS,
  type Moved,
  type Progress,
  parseMoved,
  parseSpoken,
  type Spoken,
  writeProgress,
} from './tracker/tracker-wire.ts';
import type { MeshClient } from './transport.ts';
import { Untold } from './untold.ts';

export interface TrackerTellingsDeps {
  readonly client: Pick<MeshClient, 'ask'>;
  readonly self: Member;
  /** Those who are to know of the slab. */
  readonly ownersOf: (slab: Slab) => readonly MemberId[];
  /** Whoever decides now. */
  readonly firstOf: (slab: Slab) => readonly MemberId[];
  readonly isTracker: (id: MemberId) => boolean;
  /** This gateway's own; undefined where it is no tracker. */
  readonly local: Pick<TrackerService, 'tell' | 'complain' | 'progress'> | undefined;
  readonly calls: OwnerCalls;
  readonly background: Background;
}

/** One call, or the same done directly. */
interface Post {
  readonly call: 'announce' | 'forget' | 'progress';
  readonly body: unknown;
  readonly locally: (local: NonNullable<TrackerTellingsDeps['local']>) => void;
  readonly answered?: (answer: unknown) => void;
  readonly unheard?: () => void;
}

/** How long what is to be told waits for more of it. */
const TELL_TOGETHER_MS = 10;
/** How often owners are told again what they did not hear. */
const AGAIN_MS = 1_000;

export class TrackerTellings {
  readonly #deps: TrackerTellingsDeps;
  readonly #tellMs: number;
  readonly #told = new Batched<ToldOf>((items) => this.#tellAll(items), TELL_TOGETHER_MS);
  readonly #untold = new Untold();
  readonly #inFlight = new Map<MemberId, number>();
  #again: NodeJS.Timeout | undefined;

  /** `tellMs`: how long a call may take. */
  constructor(deps: TrackerTellingsDeps, { tellMs }: { readonly tellMs: number }) {
    this.#deps = deps;
    this.#tellMs = tellMs;
  }

  tell(slab: Slab, told: ToldOf['told']): void {
    this.#told.add({ slab, told });
  }

  /** Now, what waits for more. */
  flush(): void {
    this.#told.flush();
  }

  complain(slab: Slab, complaint: Omit<Complain, 'slab'>): void {
    const body = { ...complaint, slab: wire(slab) };
    const { self, ownersOf } = this.#deps;
    for (const owner of ownersOf(slab)) {
      this.#post(owner, { call: 'forget', body, locally: (local) => local.complain(body, self) });
    }
  }

  /** `moved` is told of pieces for which there is a better source. */
  progress(
    reports: readonly { slab: Slab; pieces: Progress['slabs'][number]['pieces'] }[],
    moved: (moved: Moved['moved']) => void,
    to: 'first' | 'all',
  ): void {
    const { ownersOf, firstOf } = this.#deps;
    const items = reports.map(({ slab, pieces }) => ({ slab, item: { slab: wire(slab), pieces } }));
    for (const [owner, slabs] of byOwner(items, to === 'all' ? ownersOf : firstOf)) {
      this.#post(owner, {
        call: 'progress',
        body: writeProgress(slabs),
        locally: (local) => moved(local.progress({ slabs }, this.#deps.self).moved),
        answered: (answer) => moved(parseMoved(answer).moved),
      });
    }
  }

  #tellAll(items: readonly ToldOf[]): void {
    const bySlab = items.map((item) => ({ slab: item.slab, item }));
    for (const [owner, all] of byOwner(bySlab, this.#deps.ownersOf)) this.#tell(owner, all);
  }

  #tell(owner: MemberId, all: readonly ToldOf[]): void {
    const told = together(all);
    for (let at = 0; at < told.length; at += MAX_SLABS) {
      const slabs = told.slice(at, at + MAX_SLABS);
      const spoken = (answer: Spoken) => this.#speak(all, answer);
      this.#post(owner, {
        call: 'announce',
        body: { slabs },
        locally: (local) => spoken(local.tell({ slabs }, this.#deps.self)),
        answered: (answer) => spoken(parseSpoken(answer)),
        unheard: () => this.#tellAgain(owner, all),
      });
    }
  }

  /** Of what was told to the trackers of the zone, to those of the mesh what they know nobody else in the zone to have. */
  #speak(all: readonly ToldOf[], { speaksFor }: Spoken): void {
    for (const { slab: key, pieces } of speaksFor) {
      if (zoneOfSlab(key) === undefined) continue;
      for (const { slab, told } of all) {
        const held = slab.key === key ? told.held?.filter(({ piece }) => pieces.includes(piece)) : undefined;
        if (held === undefined || held.length === 0) continue;
        this.tell(meshSlab(slab), { held: held.map(({ piece, root }) => ({ piece, root })) });
      }
    }
  }

  #tellAgain(owner: MemberId, items: readonly ToldOf[]): void {
    this.#untold.add(owner, items);
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      for (const [id, untold] of this.#untold.take()) if (this.#deps.isTracker(id)) this.#tell(id, untold);
    }, AGAIN_MS).unref();
  }

  #post(owner: MemberId, post: Post): void {
    const { local, self, calls, background } = this.#deps;
    if (owner === self.id && local !== undefined) {
      post.locally(local);
      return;
    }
    const inFlight = this.#inFlight.get(owner) ?? 0;
    if (inFlight > 0 && calls.isDown(owner)) post.unheard?.();
    else {
      this.#inFlight.set(owner, inFlight + 1);
      background.run('tell', this.#send(owner, post));
    }
  }

  /** Rejects where the answer makes no sense. What the owner refuses, or does not understand, is not told it again. */
  async #send(owner: MemberId, { call, body, answered, unheard }: Post): Promise<void> {
    const { client, calls } = this.#deps;
    let answer: unknown;
    try {
      answer = await client.ask(owner, call, body, patienceSignal(this.#tellMs));
    } catch (error) {
      calls.note(owner, error);
      if (isUnheard(error)) unheard?.();
      return;
    } finally {
      const left = (this.#inFlight.get(owner) ?? 1) - 1;
      if (left === 0) this.#inFlight.delete(owner);
      else this.#inFlight.set(owner, left);
    }
    calls.answered(owner);
    answered?.(answer);
  }
}

function byOwner<Item>(
  items: readonly { slab: Slab; item: Item }[],
  ownersOf: (slab: Slab) => readonly MemberId[],
): Map<MemberId, Item[]> {
  const byOwner = new Map<MemberId, Item[]>();
  for (const { slab, item } of items) {
    for (const owner of ownersOf(slab)) byOwner.set(owner, [...(byOwner.get(owner) ?? []), item]);
  }
  return byOwner;
}
