// A list of trackers as every gateway holds it: sorted, each once, and a short hash by which two gateways see that they
// hold the same.
import { hash } from 'node:crypto';
import type { MemberId } from './member.ts';

export interface TrackerList {
  readonly ids: readonly MemberId[];
  readonly hash: string;
}

const HASH_DIGITS = 16;

export function trackerList(ids: Iterable<MemberId>): TrackerList {
  const sorted = Object.freeze([...new Set(ids)].sort());
  return { ids: sorted, hash: hash('sha256', sorted.join('\n'), 'hex').slice(0, HASH_DIGITS) };
}
