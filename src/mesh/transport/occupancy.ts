// How many requests are served, at once in all, and at once and in a second of each caller. Nobody waits: past a limit
// the caller is told, and asks somebody else.
import type { MemberId } from '../member.ts';
import { Refusal } from './gatekeeper.ts';
import { RequestRate, type RequestRateOptions } from './request-rate.ts';

export interface OccupancyOptions extends RequestRateOptions {
  readonly maxRequests: number;
  readonly maxRequestsPerMember: number;
}

export class Occupancy {
  readonly #options: OccupancyOptions;
  readonly #perMember = new Map<MemberId, number>();
  readonly #rate: RequestRate;
  #inFlight = 0;

  /** `now`: milliseconds on a clock that never jumps. */
  constructor(options: OccupancyOptions, now: () => number) {
    this.#options = options;
    this.#rate = new RequestRate(options, now);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Throws a Refusal. Whoever entered leaves once. */
  enter(member: MemberId): void {
    const { maxRequests, maxRequestsPerMember } = this.#options;
    if (this.#inFlight >= maxRequests) {
      throw new Refusal('limit', 'Busy', `${maxRequests} requests are in flight here; that is the limit.`);
    }
    const own = this.#perMember.get(member) ?? 0;
    if (own >= maxRequestsPerMember) {
      throw new Refusal('limit', 'Busy', `${own} requests of ${member} are in flight here; that is the limit.`);
    }
    if (!this.#rate.take(member)) {
      const { maxRequestsPerSecond } = this.#options;
      throw new Refusal('limit', 'Busy', `${member} has made more than ${maxRequestsPerSecond} requests in a second.`);
    }
    this.#inFlight += 1;
    this.#perMember.set(member, own + 1);
  }

  leave(member: MemberId): void {
    this.#inFlight -= 1;
    const own = (this.#perMember.get(member) ?? 1) - 1;
    if (own === 0) this.#perMember.delete(member);
    else this.#perMember.set(member, own);
  }
}
