// A complete, proved block in memory, lent to readers until nobody needs it.
import type { LentBuffer } from './buffer-pool.ts';
import type { Supplier } from './piece-feed.ts';
import type { PieceBytes } from './piece-store.ts';

export class ArrivedBlock {
  readonly block: number;
  readonly digest: Uint8Array;
  readonly source: Supplier;
  /** On its way to the shelf: its memory is in use. */
  shelving = true;
  /** The shelf has it. */
  shelved = false;
  /** Some reader was given its end. */
  taken = false;
  readonly #buffer: LentBuffer;
  /** Ourselves, then each reader who holds bytes of it. */
  #users = 1;

  constructor(block: number, buffer: LentBuffer, digest: Uint8Array, source: Supplier) {
    this.block = block;
    this.#buffer = buffer;
    this.digest = digest;
    this.source = source;
  }

  get bytes(): Uint8Array {
    return this.#buffer.bytes;
  }

  get lengthBytes(): number {
    return this.#buffer.bytes.length;
  }

  /** Half-open, within the block. */
  lend(start: number, end: number): PieceBytes {
    this.#users += 1;
    let out = true;
    return {
      bytes: this.#buffer.bytes.subarray(start, end),
      source: this.source,
      digest: this.digest,
      release: () => {
        if (out) this.release();
        out = false;
      },
    };
  }

  /** Once by the owner, once by each reader. */
  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#buffer.release();
  }
}
