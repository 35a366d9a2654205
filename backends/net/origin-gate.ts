// The way one request takes to its origin: circuit, slot, circuit again, attempt, and perhaps another attempt.
import type { Readable } from 'node:stream';
import { ExponentialBackoff } from 'cockatiel';
import { BackendError, type BackendErrorCode, type ObjectRead } from '../backend.ts';
import type { Circuit, Pass } from './circuit.ts';
import { type Clock, wait } from './clock.ts';
import type { Priority } from './priority.ts';
import type { Slots } from './slots.ts';

interface GateDeps {
  readonly slots: Slots;
  readonly circuit: Circuit;
  readonly clock: Clock;
}

interface RetryOptions {
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
}

/** The origin is in trouble, not the request. */
const DOWN: ReadonlySet<BackendErrorCode> = new Set(['Unavailable', 'Timeout', 'Internal']);
/** Not 'Timeout': it was long already, and whoever waits would wait as long again. */
const WORTH_A_RETRY: ReadonlySet<BackendErrorCode> = new Set(['Unavailable', 'Internal', 'SlowDown']);

export class OriginGate {
  readonly #deps: GateDeps;
  readonly #options: RetryOptions;

  constructor(deps: GateDeps, options: RetryOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  once<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#attempt(attempt, signal);
  }

  repeatable<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#repeat(() => this.#attempt(attempt, signal), signal);
  }

  /** The slot is held until the body has ended or was destroyed. */
  repeatableRead(
    attempt: () => Promise<ObjectRead>,
    priority: () => Priority,
    signal: AbortSignal,
  ): Promise<ObjectRead> {
    return this.#repeat(() => this.#attemptRead(attempt, priority, signal), signal);
  }

  async #attempt<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { release, pass } = await this.#enter(() => 'demand', signal);
    try {
      const result = await attempt();
      pass.answered();
      return result;
    } catch (error) {
      settle(pass, error, signal);
      throw error;
    } finally {
      release();
    }
  }

  async #attemptRead(
    attempt: () => Promise<ObjectRead>,
    priority: () => Priority,
    signal: AbortSignal,
  ): Promise<ObjectRead> {
    const { release, pass } = await this.#enter(priority, signal);
    try {
      const read = await attempt();
      // A probe has its answer now; other reads are judged by their whole body.
      if (pass.isProbe) pass.answered();
      onceClosed(read.body, () => {
        if (read.body.errored === null) pass.answered();
        else settle(pass, read.body.errored, signal);
        release();
      });
      return read;
    } catch (error) {
      settle(pass, error, signal);
      release();
      throw error;
    }
  }

  async #enter(priority: () => Priority, signal: AbortSignal): Promise<{ release: () => void; pass: Pass }> {
    this.#deps.circuit.check();
    const release = await this.#deps.slots.acquire(priority, signal);
    try {
      return { release, pass: this.#deps.circuit.enter() };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #repeat<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { retries, retryDelayMs, maxRetryDelayMs } = this.#options;
    let backoff = new ExponentialBackoff({ initialDelay: retryDelayMs, maxDelay: maxRetryDelayMs }).next();
    for (let left = retries; ; left -= 1) {
      try {
        return await attempt();
      } catch (error) {
        if (left <= 0 || !isWorthARetry(error) || signal.aborted) throw error;
        await wait(this.#deps.clock, backoff.duration, signal);
        backoff = backoff.next(undefined);
      }
    }
  }
}

function onceClosed(body: Readable, then: () => void): void {
  if (body.closed) then();
  else body.once('close', then);
}

function isWorthARetry(error: unknown): boolean {
  return error instanceof BackendError && WORTH_A_RETRY.has(error.code) && error.nativeCode !== 'CircuitOpen';
}

function settle(pass: Pass, error: unknown, signal: AbortSignal): void {
  if (signal.aborted || !(error instanceof BackendError)) pass.abandoned();
  else if (DOWN.has(error.code)) pass.failed(error);
  else pass.answered();
}
