// The wires of a simulated mesh. Each member has a link up and a link down, and each is a queue: a transfer takes its
// place on both at once, never more than the link carries, and is done when the slower of the two has carried it. That
// is not fair sharing, in which all transfers of a link go on together, but a link is never idle while it has something
// to carry, and the last of a number of transfers is done at the same moment.
import type { MemberId } from '../../src/mesh/member.ts';
import type { EventQueue } from './event-queue.ts';

/** 'refused' is known at once (the process is gone), 'silent' after the caller's patience (the machine is gone). */
export type Reach = 'there' | 'refused' | 'silent';

export interface NetworkOptions {
  readonly upBytesPerMs: number;
  readonly downBytesPerMs: number;
  /** All of it, and the time to its first byte. */
  readonly originBytesPerMs: number;
  readonly originFirstByteMs: number;
  /** One way, within a zone and between zones. */
  readonly nearMs: number;
  readonly farMs: number;
  /** How long a caller waits for headers. */
  readonly patienceMs: number;
}

export interface Place {
  readonly id: MemberId;
  readonly zone: string | undefined;
}

export interface Carried {
  readonly beginsMs: number;
  readonly endsMs: number;
}

export class Network {
  readonly #queue: EventQueue;
  readonly #options: NetworkOptions;
  readonly #upFreeMs = new Map<MemberId, number>();
  readonly #downFreeMs = new Map<MemberId, number>();
  #originFreeMs = 0;
  /** Whom one member finds when it calls another. */
  reach: (from: Place, to: Place) => Reach = () => 'there';

  constructor(queue: EventQueue, options: NetworkOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  oneWayMs(from: Place, to: Place): number {
    if (from.id === to.id) return 0;
    return from.zone === to.zone ? this.#options.nearMs : this.#options.farMs;
  }

  /** One of the two is called, after the time that it takes. */
  send(from: Place, to: Place, arrived: () => void, failed: () => void): void {
    const wayMs = this.oneWayMs(from, to);
    if (wayMs === 0) {
      arrived();
      return;
    }
    this.#queue.after(wayMs, () => {
      const reach = this.reach(from, to);
      if (reach === 'there') arrived();
      else this.#queue.after(reach === 'refused' ? wayMs : this.#options.patienceMs - wayMs, failed);
    });
  }

  carry(from: MemberId, to: MemberId, bytes: number): Carried {
    const nowMs = this.#queue.nowMs;
    const { upBytesPerMs, downBytesPerMs } = this.#options;
    const upMs = Math.max(nowMs, this.#upFreeMs.get(from) ?? 0);
    const downMs = Math.max(nowMs, this.#downFreeMs.get(to) ?? 0);
    this.#upFreeMs.set(from, upMs + bytes / upBytesPerMs);
    this.#downFreeMs.set(to, downMs + bytes / downBytesPerMs);
    const endsMs = Math.max(upMs + bytes / upBytesPerMs, downMs + bytes / downBytesPerMs);
    return { beginsMs: Math.max(upMs, downMs), endsMs };
  }

  carryFromOrigin(to: MemberId, bytes: number): Carried {
    const nowMs = this.#queue.nowMs;
    const { originBytesPerMs, originFirstByteMs, downBytesPerMs } = this.#options;
    const beginsMs = Math.max(nowMs + originFirstByteMs, this.#originFreeMs);
    this.#originFreeMs = beginsMs + bytes / originBytesPerMs;
    const downMs = Math.max(nowMs, this.#downFreeMs.get(to) ?? 0) + bytes / downBytesPerMs;
    this.#downFreeMs.set(to, downMs);
    return { beginsMs, endsMs: Math.max(this.#originFreeMs, downMs) };
  }
}
