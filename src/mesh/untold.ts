// What owners of slabs have not heard of what this gateway holds. Only that is kept: what is not held any longer, who asks
// for it finds out, while a release that comes late would end what was begun since.
import type { MemberId } from './member.ts';
import type { ToldOf } from './tracker/tell-together.ts';

/** Tellings in all; beyond it they are lost, which may cost the origin a read. */
const MAX_UNTOLD = 16_384;

export class Untold {
  #byOwner = new Map<MemberId, ToldOf[]>();
  #count = 0;

  add(owner: MemberId, items: readonly ToldOf[]): void {
    const kept = this.#byOwner.get(owner) ?? [];
    this.#byOwner.set(owner, kept);
    for (const { slab, told } of items) {
      if (told.held === undefined || this.#count >= MAX_UNTOLD) continue;
      kept.push({ slab, told: { held: told.held } });
      this.#count += 1;
    }
  }

  /** All of it; it counts as told. */
  take(): ReadonlyMap<MemberId, readonly ToldOf[]> {
    const taken = this.#byOwner;
    this.#byOwner = new Map();
    this.#count = 0;
    return taken;
  }
}
