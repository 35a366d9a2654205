// Where a piece is to be had, as the rest of the gateway sees it. One gateway alone has the same directory as a mesh,
// with itself as all there is.
import type { Urgency } from '../concurrency/haste.ts';
import type { Piece } from '../pieces/piece.ts';
import type { Feed } from '../pieces/piece-feed.ts';

export interface Directory {
  /** This gateway wants the piece. */
  claim(piece: Piece, progress: ClaimProgress): Claim;
  /** The origin sends the piece already, unasked: others are to get it from here. */
  adopted(piece: Piece, progress: ClaimProgress): Claim;
  /** Held whole, without having been claimed. */
  announce(pieces: readonly Piece[]): void;
}

export interface ClaimProgress {
  /** Bytes of the piece that are here. */
  readonly bytes: number;
  readonly urgency: Urgency;
}

export interface Claim {
  /** Waits until there is a place to get the piece from. Ask again when it has not brought all. */
  acquire(signal: AbortSignal): Promise<Whereabouts>;
  /** Over: announced when the piece is whole here. Further calls do nothing. Never rejects. */
  end(): Promise<void>;
}

export type Whereabouts =
  /** This gateway is the one that reads the origin. */
  | { readonly kind: 'leased' }
  | {
      readonly kind: 'held';
      /**
       * Feeds what the holder gives, proved. Resolves also when that was not all: what went wrong is told to the
       * tracker, and the next place will be another. Rejects when the feed fails or the signal aborts.
       * `endBlock`: where the feed ends within the piece, exclusive.
       */
      bring(feed: Feed, endBlock: number, signal: AbortSignal): Promise<void>;
    };
