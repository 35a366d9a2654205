// How a block of bytes is known again. The digest is BLAKE3: nobody can make other bytes with the same digest, and it
// costs 0.2 CPU-seconds per GiB where SHA-256, with the CPU's own instructions for it, costs 0.7 to 1.0
// (bench/pieces/digests.ts). Each byte is digested once where it enters, from an origin or a peer, and once at the first
// read after a start: the digest is most of what a byte from a peer costs beyond its transport.
// The checksum is CRC-32, the cheapest at hand: it finds every damage a disk does of itself in one or two bits and all
// but 1 in 2^32 others, and is no proof against people.
import { timingSafeEqual } from 'node:crypto';
import { blake3 } from '@napi-rs/blake-hash';
import { crc32 } from '@node-rs/crc32';

export const DIGEST_BYTES = 32;

export function blockDigest(bytes: Uint8Array): Buffer {
  return blake3(buffered(bytes));
}

/** 32 bits, unsigned. */
export function blockChecksum(bytes: Uint8Array): number {
  return crc32(buffered(bytes));
}

/** The same bytes, not a copy. */
function buffered(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The digests of a piece's blocks, one after the other; those of blocks that are not there are zero. */
export class BlockDigests {
  readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    if (bytes.length % DIGEST_BYTES !== 0) throw new RangeError(`A digest has ${DIGEST_BYTES} bytes.`);
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  static empty(blocks: number): BlockDigests {
    return new BlockDigests(Buffer.alloc(blocks * DIGEST_BYTES));
  }

  get blocks(): number {
    return this.bytes.length / DIGEST_BYTES;
  }

  of(block: number): Buffer {
    if (block < 0 || block >= this.blocks) throw new RangeError(`There is no block ${block} of ${this.blocks}.`);
    return this.bytes.subarray(block * DIGEST_BYTES, (block + 1) * DIGEST_BYTES);
  }

  set(block: number, digest: Uint8Array): void {
    if (digest.length !== DIGEST_BYTES) throw new RangeError(`A digest has ${DIGEST_BYTES} bytes.`);
    this.of(block).set(digest);
  }

  /** Whether these are the bytes of that block. */
  proves(block: number, bytes: Uint8Array): boolean {
    return timingSafeEqual(this.of(block), blockDigest(bytes));
  }
}
