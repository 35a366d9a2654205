// What a mesh may know and say of the pieces that leave the shelf to make room: which are the next to go, which may go
// first because others hold them too, and which have gone. Nothing here is waited for by whoever makes room.
import type { Disk } from './disk.ts';
import { type Piece, type PieceKey, pieceKey } from './piece.ts';
import type { Shelf } from './shelf.ts';

export interface DepartureListeners {
  /** It has made room for others. */
  readonly evicted: (piece: Piece) => void;
  /** Bytes came in. */
  readonly arrived: () => void;
}

export class Departures {
  readonly #shelf: Shelf;

  constructor(deps: { shelf: Shelf }) {
    this.#shelf = deps.shelf;
  }

  /** There is one listener. */
  listen({ evicted, arrived }: DepartureListeners): void {
    this.#shelf.listeners.evicted = evicted;
    this.#shelf.listeners.arrived = arrived;
  }

  /** Whether some pieces will soon have to go. */
  get areNear(): boolean {
    return this.#shelf.crowded.length > 0;
  }

  /** Pieces on the disks that will soon have to make room. */
  get candidates(): number {
    return this.#shelf.crowded.reduce((sum, { policy }) => sum + policy.size, 0);
  }

  /** Bytes that ever came in, by which to tell whether anything did. */
  get arrivedBytes(): number {
    return this.#shelf.disks.reduce((sum, { policy }) => sum + policy.arrivedBytes, 0);
  }

  /** About as they will go, those of all crowded disks by turns, but for those that may go first already. */
  async *upcoming(): AsyncGenerator<Piece, void, undefined> {
    for (const key of byTurns(this.#shelf.crowded)) {
      if (!this.#shelf.pieces.has(key)) continue;
      const row = await this.#shelf.rowOf(key);
      if (row !== undefined && row !== 'unknown') yield row.piece;
    }
  }

  /** It goes before all others. */
  spare(piece: Piece): void {
    this.#policyOf(piece)?.spare(pieceKey(piece));
  }

  /** It goes when its turn comes, as the others do. */
  keep(piece: Piece): void {
    this.#policyOf(piece)?.keep(pieceKey(piece));
  }

  #policyOf(piece: Piece): Disk['policy'] | undefined {
    return this.#shelf.find(piece)?.disk.policy;
  }
}

function* byTurns(disks: readonly Disk[]): Generator<PieceKey, void, undefined> {
  let turns = disks.map(({ policy }) => policy.upcoming());
  while (turns.length > 0) {
    const left: typeof turns = [];
    for (const turn of turns) {
      const { value, done } = turn.next();
      if (done === true) continue;
      left.push(turn);
      yield value;
    }
    turns = left;
  }
}
