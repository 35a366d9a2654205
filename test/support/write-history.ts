// What racing writers and readers of one key did, in the order of a common clock, and whether a read saw anything older
// than what was acknowledged before it began.

interface Write {
  readonly value: string | undefined;
  /** It took effect between these: from its begin until it was acknowledged, or at the instant that the origin tells. */
  from: number;
  to: number;
  acknowledged: number;
}

export interface WriteHistoryOptions {
  /** The origin tells when each write took effect; until it does, nobody can have read it. */
  readonly isToldOrder: boolean;
}

/** What a read answers that was cut: there is nothing to judge. */
export const CUT = Symbol('cut');

export class WriteHistory {
  #clock = 0;
  readonly #isToldOrder: boolean;
  readonly #writes: Write[] = [{ value: undefined, from: -2, to: -2, acknowledged: -1 }];

  constructor({ isToldOrder }: WriteHistoryOptions = { isToldOrder: false }) {
    this.#isToldOrder = isToldOrder;
  }

  /** `value`: undefined for a delete. Values are unique. A write that fails may have happened, at any later time. */
  async write(value: string | undefined, act: (took: () => void) => Promise<unknown>): Promise<void> {
    const never = Number.POSITIVE_INFINITY;
    const begun = this.#tick();
    const write: Write = { value, from: this.#isToldOrder ? never : begun, to: never, acknowledged: never };
    this.#writes.push(write);
    await act(() => {
      write.from = this.#tick();
      write.to = write.from;
    });
    write.acknowledged = this.#tick();
    write.to = Math.min(write.to, write.acknowledged);
  }

  /** Answers what was wrong with what was read; undefined: nothing. */
  async read(act: () => Promise<string | undefined | typeof CUT>): Promise<string | undefined> {
    const begun = this.#tick();
    const value = await act();
    if (value === CUT) return undefined;
    const ended = this.#tick();
    const candidates = this.#writes.filter((write) => write.value === value && write.from < ended);
    if (candidates.length === 0) return `'${value}' was never written`;
    const fresh = candidates.some((write) => !this.#writes.some((newer) => isBetween(newer, write, begun)));
    return fresh ? undefined : `'${value ?? 'nothing'}' was read though newer had been acknowledged before`;
  }

  #tick(): number {
    this.#clock += 1;
    return this.#clock;
  }
}

/** Took effect after the one write, and was acknowledged before the read began. */
function isBetween(newer: Write, write: Write, readBegun: number): boolean {
  return newer.from > write.to && newer.acknowledged < readBegun;
}
