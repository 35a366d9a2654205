// Which parts of the object each client reads at random: the same draw in every run, so that runs can be compared.
import type { Range } from './lab-client.ts';

export interface Draw {
  readonly readers: number;
  /** Ranges that each reads, all different. */
  readonly count: number;
  readonly bytes: number;
  readonly sizeBytes: number;
}

const SEED = 20_060_423;

/** By reader; aligned to their length. */
export function drawRanges({ readers, count, bytes, sizeBytes }: Draw): readonly (readonly Range[])[] {
  const places = Math.floor(sizeBytes / bytes);
  if (count > places) throw new Error(`There are ${places} ranges of ${bytes} bytes in the object, not ${count}.`);
  const random = generator(SEED);
  return Array.from({ length: readers }, () => {
    const left = Array.from({ length: places }, (_, place) => place);
    return Array.from({ length: count }, () => {
      const [place = 0] = left.splice(Math.floor(random() * left.length), 1);
      return { start: place * bytes, end: (place + 1) * bytes };
    });
  });
}

/** Bytes of all pieces that at least one of the ranges touches. */
export function touchedBytes(ranges: readonly Range[], pieceBytes: number, sizeBytes: number): number {
  const pieces = new Set<number>();
  for (const { start, end } of ranges) {
    for (let piece = Math.floor(start / pieceBytes); piece * pieceBytes < end; piece += 1) pieces.add(piece);
  }
  return [...pieces].reduce((sum, piece) => sum + Math.min(pieceBytes, sizeBytes - piece * pieceBytes), 0);
}

/** 0 to 1; a linear congruential generator after Knuth (MMIX), of which the high bits are taken. */
function generator(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    return Number(state >> 32n) / 2 ** 32;
  };
}
