// How many requests each caller may make in a second, so that one that runs wild leaves room for the others.
import { LRUCache } from 'lru-cache';
import type { MemberId } from '../member.ts';

export interface RequestRateOptions {
  /** Also how many may come at once after a pause. */
  readonly maxRequestsPerSecond: number;
  /** Callers that are remembered. */
  readonly maxSenders: number;
}

interface Allowance {
  left: number;
  /** When it was that much. */
  atMs: number;
}

export class RequestRate {
  readonly #options: RequestRateOptions;
  /** Milliseconds on a clock that never jumps. */
  readonly #now: () => number;
  readonly #allowances: LRUCache<MemberId, Allowance>;

  constructor(options: RequestRateOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
    this.#allowances = new LRUCache({ max: options.maxSenders });
  }

  /** False: this request is one too many. */
  take(member: MemberId): boolean {
    const { maxRequestsPerSecond } = this.#options;
    const nowMs = this.#now();
    let allowance = this.#allowances.get(member);
    if (allowance === undefined) {
      allowance = { left: maxRequestsPerSecond, atMs: nowMs };
      this.#allowances.set(member, allowance);
    }
    const earned = ((nowMs - allowance.atMs) * maxRequestsPerSecond) / 1_000;
    allowance.left = Math.min(maxRequestsPerSecond, allowance.left + earned);
    allowance.atMs = nowMs;
    if (allowance.left < 1) return false;
    allowance.left -= 1;
    return true;
  }
}
