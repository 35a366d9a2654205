// Who the trackers are, as each member sees it: a change of the list comes to each of them after a time of its own.
import { hash } from 'node:crypto';
import type { MemberId } from '../../src/mesh/member.ts';
import { owners } from '../../src/mesh/rendezvous.ts';
import type { EventQueue } from './event-queue.ts';

export interface View {
  readonly hash: string;
  readonly trackers: readonly MemberId[];
}

/** Ranks that are ever asked for. */
const RANKS = 6;

export class Membership {
  readonly #queue: EventQueue;
  readonly #staleMs: number;
  readonly #random: () => number;
  readonly #views: { readonly view: View; readonly sinceMs: number }[] = [];
  readonly #ranks = new Map<string, readonly MemberId[]>();

  /** `staleMs`: after so long everybody has a change. */
  constructor(queue: EventQueue, options: { staleMs: number; random: () => number }) {
    this.#queue = queue;
    this.#staleMs = options.staleMs;
    this.#random = options.random;
  }

  /** What part of the time to the last hearer passes until this member hears of a change: always the same. */
  place(): number {
    return this.#random();
  }

  set(trackers: readonly MemberId[]): void {
    const list = [...trackers].sort();
    const view = { hash: hash('sha1', list.join('\n'), 'hex'), trackers: list };
    this.#views.push({ view, sinceMs: this.#queue.nowMs });
  }

  get current(): View {
    return this.at(0);
  }

  at(place: number): View {
    for (let index = this.#views.length - 1; index >= 0; index -= 1) {
      const known = this.#views[index];
      if (known !== undefined && (index === 0 || known.sinceMs + place * this.#staleMs <= this.#queue.nowMs)) {
        return known.view;
      }
    }
    throw new Error('There is no list of trackers yet.');
  }

  /** Those who answer for a key, the first first. */
  ranked(view: View, key: string, among = () => view.trackers, group = ''): readonly MemberId[] {
    const at = `${view.hash}${group}\n${key}`;
    const known = this.#ranks.get(at) ?? owners(key, among(), RANKS);
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
