// How a block of bytes is known again. The digest is SHA-256: it is in node:crypto (and OpenSSL uses the CPU's own
// instructions for it), needs no package, and nobody can make other bytes with the same digest. BLAKE3 costs 40 % less
// CPU (bench/pieces/digests.ts) but comes only as a native package; the digest is paid once where bytes enter and once
// at the first read after start-up, so the difference is 0.3 CPU-seconds per GiB of those, and none of a hit.
// The checksum is CRC-32, the cheapest at hand (a seventh of the digest): it finds every damage a disk does of itself
// in one or two bits and all but 1 in 2^32 others, and is no proof against people.
import { hash, timingSafeEqual } from 'node:crypto';
import { crc32 } from '@node-rs/crc32';

export const DIGEST_BYTES = 32;

export function blockDigest(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

/** 32 bits, unsigned. */
export function blockChecksum(bytes: Uint8Array): number {
  return crc32(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
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
