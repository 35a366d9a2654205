// Work that tells as it goes, as something to iterate over.

/**
 * What the work tells, in order; ends when the work has ended, and fails as it fails. Whoever stops before its end
 * aborts the signal, which ends the work; return() waits for that. What is told faster than it is taken piles up: tell
 * little.
 */
export async function* toldBy<T>(
  work: (tell: (item: T) => void, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const leaving = new AbortController();
  const items: T[] = [];
  let wake = () => {};
  let isOver = false;
  const tell = (item: T) => {
    items.push(item);
    wake();
  };
  const running = work(tell, AbortSignal.any([signal, leaving.signal])).finally(() => {
    isOver = true;
    wake();
  });
  // Awaited below; until then nobody listens.
  running.catch(() => undefined);
  try {
    while (!isOver || items.length > 0) {
      yield* items.splice(0);
      if (isOver || items.length > 0) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await running;
  } finally {
    leaving.abort(new Error('Nobody listens any longer.'));
    await running.catch(() => undefined);
  }
}
