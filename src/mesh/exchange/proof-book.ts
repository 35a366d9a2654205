// What proves the blocks of pieces that are on their way, kept so that they can be passed on proved: the digests their
// root named, or each block's digest with the signature of who read it from the origin. Bounded; what has dropped out is
// proved another way once the piece is whole.
import { LRUCache } from 'lru-cache';
import type { BlockDigests } from '../../pieces/digests.ts';
import { type Piece, type PieceKey, pieceKey } from '../../pieces/piece.ts';

export interface SignedDigest {
  readonly digest: Buffer;
  readonly signature: Buffer;
}

export interface PieceProof {
  /** All of the piece's; known where a root was. */
  digests: BlockDigests | undefined;
  /** This gateway reads the piece from its origin: what it signs counts. */
  isReader: boolean;
  readonly signed: Map<number, SignedDigest>;
}

export class ProofBook {
  readonly #proofs: LRUCache<PieceKey, PieceProof>;

  constructor(options: { maxPieces: number }) {
    this.#proofs = new LRUCache({ max: options.maxPieces });
  }

  find(piece: Piece): PieceProof | undefined {
    return this.#proofs.get(pieceKey(piece));
  }

  of(piece: Piece): PieceProof {
    const key = pieceKey(piece);
    const known = this.#proofs.get(key);
    if (known !== undefined) return known;
    const proof: PieceProof = { digests: undefined, isReader: false, signed: new Map() };
    this.#proofs.set(key, proof);
    return proof;
  }
}
