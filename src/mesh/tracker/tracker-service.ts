// The tracker as a gateway runs it: for itself by direct calls, for others by the mesh's calls. What it does not know
// of a slab it asks the slab's other owners before it sends anybody to the origin, and whoever is said not to answer it
// asks once itself.
import type { Background } from '../../concurrency/background.ts';
import { patienceSignal } from '../../concurrency/patience.ts';
import type { Member, MemberId } from '../member.ts';
import { zoneOfSlab } from '../slab.ts';
import { slabOwners } from '../slab-owners.ts';
import { type Handlers, MeshError } from '../transport.ts';
import { SlabKnowledge, type SlabKnowledgeDeps } from './slab-knowledge.ts';
import {
  type Acquire,
  type Complain,
  type Decided,
  type Moved,
  type Progress,
  parseAcquire,
  parseComplain,
  parsePeek,
  parseProgress,
  parseSpare,
  parseTell,
  type Rows,
  type SlabWire,
  type Spare,
  type Spared,
  type Spoken,
  type Tell,
} from './tracker-wire.ts';

export interface TrackerServiceDeps extends SlabKnowledgeDeps {
  readonly background: Background;
  /** How long to wait for others where the limit is this: longer where all are slow. */
  readonly patience: (limitMs: number) => number;
  /** A member announced another root than the one that is known. */
  readonly refused: (event: {
    readonly member: MemberId;
    readonly slab: string;
    readonly pieces: readonly number[];
  }) => void;
}

export interface TrackerServiceOptions {
  /** How long an asker is kept waiting before he is told to ask again. */
  readonly longPollMs: number;
  /** How long members that are said not to answer may take. */
  readonly patienceMs: number;
  /** How long other owners may take. */
  readonly peekMs: number;
}

const TICK_MS = 30;
const ZONE_PEEKS_SHORTER = 4;

export class TrackerService {
  readonly #deps: TrackerServiceDeps;
  readonly #options: TrackerServiceOptions;
  readonly #closing = new AbortController();
  readonly #knowledge: SlabKnowledge;
  /** Wakes those who wait for word. */
  readonly #waiting = new Set<() => void>();
  readonly #probing = new Set<MemberId>();
  readonly #timer: NodeJS.Timeout;

