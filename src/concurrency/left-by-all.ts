// One call for several callers: it is over when the last of them has left.

/** Aborts when every one of the signals has. `end`: they are listened to no longer. */
export function leftByAll(signals: readonly AbortSignal[]): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const left = () => {
    if (signals.every(({ aborted }) => aborted)) controller.abort();
  };
  for (const signal of signals) signal.addEventListener('abort', left, { once: true });
  left();
  return {
    signal: controller.signal,
    end: () => {
      for (const signal of signals) signal.removeEventListener('abort', left);
    },
  };
}
