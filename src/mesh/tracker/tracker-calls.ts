// What is said to a tracker and by it, whoever carries it. Pieces are numbered within their slab.
import type { BitSet } from '../../pieces/bit-set.ts';
import type { MemberId } from '../member.ts';
import type { SlabKey } from '../slab.ts';
import type { Proof, Source } from './slab-state.ts';

export interface SlabRef {
  readonly key: SlabKey;
  readonly pieces: number;
}

export interface Asked {
  readonly slab: SlabRef;
  /** Within the slab. */
  readonly pieces: readonly number[];
  /** Not from these. */
  readonly avoid: readonly MemberId[];
  /** Trackers that should have been asked first, and did not answer. */
  readonly inPlaceOf?: readonly MemberId[] | undefined;
}

export interface Announced {
  readonly piece: number;
  /** proof.ts: rootOf. */
  readonly root: string;
  /** Of the piece, that came from where it was last sent for. */
  readonly bytes?: number | undefined;
}

/** Who holds which pieces of a slab. What has no root counts for nothing. */
export interface Holdings {
  /** By piece. */
  readonly roots: ReadonlyMap<number, string>;
  readonly rows: readonly { readonly member: MemberId; readonly held: BitSet }[];
}

export interface Reported {
  readonly piece: number;
  readonly source: Source;
  readonly bytes: number;
  readonly waiting: boolean;
  /** Of who brings the piece into its zone: what its blocks are proved by. */
  readonly proof?: Proof | undefined;
}

export type Complaint =
  /** No connection, or no answer. */
  | 'unreachable'
  /** An answer, and then nothing. */
  | 'silent'
  /** It broke off after some bytes. */
  | 'short'
  | 'not-held'
  | 'unproved'
  | 'busy';
