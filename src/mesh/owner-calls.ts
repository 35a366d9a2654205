// Asks the owners of something, the first of them first. One that cannot be reached is passed over for a while; when
// none can, the gateway goes on by itself.
import type { MemberId } from './member.ts';
import { MeshError } from './transport.ts';

export interface OwnerCallsOptions {
  /** For how long a member that could not be reached is asked last. */
  readonly downMs: number;
}

export class OwnerCalls {
  readonly #now: () => number;
  readonly #options: OwnerCallsOptions;
  readonly #downUntilMs = new Map<MemberId, number>();

  constructor(deps: { now: () => number }, options: OwnerCallsOptions) {
    this.#now = deps.now;
    this.#options = options;
  }

  isDown(member: MemberId): boolean {
    return (this.#downUntilMs.get(member) ?? 0) > this.#now();
  }

  /** Those that answered lately first; the order is kept otherwise. */
  inOrder(owners: readonly MemberId[]): MemberId[] {
    return [...owners.filter((id) => !this.isDown(id)), ...owners.filter((id) => this.isDown(id))];
  }

  /** What came of a call: remembered where it says that the member cannot be reached. */
  note(member: MemberId, error: unknown): void {
    const isRefused = error instanceof MeshError && error.code === 'Refused';
    if (isRefused || isUnreachable(error)) {
      this.#downUntilMs.set(member, this.#now() + this.#options.downMs);
    }
  }

  answered(member: MemberId): void {
    this.#downUntilMs.delete(member);
  }
}

/** It would have been understood, had it come through. */
export function isUnheard(error: unknown): boolean {
  return isUnreachable(error) || (error instanceof MeshError && error.code === 'Busy');
}

function isUnreachable(error: unknown): boolean {
  return isTimeout(error) || (error instanceof MeshError && error.code === 'Unreachable');
}

/** Of a patienceSignal or an AbortSignal.timeout. */
function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
