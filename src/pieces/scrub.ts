// Reads everything on the shelf again, proves it by its digests and says what it found: `dfstore cache verify`, and in
// the background at a rate that leaves the disks to their readers.
import { setTimeout as pause } from 'node:timers/promises';
import { type Piece, pieceLength } from './piece.ts';
import type { PieceStore, Soundness } from './piece-store.ts';

export interface Finding {
  readonly piece: Piece;
  readonly soundness: Soundness;
  /** Of the piece, whole. */
  readonly bytes: number;
}

export interface ScrubOptions {
  /** Undefined: as fast as the disks read. */
  readonly bytesPerSecond?: number | undefined;
}

/** Whole pieces, one by one. What is damaged has been discarded when it is told. Ends early, cleanly, on the signal. */
export async function* scrub(
  store: Pick<PieceStore, 'list' | 'check'>,
  options: ScrubOptions,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  for await (const { version, pieces } of store.list()) {
    for (const index of pieces) {
      if (signal.aborted) return;
      const piece = { version, index };
      const begun = performance.now();
      const soundness = await store.check(piece);
      const bytes = pieceLength(piece);
      yield { piece, soundness, bytes };
      if (options.bytesPerSecond === undefined) continue;
      const restMs = (bytes / options.bytesPerSecond) * 1000 - (performance.now() - begun);
      if (restMs > 0) await rest(restMs, signal);
    }
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal, ref: false });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
