// Fails fast while an origin is down: after so many failures in a row no request goes out for a while, then one probe
// does, and its outcome decides. Any answer, a refusal included, proves that the origin is up; an aborted request
// proves nothing. (cockatiel's breaker is not used here: it counts by the wall clock, lets everybody wait for the
// probe, and takes a request that its caller gave up for a success.)
import { BackendError } from '../backend.ts';
import type { Clock } from './clock.ts';

interface CircuitOptions {
  readonly failuresToOpen: number;
  /** Doubles with each probe that fails, up to maxOpenMs. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Names the origin in messages. */
  readonly origin: string;
  readonly onChange: (state: 'open' | 'closed', cause: unknown) => void;
}

/** One request's leave to go out. The first call counts, later ones do nothing. */
export interface Pass {
  readonly isProbe: boolean;
  answered(): void;
  failed(error: unknown): void;
  abandoned(): void;
}

export class Circuit {
  readonly #clock: Clock;
  readonly #options: CircuitOptions;
  #failuresInRow = 0;
  #open: { untilMs: number; lastedMs: number; probing: boolean; cause: unknown } | undefined;

  constructor(clock: Clock, options: CircuitOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Throws Unavailable where enter() would, without taking the probe. */
  check(): void {
    if (this.#open === undefined) return;
    const leftMs = this.#open.untilMs - this.#clock.nowMs();
    if (leftMs > 0 || this.#open.probing) throw this.#refusal(this.#open.cause, leftMs);
  }

  enter(): Pass {
    this.check();
    const isProbe = this.#open !== undefined;
    if (this.#open !== undefined) this.#open.probing = true;
    let settled = false;
    const once = (settle: () => void) => () => {
      if (settled) return;
      settled = true;
      settle();
    };
    return {
      isProbe,
      answered: once(() => this.#answered(isProbe)),
      failed: (error) => once(() => this.#failed(isProbe, error))(),
      abandoned: once(() => this.#abandoned(isProbe)),
    };
  }

  #answered(isProbe: boolean): void {
    this.#failuresInRow = 0;
    if (!isProbe || this.#open === undefined) return;
    this.#open = undefined;
    this.#options.onChange('closed', undefined);
  }

  #failed(isProbe: boolean, cause: unknown): void {
    this.#failuresInRow += 1;
    if (isProbe && this.#open !== undefined) {
      this.#openFor(Math.min(this.#open.lastedMs * 2, this.#options.maxOpenMs), cause);
    } else if (this.#open === undefined && this.#failuresInRow >= this.#options.failuresToOpen) {
      this.#openFor(this.#options.openMs, cause);
      this.#options.onChange('open', cause);
    }
  }

  #abandoned(isProbe: boolean): void {
    if (isProbe && this.#open !== undefined) this.#open.probing = false;
  }

  #openFor(durationMs: number, cause: unknown): void {
    this.#open = { untilMs: this.#clock.nowMs() + durationMs, lastedMs: durationMs, probing: false, cause };
  }

  #refusal(cause: unknown, leftMs: number): BackendError {
    const next = leftMs > 0 ? `the next try is in ${Math.ceil(leftMs / 1_000)} s` : 'a try is under way';
    return new BackendError('Unavailable', `Origin ${this.#options.origin} is not answering; ${next}.`, {
      cause,
      nativeCode: 'CircuitOpen',
    });
  }
}
