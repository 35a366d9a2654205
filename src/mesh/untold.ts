// What owners of slabs have not heard of what this gateway holds, each piece once. Only that is kept: what is not held any
// longer, who asks for it finds out, while a release that comes late would end what was begun since.
import type { MemberId } from './member.ts';
import type { ToldOf } from './tracker/tell-together.ts';

/** Pieces of all owners together; what is beyond is lost, which may cost the origin a read. */
const MAX_UNTOLD = 16_384;

export class Untold {
  /** Of each owner, by piece. */
  #byOwner = new Map<MemberId, Map<string, ToldOf>>();
  #count = 0;

  add(owner: MemberId, items: readonly ToldOf[]): void {
    const kept = this.#byOwner.get(owner) ?? new Map<string, ToldOf>();
    this.#byOwner.set(owner, kept);
    for (const { slab, told } of items) {
      for (const held of told.held ?? []) {
        const key = `${slab.key} ${held.piece}`;
        if (!kept.has(key) && this.#count >= MAX_UNTOLD) continue;
        if (!kept.has(key)) this.#count += 1;
        kept.set(key, { slab, told: { held: [held] } });
      }
    }
  }

  /** All of it; it counts as told. */
  take(): ReadonlyMap<MemberId, readonly ToldOf[]> {
    const taken = new Map([...this.#byOwner].map(([owner, kept]) => [owner, [...kept.values()]] as const));
    this.#byOwner = new Map();
    this.#count = 0;
    return taken;
  }
}
