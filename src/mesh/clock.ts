// The time by which gateways grant each other things: durations on a clock that never jumps. A process that was
// suspended does not see that clock go on, so the wall's clock is looked at too: where the two say different things of
// how long ago something was, it was too long ago.

export interface MeshClock {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Milliseconds since the epoch; compared with itself only. */
  wallNow(): number;
  /** Calls back once, so many milliseconds later. What it returns prevents that. */
  after(ms: number, run: () => void): () => void;
}

export const SYSTEM_CLOCK: MeshClock = {
  now: () => performance.now(),
  wallNow: Date.now,
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** What the two clocks may differ by before they jumped: an hour's correction of a bad quartz, no suspension. */
const JUMP_MS = 1_000;

export function instant(clock: MeshClock): Instant {
  return { monotonicMs: clock.now(), wallMs: clock.wallNow() };
}

/** The longer of what both clocks say; Infinity when they jumped apart. */
export function elapsedMs(since: Instant, until: Instant): number {
  const monotonic = until.monotonicMs - since.monotonicMs;
  const wall = until.wallMs - since.wallMs;
  return Math.abs(wall - monotonic) > JUMP_MS ? Number.POSITIVE_INFINITY : Math.max(monotonic, wall);
}

/** Whether both clocks put it no later than the limit. */
export function isWithin(at: Instant, limit: Instant): boolean {
  const monotonic = limit.monotonicMs - at.monotonicMs;
  const wall = limit.wallMs - at.wallMs;
  return monotonic >= 0 && wall >= 0 && Math.abs(wall - monotonic) <= JUMP_MS;
}

export function later({ monotonicMs, wallMs }: Instant, ms: number): Instant {
  return { monotonicMs: monotonicMs + ms, wallMs: wallMs + ms };
}

export function delay(clock: MeshClock, ms: number): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/** The work's result, or what `late` makes of its lateness; the work itself goes on unless its signal says otherwise. */
export async function within<T>(
  clock: MeshClock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  late: () => Error,
): Promise<T> {
  const controller = new AbortController();
  const cancel = clock.after(ms, () => controller.abort(late()));
  try {
    const limited = AbortSignal.any([signal, controller.signal]);
    return await abortable(limited, work(limited));
  } finally {
    cancel();
  }
}

/** Does not wait longer than the signal lets it, even for work that does not listen. */
function abortable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
