// The pieces that are arriving here now, so that whoever wants one joins it instead of fetching it again.
import type { Urgency } from '../concurrency/haste.ts';
import { type ArrivingDeps, ArrivingPiece, type PieceReader } from './arriving.ts';
import type { BlockRange } from './blocks.ts';
import { type Piece, type PieceKey, pieceKey } from './piece.ts';
import type { Feed } from './piece-feed.ts';
import { PieceError } from './piece-store.ts';

export interface ArrivalsOptions {
  /** Of each piece (arriving.ts). */
  readonly windowBytes: number;
  /** Pieces at once; a further one is refused with 'TooMany'. */
  readonly maxArriving: number;
  /** The last reader of a piece has left while bytes are still coming. */
  readonly unwanted: (arriving: ArrivingPiece) => void;
}

export class Arrivals {
  readonly #deps: ArrivingDeps;
  readonly #options: ArrivalsOptions;
  readonly #arriving = new Map<PieceKey, ArrivingPiece>();

  constructor(deps: ArrivingDeps, options: ArrivalsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get size(): number {
    return this.#arriving.size;
  }

  get memoryBytes(): number {
    let bytes = 0;
    for (const arriving of this.#arriving.values()) bytes += arriving.memoryBytes;
    return bytes;
  }

  find(piece: Piece): ArrivingPiece | undefined {
    return this.#arriving.get(pieceKey(piece));
  }

  /** Joins the piece, whether or not anything of it is coming yet. */
  join(piece: Piece, urgency: Urgency = 'demand'): PieceReader {
    const arriving = this.#at(piece);
    arriving.haste.hurry(urgency);
    return arriving.join();
  }

  /** Promises blocks of the piece; see ArrivingPiece.feed. */
  feed(piece: Piece, range: BlockRange): Feed {
    return this.#at(piece).feed(range);
  }

  /** Abandons everything. */
  close(): void {
    const reason = new PieceError('Closed', 'The gateway is closing.');
    for (const arriving of [...this.#arriving.values()]) arriving.abandon(reason);
  }

  #at(piece: Piece): ArrivingPiece {
    const key = pieceKey(piece);
    const known = this.#arriving.get(key);
    if (known !== undefined) return known;
    if (this.#arriving.size >= this.#options.maxArriving) {
      throw new PieceError('TooMany', `${this.#options.maxArriving} pieces are arriving at once, which is the limit.`);
    }
    const { windowBytes, unwanted } = this.#options;
    const arriving = new ArrivingPiece(
      this.#deps,
      {
        windowBytes,
        unwanted,
        idle: () => {
          if (this.#arriving.get(key) === arriving) this.#arriving.delete(key);
        },
      },
      piece,
    );
    this.#arriving.set(key, arriving);
    return arriving;
  }
}
