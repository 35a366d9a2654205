// Which gateways a preheat goes to. Pure.
import type { SeenMember } from '../mesh/mesh-overview.ts';

export interface PreheatAim {
  /** Gateways in this zone only. */
  readonly zone?: string | undefined;
  /** At most so many; undefined without `all` and `zone`: every seed, or where there is none the gateway that was asked. */
  readonly to?: number | undefined;
  readonly all: boolean;
}

type Candidate = Pick<SeenMember, 'id' | 'role' | 'zone' | 'answers'>;

const ORDER = ['seed', 'tracker', 'peer', undefined] as const;

/** Of those that answer, the first of which is the gateway that was asked. Throws, in words for the operator, when there is none. */
export function preheatTargets<Member extends Candidate>(members: readonly Member[], aim: PreheatAim): Member[] {
  const answering = members.filter(({ answers }) => answers);
  const within = answering.filter(({ zone }) => aim.zone === undefined || zone === aim.zone);
  if (within.length === 0) {
    const zones = [...new Set(answering.flatMap(({ zone }) => zone ?? []))].toSorted();
    throw new Error(
      `No gateway in zone '${aim.zone}' answers; those that answer are in ${zones.length === 0 ? 'no zone' : zones.join(', ')}.`,
    );
  }
  const seedsFirst = within.toSorted((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role));
  if (aim.to !== undefined) return seedsFirst.slice(0, aim.to);
  if (aim.all || aim.zone !== undefined) return seedsFirst;
  const seeds = seedsFirst.filter(({ role }) => role === 'seed');
  return seeds.length > 0 ? seeds : within.slice(0, 1);
}
