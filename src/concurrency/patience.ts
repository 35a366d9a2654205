// Time limits for what others are to do. Only time that this process lived through counts: one that was starved of
// processors or stopped finds, when it wakes, what came meanwhile before it gives up on it.

/** What is waited for can come in between. */
const SLICES = 4;

/** Calls `late` once after this time, unless what it answers is called before. */
export function afterPatience(limitMs: number, late: () => void): () => void {
  let left = SLICES;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    late();
  }, limitMs / SLICES).unref();
  return () => clearInterval(timer);
}

/** Aborted after this time, with the error that AbortSignal.timeout gives. */
export function patienceSignal(limitMs: number): AbortSignal {
  const controller = new AbortController();
  afterPatience(limitMs, () =>
    controller.abort(new DOMException(`Nothing came within ${limitMs} ms.`, 'TimeoutError')),
  );
  return controller.signal;
}
