// Who the trackers are, as each member sees it: a change of the list comes to each of them after a time of its own.
import type { MemberId } from '../../src/mesh/member.ts';
import type { Slab } from '../../src/mesh/slab.ts';
import { slabOwners, TrackerView } from '../../src/mesh/slab-owners.ts';
import type { EventQueue } from './event-queue.ts';

export class Membership {
  readonly #queue: EventQueue;
  readonly #staleMs: number;
  readonly #random: () => number;
  readonly #zoneOf: (id: MemberId) => string | undefined;
  readonly #views: { readonly view: TrackerView; readonly sinceMs: number }[] = [];
  readonly #ranks = new Map<string, readonly MemberId[]>();

  /** `staleMs`: after so long everybody has a change. */
  constructor(
    queue: EventQueue,
    options: { staleMs: number; random: () => number; zoneOf: (id: MemberId) => string | undefined },
  ) {
    this.#queue = queue;
    this.#zoneOf = options.zoneOf;
    this.#staleMs = options.staleMs;
    this.#random = options.random;
  }

  /** What part of the time to the last hearer passes until this member hears of a change: always the same. */
  place(): number {
    return this.#random();
  }

  set(trackers: readonly MemberId[]): void {
    const view = new TrackerView([...trackers].sort(), this.#zoneOf);
    this.#views.push({ view, sinceMs: this.#queue.nowMs });
  }

  get current(): TrackerView {
    return this.at(0);
  }

  at(place: number): TrackerView {
    for (let index = this.#views.length - 1; index >= 0; index -= 1) {
      const known = this.#views[index];
      if (known !== undefined && (index === 0 || known.sinceMs + place * this.#staleMs <= this.#queue.nowMs)) {
        return known.view;
      }
    }
    throw new Error('There is no list of trackers yet.');
  }

  /** Those who answer for a slab, the first first. */
  ranked(view: TrackerView, slab: Pick<Slab, 'key' | 'ownerKey'>): readonly MemberId[] {
    const at = `${view.hash}\n${slab.key}`;
    const known = this.#ranks.get(at) ?? slabOwners(slab, view);
    this.#ranks.set(at, known);
    return known;
  }

  /** Of one list, as every member keeps it. */
  get listBytes(): number {
    return this.current.trackers.join('\n').length;
  }

  get changes(): number {
    return this.#views.length - 1;
  }
}
