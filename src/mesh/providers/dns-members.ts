// The trackers as a name of the DNS gives them: its addresses, each with the one port. A Kubernetes headless service is
// such a name. It is asked as the system asks, with its search domains and its hosts file.
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { untilAborted } from '../../concurrency/until-aborted.ts';
import type { MemberId } from '../member.ts';
import { type MemberAddress, memberIdAt } from '../member-address.ts';
import type { MembersProvider } from './provider.ts';

export interface DnsMembersDeps {
  readonly lookup: (host: string, family: 4 | 6) => Promise<readonly string[]>;
}

export interface DnsMembersOptions {
  readonly name: MemberAddress;
  /** Of the addresses that are used; a gateway with two would be two gateways otherwise. */
  readonly family: 4 | 6;
}

/** What says that there is no address: a service without a gateway that is ready yet. */
const NOBODY: readonly unknown[] = ['ENOTFOUND', 'ENODATA'];

export class DnsMembers implements MembersProvider {
  readonly #deps: DnsMembersDeps;
  readonly #options: DnsMembersOptions;
  #asking: Promise<readonly MemberId[]> | undefined;

  constructor(options: DnsMembersOptions, deps: DnsMembersDeps = { lookup: systemLookup }) {
    this.#deps = deps;
    this.#options = options;
  }

  read(signal: AbortSignal): Promise<readonly MemberId[]> {
    // The system cannot be told to stop; one question at a time, however long its answer takes.
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return untilAborted(this.#asking, signal);
  }

  async #ask(): Promise<readonly MemberId[]> {
    const { name, family } = this.#options;
    try {
      const addresses = await this.#deps.lookup(name.host, family);
      return addresses.map((host) => memberIdAt({ host, port: name.port }));
    } catch (cause) {
      if (NOBODY.includes((cause as NodeJS.ErrnoException).code)) return [];
      throw new Error(`The name ${name.host} cannot be looked up (mesh.members.dns).`, { cause });
    }
  }
}

/** Of the addresses by which a gateway is called. */
export function familyOf(host: string): 4 | 6 {
  return isIPv6(host) ? 6 : 4;
}

async function systemLookup(host: string, family: 4 | 6): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, family });
  return found.map(({ address }) => address);
}
