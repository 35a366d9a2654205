// Who a gateway is to the others of its mesh.

/** Where others reach it, as `host:port`: its identity. */
export type MemberId = string;

/** tracker: keeps track for others too. peer: does not. seed: a tracker that preheats go to first. */
export type Role = 'tracker' | 'peer' | 'seed';

export interface Member {
  readonly id: MemberId;
  readonly role: Role;
  /** Where it is; undefined: nobody said. */
  readonly zone: string | undefined;
  /** Another one after each start: what was known of an earlier run is not believed of this one. */
  readonly incarnation: string;
  /** Its Ed25519 public key of this run, raw in base64url: proves the digests of what it reads from an origin. */
  readonly key: string;
}

/** One start of a gateway: what it believes is not what an earlier one believed, and let go of. */
export type Run = Pick<Member, 'id' | 'incarnation'>;

export function isTracker(member: Pick<Member, 'role'>): boolean {
  return member.role !== 'peer';
}
