// Who did not answer a moment ago, so that not everybody waits for him in turn.
import type { MeshClock } from '../clock.ts';
import type { MemberId } from '../member.ts';

export class Silence {
  readonly #clock: Pick<MeshClock, 'now'>;
  readonly #forMs: number;
  readonly #untilMs = new Map<MemberId, number>();

  constructor(deps: { clock: Pick<MeshClock, 'now'> }, options: { forMs: number }) {
    this.#clock = deps.clock;
    this.#forMs = options.forMs;
  }

  isSilent(id: MemberId): boolean {
    const untilMs = this.#untilMs.get(id);
    if (untilMs === undefined) return false;
    if (this.#clock.now() < untilMs) return true;
    this.#untilMs.delete(id);
    return false;
  }

  missed(id: MemberId): void {
    this.#untilMs.set(id, this.#clock.now() + this.#forMs);
    for (const other of this.#untilMs.keys()) this.isSilent(other);
  }

  heard(id: MemberId): void {
    this.#untilMs.delete(id);
  }
}
