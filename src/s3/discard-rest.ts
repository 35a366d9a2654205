// Reads and drops what is left of a request's body, within limits, so that a client which is still sending gets to read
// the answer.
import type { IncomingMessage } from 'node:http';

export interface DiscardLimits {
  readonly lingerBytes: number;
  readonly lingerMs: number;
}

/** Resolves when the body has ended, the limits are reached, or the client has left. */
export function discardRest(request: IncomingMessage, limits: DiscardLimits, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (request.complete || request.destroyed || signal.aborted) {
      resolve();
      return;
    }
    let leftBytes = limits.lingerBytes;
    const count = (chunk: Buffer): void => {
      leftBytes -= chunk.length;
      if (leftBytes <= 0) done();
    };
    const timer = setTimeout(() => done(), limits.lingerMs);
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', count).off('end', done).off('close', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    request.on('data', count).on('end', done).on('close', done);
    signal.addEventListener('abort', done);
    request.resume();
  });
}
