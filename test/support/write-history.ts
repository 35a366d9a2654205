// What racing writers and readers of one key did, in the order of a common clock, and whether a read saw anything older
// than what was acknowledged before it began.

interface Write {
  readonly value: string | undefined;
  readonly begun: number;
  acknowledged: number;
}

/** What a read answers that was cut: there is nothing to judge. */
export const CUT = Symbol('cut');

export class WriteHistory {
  #clock = 0;
  readonly #writes: Write[] = [{ value: undefined, begun: -2, acknowledged: -1 }];

  /** `value`: undefined for a delete. Values are unique. A write that fails may have happened, at any later time. */
  async write(value: string | undefined, act: () => Promise<unknown>): Promise<void> {
    const write: Write = { value, begun: this.#tick(), acknowledged: Number.POSITIVE_INFINITY };
    this.#writes.push(write);
    await act();
    write.acknowledged = this.#tick();
  }

  /** Answers what was wrong with what was read; undefined: nothing. */
  async read(act: () => Promise<string | undefined | typeof CUT>): Promise<string | undefined> {
    const begun = this.#tick();
    const value = await act();
    if (value === CUT) return undefined;
    const candidates = this.#writes.filter((write) => write.value === value);
    if (candidates.length === 0) return `'${value}' was never written`;
    const fresh = candidates.some((write) => !this.#writes.some((newer) => isBetween(newer, write, begun)));
    return fresh ? undefined : `'${value ?? 'nothing'}' was read though newer had been acknowledged before`;
  }

  #tick(): number {
    this.#clock += 1;
    return this.#clock;
  }
}

/** Wholly after the one write, and acknowledged before the read began. */
function isBetween(newer: Write, write: Write, readBegun: number): boolean {
  return newer.begun > write.acknowledged && newer.acknowledged < readBegun;
}
