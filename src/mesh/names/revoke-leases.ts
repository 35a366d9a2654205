// Makes sure that nobody believes names any longer: all who hold leases on them are told at once, each of all its names
// together; whoever does not answer is waited for until its leases have run out.
import { delay, type MeshClock } from '../clock.ts';
import type { MemberId } from '../member.ts';
import type { OwnedName } from './owned-name.ts';

/** Resolves when the member believes nothing it knows of these names. */
export type Revoke = (member: MemberId, keys: readonly string[], signal: AbortSignal) => Promise<void>;

interface Holder {
  readonly keys: string[];
  untilMs: number;
}

/** `writer` has let go of its own before it asked. Never rejects. */
export async function revokeLeases(
  deps: { readonly clock: MeshClock; readonly revoke: Revoke },
  names: readonly OwnedName[],
  writer: MemberId,
): Promise<void> {
  const now = deps.clock.now();
  for (const name of names) name.leases.delete(writer);
  const holders = holdersOf(names, now);
  const forgottenUntilMs = Math.max(0, ...names.map((name) => name.forgottenUntilMs));
  await Promise.all([
    ...[...holders].map(([member, holder]) => revokeAt(deps, member, holder.keys, holder.untilMs - now)),
    delay(deps.clock, forgottenUntilMs - now),
  ]);
  for (const { leases } of names) {
    // One that was granted meanwhile is another writer's to revoke, or its end's.
    for (const [member, { untilMs }] of holders) if ((leases.get(member) ?? 0) <= untilMs) leases.delete(member);
  }
}

function holdersOf(names: readonly OwnedName[], nowMs: number): Map<MemberId, Holder> {
  const holders = new Map<MemberId, Holder>();
  for (const { key, leases } of names) {
    for (const [member, untilMs] of leases) {
      if (untilMs <= nowMs) continue;
      const holder = holders.get(member) ?? { keys: [], untilMs };
      holder.keys.push(key);
      holder.untilMs = Math.max(holder.untilMs, untilMs);
      holders.set(member, holder);
    }
  }
  return holders;
}

function revokeAt(
  { clock, revoke }: { readonly clock: MeshClock; readonly revoke: Revoke },
  member: MemberId,
  keys: readonly string[],
  leftMs: number,
): Promise<void> {
  const controller = new AbortController();
  return new Promise((resolve) => {
    const cancel = clock.after(leftMs, () => {
      resolve();
      controller.abort();
    });
    const done = () => {
      cancel();
      resolve();
    };
    // Who cannot be told is waited for.
    revoke(member, keys, controller.signal).then(done, () => undefined);
  });
}
