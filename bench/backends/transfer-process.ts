// Runs transfer.ts and hears of it.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchedKind } from './open-bench-backend.ts';

export type Kind = BenchedKind | 'undici';
export type Direction = 'put' | 'get';

export interface Figures {
  readonly mibPerSecond: number;
  readonly cpuSecondsPerGib: number;
  /** The highest resident set during the transfer over the one before it. */
  readonly rssGrowthMib: number;
}

/** What the process sends its parent. */
export type Told = { readonly doneBytes: number } | { readonly figures: Figures };

export interface Transfer {
  readonly kind: Kind;
  readonly direction: Direction;
  readonly sizeBytes: number;
  readonly port: number;
  readonly folder: string;
}

const SCRIPT = fileURLToPath(new URL('transfer.ts', import.meta.url));
/** Without a byte of progress. */
const SILENCE_LIMIT_MS = 60_000;

export function runTransfer(transfer: Transfer, onProgress: (doneBytes: number) => void): Promise<Figures> {
  const { kind, direction, sizeBytes, port, folder } = transfer;
  const child = fork(SCRIPT, [kind, direction, String(sizeBytes), String(port), folder], {
    execArgv: ['--expose-gc', '--import', 'tsx'],
  });
  return new Promise((resolve, reject) => {
    let figures: Figures | undefined;
    let seenBytes = 0;
    const silence = setTimeout(() => child.kill('SIGKILL'), SILENCE_LIMIT_MS);
    child.on('message', (told: Told) => {
      if ('figures' in told) {
        figures = told.figures;
        return;
      }
      if (told.doneBytes === seenBytes) return;
      seenBytes = told.doneBytes;
      silence.refresh();
      onProgress(seenBytes);
    });
    child.once('error', reject);
    child.once('exit', (code, killedBy) => {
      clearTimeout(silence);
      if (figures !== undefined && code === 0) resolve(figures);
      else reject(new Error(`${kind} ${direction} ended with ${killedBy ?? code} after ${seenBytes} bytes.`));
    });
  });
}
