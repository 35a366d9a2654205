// Which blocks of a piece, or pieces of a version, are there. Immutable, and the empty and the full set of a size are
// shared: a million whole pieces on the shelf cost no set each.

const SHARED_SIZE = 4096;
const none = new Map<number, BitSet>();
const full = new Map<number, BitSet>();

export class BitSet {
  readonly size: number;
  /** How many are in the set. */
  readonly count: number;
  readonly #bytes: Uint8Array;

  private constructor(size: number, count: number, bytes: Uint8Array) {
    this.size = size;
    this.count = count;
    this.#bytes = bytes;
  }

  static none(size: number): BitSet {
    return shared(none, size, () => new BitSet(size, 0, new Uint8Array(Math.ceil(size / 8))));
  }

  static full(size: number): BitSet {
    return shared(full, size, () => BitSet.#of(size, new Uint8Array(Math.ceil(size / 8)).fill(0xff)));
  }

  static from(size: number, includes: (index: number) => boolean): BitSet {
    const bytes = new Uint8Array(Math.ceil(size / 8));
    for (let index = 0; index < size; index += 1) {
      if (includes(index)) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
    }
    return BitSet.#of(size, bytes);
  }

  /** The inverse of toBytes. Bits past the size are ignored. */
  static fromBytes(size: number, bytes: Uint8Array): BitSet {
    if (bytes.length !== Math.ceil(size / 8)) {
      throw new RangeError(`A set of ${size} takes ${Math.ceil(size / 8)} bytes, not ${bytes.length}.`);
    }
    return BitSet.#of(size, new Uint8Array(bytes));
  }

  /** Takes the bytes over; answers with the shared set where there is one. */
  static #of(size: number, bytes: Uint8Array): BitSet {
    const spare = size & 7;
    if (spare !== 0) bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) & ((1 << spare) - 1);
    let count = 0;
    for (const byte of bytes) count += ones(byte);
    if (count === 0) return BitSet.none(size);
    if (count === size) return shared(full, size, () => new BitSet(size, count, bytes));
    return new BitSet(size, count, bytes);
  }

  get isFull(): boolean {
    return this.count === this.size;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  has(index: number): boolean {
    return index >= 0 && index < this.size && ((this.#bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** Half-open; true of an empty range. */
  hasAll(first: number, end: number): boolean {
    if (this.isFull) return first >= end || (first >= 0 && end <= this.size);
    for (let index = first; index < end; index += 1) if (!this.has(index)) return false;
    return true;
  }

  with(index: number): BitSet {
    return this.withAll(index, index + 1);
  }

  withAll(first: number, end: number): BitSet {
    if (first < 0 || end > this.size) throw new RangeError(`A set of ${this.size} has no members ${first} to ${end}.`);
    if (this.hasAll(first, end)) return this;
    const bytes = new Uint8Array(this.#bytes);
    for (let index = first; index < end; index += 1) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
    return BitSet.#of(this.size, bytes);
  }

  /** -1 of an empty set. */
  get last(): number {
    for (let index = this.size - 1; index >= 0; index -= 1) if (this.has(index)) return index;
    return -1;
  }

  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let index = 0; index < this.size; index += 1) if (this.has(index)) yield index;
  }

  /** One bit each, the lowest bit of a byte first. A copy. */
  toBytes(): Uint8Array {
    return new Uint8Array(this.#bytes);
  }
}

function shared(sets: Map<number, BitSet>, size: number, make: () => BitSet): BitSet {
  const known = sets.get(size);
  if (known !== undefined) return known;
  const set = make();
  if (size <= SHARED_SIZE) sets.set(size, set);
  return set;
}

function ones(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
