// Some of those who hold one piece, all of them while they are few: so that a holder is found without looking through
// thousands who do not have it.
import type { MemberId } from '../member.ts';

/** Enough to be near the best. */
const SAMPLE = 64;

export class HolderSample {
  readonly #ids: MemberId[] = [];
  #count = 0;

  /** All who hold it. */
  get count(): number {
    return this.#count;
  }

  /** The number of those that can be looked at. */
  get size(): number {
    return this.#ids.length;
  }

  /** Past the limit the newest takes the place of another. */
  add(id: MemberId): void {
    if (this.#ids.length < SAMPLE) this.#ids.push(id);
    else this.#ids[this.#count % SAMPLE] = id;
    this.#count += 1;
  }

  /** Of one that was added. `rest`: all who hold it still, looked through only where none of them is known by name. */
  remove(id: MemberId, rest: () => Iterable<MemberId>): void {
    this.#count -= 1;
    const at = this.#ids.indexOf(id);
    if (at !== -1) this.#ids.splice(at, 1);
    if (this.#ids.length > 0 || this.#count === 0) return;
    for (const holder of rest()) {
      if (this.#ids.length >= SAMPLE) return;
      this.#ids.push(holder);
    }
  }

  /** Every one of the sample once, beginning at the place that `turn` in [0, 1) names. */
  at(step: number, turn: number): MemberId | undefined {
    return this.#ids[(Math.floor(turn * this.#ids.length) + step) % this.#ids.length];
  }
}
