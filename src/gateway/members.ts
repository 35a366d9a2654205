// The membership of the mesh as the configuration wants it. What a provider needs is loaded where it is configured.
import { networkInterfaces } from 'node:os';
import type { Logger } from 'pino';
import type { Metrics } from '../admin/metrics.ts';
import { formatAddress, parseAddress } from '../config/units.ts';
import type { Config } from '../config.ts';
import type { Member, MemberId } from '../mesh/member.ts';
import { memberAddress } from '../mesh/member-address.ts';
import { Members } from '../mesh/members.ts';
import { DnsMembers, familyOf } from '../mesh/providers/dns-members.ts';
import type { MembersProvider } from '../mesh/providers/provider.ts';
import { StaticMembers, selfOnly } from '../mesh/providers/static-members.ts';
import type { MeshTls } from '../mesh/transport/certificates.ts';
import { observeMembers } from './observe-members.ts';

export interface MembersDeps {
  readonly self: Member;
  readonly tls: MeshTls | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** `port`: the one that the mesh port has taken. */
export function ownMemberId({ mesh }: Config, port: number): MemberId {
  return formatAddress(mesh.advertise ?? { host: mesh.listen?.host ?? '127.0.0.1', port });
}

/** Not started yet. */
export async function openMembers({ mesh }: Config, deps: MembersDeps): Promise<Members> {
  const { self, log, metrics } = deps;
  const observer = observeMembers({ log, metrics });
  const members = new Members(
    {
      self,
      provider: await openProvider(mesh, deps),
      observer,
      now: () => performance.now(),
      random: Math.random,
    },
    {
      refreshMs: mesh.refresh,
      readTimeoutMs: mesh.membersTimeout,
      firstContactMs: mesh.firstContact,
      maxKnown: mesh.senders,
    },
  );
  metrics.set('dfstore_mesh_trackers', {}, members.trackers().length);
  return members;
}

async function openProvider(mesh: Config['mesh'], { self, tls }: MembersDeps): Promise<MembersProvider> {
  const { static: listed, dns, redis, lan } = mesh.members ?? {};
  if (listed !== undefined) return new StaticMembers(listed);
  if (dns !== undefined) {
    const family = familyOf(memberAddress(self.id)?.host ?? '');
    return new DnsMembers({ name: parseAddress(dns), family });
  }
  if (redis !== undefined) {
    const { RedisMembers } = await import('../mesh/providers/redis-members.ts');
    const { registryKey: key, memberTtl: ttlMs, membersTimeout: connectTimeoutMs } = mesh;
    return new RedisMembers({ url: redis, key, ttlMs, connectTimeoutMs });
  }
  if (lan === true) {
    const { LanMembers } = await import('../mesh/providers/lan-members.ts');
    const host = memberAddress(self.id)?.host;
    return new LanMembers({
      key: mesh.secret ?? Buffer.from(tls?.ca ?? ''),
      ttlMs: mesh.memberTtl,
      interface: isOwnIPv4(host) ? host : undefined,
    });
  }
  return selfOnly(self.id);
}

function isOwnIPv4(host: string | undefined): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family, address }) => family === 'IPv4' && address === host),
  );
}
