// Where a member's identity says it is reached.
import type { MemberId } from './member.ts';

export interface MemberAddress {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/;

/** Undefined: not written as host:port or [v6]:port. */
export function memberAddress(id: MemberId): MemberAddress | undefined {
  const [, bracketed, plain, digits] = ADDRESS.exec(id) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || !(port >= 1 && port <= 65_535) ? undefined : { host, port };
}

export function memberIdAt({ host, port }: MemberAddress): MemberId {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
