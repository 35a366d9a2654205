// Makes sure that nobody believes names any longer: all who hold leases on them are told at once, each of all its names
// together; whoever does not answer is waited for until its leases have run out.
import { delay, type MeshClock } from '../clock.ts';
import type { MemberId, Run } from '../member.ts';
import { dropLease, type OwnedName } from './owned-name.ts';

/** Resolves when the member believes nothing it knows of these names. */
export type Revoke = (member: MemberId, keys: readonly string[], signal: AbortSignal) => Promise<void>;

interface Holder {
  /** Each once, also where several runs of the member have leases on it. */
  readonly keys: Set<string>;
  untilMs: number;
}

/** `writer` has let go of its own before it asked, which no other run of its gateway has. Never rejects. */
export async function revokeLeases(
  deps: { readonly clock: MeshClock; readonly revoke: Revoke },
  names: readonly OwnedName[],
  writer: Run,
): Promise<void> {
  const now = deps.clock.now();
  for (const name of names) dropLease(name, writer);
  const held = names.map((name) => ({ name, leases: [...name.leases] }));
  const forgottenUntilMs = Math.max(0, ...names.map((name) => name.forgottenUntilMs));
  await Promise.all([
    ...[...holdersOf(names, now)].map(([member, { keys, untilMs }]) =>
      revokeAt(deps, member, [...keys], untilMs - now),
    ),
    delay(deps.clock, forgottenUntilMs - now),
  ]);
  for (const { name, leases } of held) {
    // One that was granted meanwhile is another writer's to revoke, or its end's.
    for (const [run, lease] of leases) if (name.leases.get(run) === lease) name.leases.delete(run);
  }
}

function holdersOf(names: readonly OwnedName[], nowMs: number): Map<MemberId, Holder> {
  const holders = new Map<MemberId, Holder>();
  for (const { key, leases } of names) {
    for (const { member, untilMs } of leases.values()) {
      if (untilMs <= nowMs) continue;
      const holder = holders.get(member) ?? { keys: new Set(), untilMs };
      holder.keys.add(key);
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
