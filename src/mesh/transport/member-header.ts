// A member as a header says it. Fields that are not known are passed over, so that newer gateways may say more.
import { LRUCache } from 'lru-cache';
import type { Member, Role } from '../member.ts';
import { memberAddress } from '../member-address.ts';

const ROLES: readonly string[] = ['tracker', 'peer', 'seed'] satisfies readonly Role[];
const MAX_LENGTH = 1_024;
const MAX_ZONE_LENGTH = 128;

export function writeMember({ id, role, zone, incarnation, key }: Member): string {
  return new URLSearchParams({ id, role, ...(zone === undefined ? {} : { zone }), incarnation, key }).toString();
}

/** Reads what it read before from memory; the same header gives the same object. */
export class MemberReader {
  readonly #read = new LRUCache<string, Member>({ max: 20_000 });

  /** Undefined: it says no member. */
  read(header: string | undefined): Member | undefined {
    if (header === undefined || header.length > MAX_LENGTH) return undefined;
    const known = this.#read.get(header);
    if (known !== undefined) return known;
    const member = parseMember(header);
    if (member !== undefined) this.#read.set(header, member);
    return member;
  }
}

function parseMember(header: string): Member | undefined {
  const fields = new URLSearchParams(header);
  const id = fields.get('id') ?? '';
  const role = fields.get('role') ?? '';
  const zone = fields.get('zone') ?? undefined;
  const incarnation = fields.get('incarnation') ?? '';
  const key = fields.get('key') ?? '';
  if (memberAddress(id) === undefined || !/^[\w-]{1,64}$/.test(incarnation) || !/^[\w-]{43}$/.test(key)) {
    return undefined;
  }
  if (zone !== undefined && (zone === '' || zone.length > MAX_ZONE_LENGTH)) return undefined;
  // A role of a later version is taken for one that does nothing for others.
  return { id, role: ROLES.includes(role) ? (role as Role) : 'peer', zone, incarnation, key };
}
