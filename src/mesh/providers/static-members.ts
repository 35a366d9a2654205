// A list that is written down. One of nobody but the gateway itself is that of a mesh of one.
import type { MemberId } from '../member.ts';
import type { MembersProvider } from './provider.ts';

export class StaticMembers implements MembersProvider {
  readonly #ids: readonly MemberId[];

  constructor(ids: readonly MemberId[]) {
    this.#ids = ids;
  }

  async read(): Promise<readonly MemberId[]> {
    return this.#ids;
  }
}

/** Of a gateway that is the whole of its mesh. */
export function selfOnly(self: MemberId): MembersProvider {
  return new StaticMembers([self]);
}
