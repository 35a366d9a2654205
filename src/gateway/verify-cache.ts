// The shelf's own findings in the words of the admin port.
import type { VerifyCache } from '../admin/cache-verification.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { scrub } from '../pieces/scrub.ts';

export function verifyCache(store: PieceStore): VerifyCache {
  return async function* (options, signal) {
    for await (const { piece, soundness, bytes } of scrub(store, options, signal)) {
      const { origin, bucket, key } = piece.version;
      yield { origin, bucket, key, piece: piece.index, bytes, soundness };
    }
  };
}