  constructor(deps: TrackerServiceDeps, options: TrackerServiceOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#knowledge = new SlabKnowledge(deps);
    this.#timer = setInterval(() => {
      if (deps.tracker.busySlabs > 0) deps.tracker.tick();
    }, TICK_MS).unref();
  }

  get handlers(): Handlers {
    return {
      acquire: { kind: 'lines', handle: (body, caller, signal) => this.acquire(parseAcquire(body), caller, signal) },
      announce: { kind: 'ask', handle: async (body, caller) => this.tell(parseTell(body), caller) },
      forget: { kind: 'ask', handle: async (body, caller) => this.complain(parseComplain(body), caller) },
      progress: { kind: 'ask', handle: async (body, caller) => this.progress(parseProgress(body), caller) },
      spare: { kind: 'ask', handle: async (body, caller) => this.spare(parseSpare(body), caller) },
      peek: { kind: 'ask', handle: async (body) => this.peek(parsePeek(body).slab) },
    };
  }

  /** One line a piece, each when it is decided. */
  async *acquire(asked: Acquire, caller: Member, signal: AbortSignal): AsyncGenerator<Decided, void, undefined> {
    const pieces = [...new Set(asked.pieces)];
    if (pieces.some((piece) => piece >= asked.slab.pieces)) throw noSuchPiece();
    const limit = () => this.#limit(this.#peekMs(asked.slab));
    await this.#knowledge.makeSure(asked.slab, limit, asked.unreachable);
    const lines: Decided[] = [];
    let wake: () => void = () => undefined;
    let isTired = false;
    const stop = this.#onStop(signal, () => wake());
    const tired = setTimeout(() => {
      isTired = true;
      wake();
    }, this.#options.longPollMs);
    const undecided = new Set(pieces);
    const inPlaceOf = this.#inPlaceOf(asked);
    const leave = this.#deps.tracker.acquire({ ...asked, pieces, inPlaceOf }, caller, (piece, decision) => {
      undecided.delete(piece);
      lines.push({ ...decision, piece });
      wake();
    });
    try {
      for (;;) {
        while (lines.length > 0 && !stop.isStopped()) yield* lines.splice(0, 1);
        if (undecided.size === 0 || stop.isStopped()) return;
        if (isTired) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      for (const piece of undecided) yield { kind: 'again', piece };
    } finally {
      clearTimeout(tired);
      stop.end();
      leave();
      // Decided, but whoever asked has left before he heard of it.
      if (lines.length > 0) {
        const unheard = lines.map(({ piece }) => piece);
        this.#deps.tracker.release(asked.slab.key, caller.id, unheard);
      }
    }
  }

  /** Answers what the caller is to tell the mesh's trackers too. */
  tell({ slabs, leaving }: Tell, caller: Member): Spoken {
    const { tracker } = this.#deps;
    const speaksFor: Spoken['speaksFor'] = [];
    for (const { slab, held, dropped, released } of slabs) {
      if (released !== undefined) tracker.release(slab.key, caller.id, released);
      if (dropped !== undefined) tracker.withdraw(slab.key, caller.id, dropped);
      if (held === undefined) continue;
      const refused = tracker.announce(
        slab,
        caller,
        held.filter(({ piece }) => piece < slab.pieces),
      );
      if (refused.length > 0) this.#deps.refused({ member: caller.id, slab: slab.key, pieces: refused });
      const state = tracker.find(slab.key);
      const spoken = held.filter(({ piece }) => state?.speaksFor(caller.id, piece)).map(({ piece }) => piece);
      if (spoken.length > 0) speaksFor.push({ slab: slab.key, pieces: spoken });
    }
    if (leaving === true) tracker.gone(caller.id);
    return { speaksFor };
  }

  complain({ slab, piece, holder, complaint }: Complain, caller: Member): Record<string, never> {
    this.#deps.tracker.complain(slab.key, caller, holder, piece, complaint);
    return {};
  }

  progress({ slabs }: Progress, caller: Member): Moved {
    const moved = slabs.map(({ slab, pieces }) => ({
      slab: slab.key,
      pieces: this.#deps.tracker.progress(
        slab,
        caller,
        pieces.filter(({ piece }) => piece < slab.pieces),
      ),
    }));
    return { moved: moved.filter(({ pieces }) => pieces.length > 0) };
  }

  /** Of the pieces, those that others hold too: the caller is about to drop them, and counts as no holder any more. */
  async spare({ slabs }: Spare, caller: Member): Promise<Spared> {
    const spared: Spared['spared'] = [];
    for (const { slab, pieces } of slabs) {
      await this.#knowledge.recall(slab);
      const dropped = this.#deps.tracker.spare(slab.key, caller, pieces);
      if (dropped.length > 0) spared.push({ slab: slab.key, pieces: dropped });
    }
    return { spared };
  }

  /** Who holds and who receives which of the slab's pieces, as far as it is known here. */
  peek(slab: SlabWire): Promise<Rows> {
    return this.#knowledge.tell(slab);
  }

  /** Somebody says that it does not answer. */
  suspect(member: MemberId): void {
    if (this.#probing.has(member)) return;
    this.#probing.add(member);
    this.#deps.background.run('probe', this.#probe(member));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#closing.abort();
    for (const wake of this.#waiting) wake();
  }

  async #probe(member: MemberId): Promise<void> {
    const { client, tracker } = this.#deps;
    try {
      await client.ask(member, 'hello', {}, this.#limit(this.#options.patienceMs));
      tracker.cleared(member);
    } catch {
      // Whatever the reason: nobody is to be sent to who does not answer a plain question.
      tracker.gone(member);
    } finally {
      this.#probing.delete(member);
    }
  }

  /** Whoever asked has left, or this gateway is closing. */
  #onStop(signal: AbortSignal, wake: () => void): { isStopped: () => boolean; end: () => void } {
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    return {
      isStopped: () => signal.aborted || this.#closing.signal.aborted,
      end: () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
      },
    };
  }

  /** Of those that did not answer the asker, the owners of higher rank. */
  #inPlaceOf({ slab, unreachable = [] }: Acquire): MemberId[] {
    const ranked = slabOwners(slab, this.#deps.view());
    return ranked.slice(0, Math.max(0, ranked.indexOf(this.#deps.self.id))).filter((id) => unreachable.includes(id));
  }

  /** What a zone does not know, the mesh does: that is not worth a long wait. */
  #peekMs({ key }: SlabWire): number {
    return zoneOfSlab(key) === undefined ? this.#options.peekMs : this.#options.peekMs / ZONE_PEEKS_SHORTER;
  }

  #limit(ms: number): AbortSignal {
    return AbortSignal.any([this.#closing.signal, patienceSignal(this.#deps.patience(ms))]);
  }
}

function noSuchPiece(): MeshError {
  return new MeshError('Malformed', 'The group of pieces has fewer pieces than were asked for.');
}
