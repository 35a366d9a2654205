// Verifies what lies on the shelf, slowly, over and over: damage is found before somebody asks for the bytes.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { CloseStack } from '../concurrency/close-stack.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { scrub } from '../pieces/scrub.ts';

/** Between one pass over the shelf and the next. */
const REST_MS = 60 * 60 * 1000;

export function startScrub(
  store: PieceStore,
  bytesPerSecond: number,
  { log, opened }: { log: Pick<Logger, 'info' | 'warn'>; opened: CloseStack },
): void {
  const stop = new AbortController();
  const running = run(store, bytesPerSecond, log, stop.signal);
  opened.push('scrub', () => {
    stop.abort();
    return running;
  });
}

async function run(
  store: PieceStore,
  bytesPerSecond: number,
  log: Pick<Logger, 'info' | 'warn'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await pause(REST_MS, undefined, { signal, ref: false });
      await pass(store, bytesPerSecond, log, signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'Verifying the cache in the background failed; it goes on later.');
    }
  }
}

async function pass(
  store: PieceStore,
  bytesPerSecond: number,
  log: Pick<Logger, 'info'>,
  signal: AbortSignal,
): Promise<void> {
  let [pieces, damaged] = [0, 0];
  for await (const { soundness } of scrub(store, { bytesPerSecond }, signal)) {
    pieces += 1;
    if (soundness === 'damaged') damaged += 1;
  }
  log.info({ pieces, damaged }, 'The cache was verified.');
}
