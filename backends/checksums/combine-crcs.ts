// The CRC of joined byte strings from the CRCs of each: CRC(AB) = CRC(A)·x^(8·|B|) + CRC(B), in polynomials over
// GF(2) modulo the CRC's own. For reflected CRCs whose start and final XOR are all ones, whose effects cancel out.

interface CrcKind {
  /** Reflected, without its leading term. */
  readonly polynomial: bigint;
  readonly bits: number;
}

export function combineCrcs(kind: CrcKind, parts: readonly { crc: bigint; sizeBytes: number }[]): bigint {
  // Parts are mostly of one size, so each size is raised once.
  const shifts = new Map<number, bigint>();
  let combined = 0n;
  for (const { crc, sizeBytes } of parts) {
    const shift = shifts.get(sizeBytes) ?? powerOfX(kind, BigInt(sizeBytes) * 8n);
    shifts.set(sizeBytes, shift);
    combined = multiply(kind, shift, combined) ^ crc;
  }
  return combined;
}

/** x to the power of `exponent`, by squaring. */
function powerOfX(kind: CrcKind, exponent: bigint): bigint {
  let power = 1n << BigInt(kind.bits - 1);
  let square = power >> 1n;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) power = multiply(kind, power, square);
    square = multiply(kind, square, square);
  }
  return power;
}

/** Reflected: the highest bit is the coefficient of 1, so multiplying by x shifts right. */
function multiply({ polynomial, bits }: CrcKind, left: bigint, right: bigint): bigint {
  let product = 0n;
  let shifted = right;
  for (let bit = 1n << BigInt(bits - 1); bit > 0n; bit >>= 1n) {
    if (left & bit) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}
