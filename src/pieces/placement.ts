// Which disk a piece goes to: weighted rendezvous hashing. Each disk gets pieces in proportion to its weight, and a
// disk that leaves or comes back moves only its own share. Pure.
import { createHash } from 'node:crypto';

export interface Weighted {
  readonly id: string;
  /** Above 0. */
  readonly weight: number;
}

/** The candidate with the highest score for this key; undefined of none. */
export function place<T extends Weighted>(key: string, candidates: readonly T[]): T | undefined {
  if (candidates.length < 2) return candidates[0];
  let best: T | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const candidate of candidates) {
    const score = -candidate.weight / Math.log(unit(key, candidate.id));
    if (score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

/** Uniform in (0, 1). Neither a key nor an id holds a newline. */
function unit(key: string, id: string): number {
  const digest = createHash('sha256').update(`${key}\n${id}`).digest();
  return (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
}
