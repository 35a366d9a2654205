// Reads everything on the shelf again, proves it by its digests and says what it found: `dfstore cache verify`, and in
// the background at a rate that leaves the disks to their readers.
import { setTimeout as pause } from 'node:timers/promises';
import { blockBytes } from './blocks.ts';
import { type Piece, pieceLength } from './piece.ts';
import type { PieceStore, Soundness } from './piece-store.ts';

export interface Finding {
  readonly piece: Piece;
  readonly soundness: Soundness;
  /** That were held of the piece. */
  readonly bytes: number;
}

export interface ScrubOptions {
  /** Undefined: as fast as the disks read. */
  readonly bytesPerSecond?: number | undefined;
}

/** Piece by piece, those not yet whole too. What is damaged has been discarded when it is told. Ends early, cleanly, on the signal. */
export async function* scrub(
  store: Pick<PieceStore, 'list' | 'blocks' | 'blockSize' | 'check'>,
  options: ScrubOptions,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  for await (const { version, pieces, begun } of store.list()) {
    for (const index of [...pieces, ...begun]) {
      if (signal.aborted) return;
      const piece = { version, index };
      const startedMs = performance.now();
      const bytes = heldBytes(store, piece);
      const soundness = await store.check(piece);
      yield { piece, soundness, bytes };
      if (options.bytesPerSecond === undefined) continue;
      const restMs = (bytes / options.bytesPerSecond) * 1000 - (performance.now() - startedMs);
      if (restMs > 0) await rest(restMs, signal);
    }
  }
}

function heldBytes(store: Pick<PieceStore, 'blocks' | 'blockSize'>, piece: Piece): number {
  let bytes = 0;
  for (const block of store.blocks(piece)) {
    const { start, end } = blockBytes(block, pieceLength(piece), store.blockSize);
    bytes += end - start;
  }
  return bytes;
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal, ref: false });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
