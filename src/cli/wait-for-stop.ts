// The signals that tell the gateway to stop. The second one is obeyed at once.
import { constants } from 'node:os';
import type { Logger } from 'pino';

/** Resolves with the first signal. */
export function waitForStop(log: Pick<Logger, 'warn'>): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let told = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (told) {
        log.warn({ signal }, 'Told to stop a second time: the gateway exits now.');
        process.exit(128 + constants.signals[signal]);
      }
      told = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
