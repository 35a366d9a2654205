// What a simulation counts.
import type { MemberId } from '../../src/mesh/member.ts';

export interface Figures {
  readonly distinctPieces: number;
  readonly originReads: number;
  /** Of the piece that was read most often. */
  readonly worstPiece: number;
  /** Pieces that were read more than twice. */
  readonly readOften: number;
  readonly crossedZones: number;
  readonly calls: number;
  /** Calls of the busiest tracker ÷ the mean of all. */
  readonly busiest: number;
  /** A call's wait for the tracker's CPU and its turn on it, at most. */
  readonly longestQueueMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lastMs: number;
  readonly finished: number;
}

export class Stats {
  readonly #originReads = new Map<string, number>();
  readonly #calls = new Map<MemberId, number>();
  readonly #finishedMs: number[] = [];
  #longestQueueMs = 0;
  crossedZones = 0;

  originRead(object: number, piece: number): void {
    const key = `${object}/${piece}`;
    this.#originReads.set(key, (this.#originReads.get(key) ?? 0) + 1);
  }

  called(tracker: MemberId): void {
    this.#calls.set(tracker, (this.#calls.get(tracker) ?? 0) + 1);
  }

  waitedMs(ms: number): void {
    this.#longestQueueMs = Math.max(this.#longestQueueMs, ms);
  }

  finished(afterMs: number): void {
    this.#finishedMs.push(afterMs);
  }

  get done(): number {
    return this.#finishedMs.length;
  }

  /** `trackers`: how many there are, called or not. */
  figures(trackers: number): Figures {
    const reads = [...this.#originReads.values()];
    const calls = [...this.#calls.values()];
    const sorted = this.#finishedMs.toSorted((left, right) => left - right);
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
    const total = calls.reduce((sum, count) => sum + count, 0);
    return {
      distinctPieces: reads.length,
      originReads: reads.reduce((sum, count) => sum + count, 0),
      worstPiece: reads.reduce((most, count) => Math.max(most, count), 0),
      readOften: reads.filter((count) => count > 2).length,
      crossedZones: this.crossedZones,
      calls: total,
      busiest: calls.reduce((most, count) => Math.max(most, count), 0) / (total / trackers),
      longestQueueMs: this.#longestQueueMs,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      lastMs: at(1),
      finished: sorted.length,
    };
  }
}
