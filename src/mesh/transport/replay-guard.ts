// Which requests of which sender were seen: a window of sequence numbers for each run of each member, of a fixed size
// whatever they send. What is older than the window is refused as if it had been seen. Only senders that have proved
// themselves get here. A window is forgotten when whatever it has seen is refused for its date.

const WINDOW = 4_096;

export interface ReplayGuardOptions {
  /** How far a date may be from this clock. */
  readonly skewMs: number;
  /** Runs of members that are remembered at once. */
  readonly maxSenders: number;
}

interface Window {
  /** A byte for each of the last numbers, at their remainders. */
  readonly seen: Uint8Array;
  highest: number;
  latestDateMs: number;
}

export class ReplayGuard {
  readonly #options: ReplayGuardOptions;
  readonly #windows = new Map<string, Window>();

  constructor(options: ReplayGuardOptions) {
    this.#options = options;
  }

  /** `full`: there are too many senders, none of them old enough to be forgotten. */
  see(sender: string, sequence: number, dateMs: number, nowMs: number): 'new' | 'seen' | 'full' {
    let window = this.#windows.get(sender);
    if (window === undefined) {
      if (this.#windows.size >= this.#options.maxSenders) this.#forgetOld(nowMs);
      if (this.#windows.size >= this.#options.maxSenders) return 'full';
      window = { seen: new Uint8Array(WINDOW), highest: sequence - 1, latestDateMs: dateMs };
      this.#windows.set(sender, window);
    }
    if (!mark(window, sequence)) return 'seen';
    window.latestDateMs = Math.max(window.latestDateMs, dateMs);
    return 'new';
  }

  #forgetOld(nowMs: number): void {
    for (const [sender, { latestDateMs }] of this.#windows) {
      if (latestDateMs < nowMs - this.#options.skewMs) this.#windows.delete(sender);
    }
  }
}

function mark(window: Window, sequence: number): boolean {
  const { seen, highest } = window;
  if (sequence <= highest - WINDOW) return false;
  if (sequence > highest) {
    if (sequence - highest >= WINDOW) seen.fill(0);
    else for (let between = highest + 1; between < sequence; between += 1) seen[between % WINDOW] = 0;
    window.highest = sequence;
  } else if (seen[sequence % WINDOW] === 1) return false;
  seen[sequence % WINDOW] = 1;
  return true;
}
