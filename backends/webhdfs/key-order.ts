// The order of keys, and that of HDFS. Both compare UTF-8 bytes; HDFS takes bytes as signed (Java's), so that whatever
// is beyond ASCII comes before it. Names of ASCII alone are in the same order in both.

/** S3's. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** HDFS's. */
export function compareNames(a: string, b: string): number {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  // Flipping the sign bit makes the order of signed bytes that of unsigned ones.
  return Buffer.compare(left.map(flipSign), right.map(flipSign));
}

function flipSign(byte: number): number {
  return byte ^ 0x80;
}

export function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text);
}
