// Whether the backends answer: asked at start and then from time to time, for /status, /readyz and the operator's log.

import type { Logger } from 'pino';
import type { Backend } from '../../backends/backend.ts';
import { patienceSignal } from '../concurrency/patience.ts';

export interface BackendCheck {
  readonly ok: boolean;
  readonly checkedAt: string;
  readonly error?: string | undefined;
}

interface BackendChecksDeps {
  readonly backends: ReadonlyMap<string, Pick<Backend, 'check'>>;
  readonly log: Pick<Logger, 'warn' | 'info'>;
  readonly now: () => Date;
  readonly onChecked: (backend: string, ok: boolean) => void;
}

export class BackendChecks {
  readonly #deps: BackendChecksDeps;
  readonly #options: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly #last = new Map<string, BackendCheck>();
  readonly #closed = new AbortController();
  #running: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #firstDone = false;

  /** The first round begins at once. */
  constructor(deps: BackendChecksDeps, options: { intervalMs: number; timeoutMs: number }) {
    this.#deps = deps;
    this.#options = options;
    this.#running = this.#round();
  }

  /** Every backend was asked once, and has answered or was given up. */
  get firstDone(): boolean {
    return this.#firstDone;
  }

  last(backend: string): BackendCheck | undefined {
    return this.#last.get(backend);
  }

  /** Resolves when the round that is under way is over. */
  settled(): Promise<void> {
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('The gateway is being closed.'));
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #round(): Promise<void> {
    await Promise.all([...this.#deps.backends].map(([name, backend]) => this.#check(name, backend)));
    this.#firstDone = true;
    if (this.#closed.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#round();
    }, this.#options.intervalMs).unref();
  }

  async #check(name: string, backend: Pick<Backend, 'check'>): Promise<void> {
    const { timeoutMs } = this.#options;
    const error = await failureOf(
      backend,
      AbortSignal.any([this.#closed.signal, patienceSignal(timeoutMs)]),
      `It did not answer within ${timeoutMs} ms.`,
    );
    if (this.#closed.signal.aborted) return;
    const wasOk = this.#last.get(name)?.ok;
    this.#last.set(name, { ok: error === undefined, checkedAt: this.#deps.now().toISOString(), error: error?.message });
    this.#deps.onChecked(name, error === undefined);
    if (error !== undefined && wasOk !== false) this.#deps.log.warn({ backend: name, err: error }, 'A backend fails.');
    if (error === undefined && wasOk === false) this.#deps.log.info({ backend: name }, 'The backend works again.');
  }
}

/** Also ends when the backend ignores the signal. */
async function failureOf(
  backend: Pick<Backend, 'check'>,
  signal: AbortSignal,
  timedOut: string,
): Promise<Error | undefined> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(timedOut, { cause: signal.reason })), { once: true });
  });
  try {
    await Promise.race([backend.check(signal), aborted]);
    return undefined;
  } catch (error) {
    if (signal.aborted) return new Error(timedOut, { cause: error });
    return error instanceof Error ? error : new Error(String(error));
  }
}
