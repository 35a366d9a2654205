// Which members answer for a key: rendezvous hashing (highest random weight). Everybody with the same list finds the
// same ones, and a member that leaves moves only what it answered for. Pure.
import { hash } from 'node:crypto';

/** The `count` first of the members by rank for this key; fewer where there are fewer. Ids hold no newline. */
export function owners(key: string, members: readonly string[], count: number): string[] {
  const best: { readonly id: string; readonly score: string }[] = [];
  for (const id of members) {
    const score = hash('sha1', `${id}\n${key}`, 'hex');
    const at = best.findIndex((other) => score > other.score);
    if (at === -1 && best.length >= count) continue;
    best.splice(at === -1 ? best.length : at, 0, { id, score });
    if (best.length > count) best.pop();
  }
  return best.map(({ id }) => id);
}
