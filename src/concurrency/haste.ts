// How urgently something is waited for by all who wait for it together: it rises with whoever is in most of a hurry, so
// that nobody who joins waits behind others for what was begun in less of one.

/** demand: a client waits for it. ahead: a client is likely to. preheat: nobody does yet. */
export type Urgency = 'demand' | 'ahead' | 'preheat';

const RANKS: Readonly<Record<Urgency, number>> = { demand: 0, ahead: 1, preheat: 2 };

export function isBefore(one: Urgency, other: Urgency): boolean {
  return RANKS[one] < RANKS[other];
}

export class Haste {
  #urgency: Urgency;
  readonly #with: Haste[] = [];

  constructor(urgency: Urgency = 'preheat') {
    this.#urgency = urgency;
  }

  get urgency(): Urgency {
    return this.#urgency;
  }

  hurry(urgency: Urgency): void {
    if (!isBefore(urgency, this.#urgency)) return;
    this.#urgency = urgency;
    for (const other of this.#with) other.hurry(urgency);
  }

  /** Whoever waits for this waits for the other from now on. */
  carry(other: Haste): void {
    other.hurry(this.#urgency);
    this.#with.push(other);
  }
}
