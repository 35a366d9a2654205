// What no protocol can beat: the time for which the wires alone are needed if bytes flowed like water (Kumar and Ross,
// "Peer-assisted file distribution: the minimum distribution time", 2006).
import type { Link } from './lab-network.ts';

const BITS_PER_BYTE = 8;
const BITS_PER_MBIT = 1e6;

export interface Demand {
  /** Bytes that somebody wants, each counted once. */
  readonly distinctBytes: number;
  /** Bytes that each waited-for peer wants. */
  readonly peerBytes: number;
}

/**
 * Seconds. `origin` and `peers`: their links; only the first `readers` of the peers are waited for, the others may
 * help.
 */
export function fluidBound(demand: Demand, origin: Link, peers: readonly Link[], readers: number): number {
  const { distinctBytes, peerBytes } = demand;
  const slowest = Math.min(...peers.slice(0, readers).map(({ downMbit }) => downMbit));
  const upload = peers.reduce((sum, { upMbit }) => sum + upMbit, origin.upMbit);
  return Math.max(
    transferSeconds(distinctBytes, origin.upMbit),
    transferSeconds(peerBytes, slowest),
    transferSeconds(readers * peerBytes, upload),
  );
}

export function transferSeconds(bytes: number, mbit: number): number {
  return (bytes * BITS_PER_BYTE) / (mbit * BITS_PER_MBIT);
}
