// S3's checksums: computed as bytes pass, written as S3 writes them, and composed for objects made of parts. All of
// it synchronous, with native or WASM code only. https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
import { createHash } from 'node:crypto';
import { crc32, crc32c } from '@node-rs/crc32';
import { createCRC64 } from 'hash-wasm';
import type { Checksum, ChecksumAlgorithm, ChecksumType } from './backend.ts';
import { combineCrcs } from './checksums/combine-crcs.ts';

/** Takes bytes in any number of calls and gives its digest once, big-endian. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  digest(): Buffer;
}

interface AlgorithmRow {
  readonly digestBytes: number;
  /** What an object made of parts may have; the first is what it gets when nobody asks. */
  readonly multipartTypes: readonly [ChecksumType, ...ChecksumType[]];
}

const ALGORITHMS: Record<ChecksumAlgorithm, AlgorithmRow> = {
  CRC32: { digestBytes: 4, multipartTypes: ['COMPOSITE', 'FULL_OBJECT'] },
  CRC32C: { digestBytes: 4, multipartTypes: ['COMPOSITE', 'FULL_OBJECT'] },
  CRC64NVME: { digestBytes: 8, multipartTypes: ['FULL_OBJECT'] },
  SHA1: { digestBytes: 20, multipartTypes: ['COMPOSITE'] },
  SHA256: { digestBytes: 32, multipartTypes: ['COMPOSITE'] },
};

export const CHECKSUM_ALGORITHMS = Object.keys(ALGORITHMS) as readonly ChecksumAlgorithm[];

/** Reflected polynomials of the algorithms whose part checksums combine without the bytes. */
const CRC_POLYNOMIALS = {
  CRC32: 0xedb88320n,
  CRC32C: 0x82f63b78n,
  CRC64NVME: 0x9a6c9329ac4bc9b5n,
} as const satisfies Partial<Record<ChecksumAlgorithm, bigint>>;

export type CombinableAlgorithm = keyof typeof CRC_POLYNOMIALS;

/**
 * One WASM instance serves every CRC-64 under way: an instance takes 0.1 ms and its own memory to make, its state is
 * 12 bytes to put in and take out.
 */
const crc64 = await createCRC64(CRC_POLYNOMIALS.CRC64NVME.toString(16));
const CRC64_START = crc64.init().save();

const HASHERS: Record<ChecksumAlgorithm | 'MD5', () => Hasher> = {
  CRC32: () => new Crc32Hasher(crc32),
  CRC32C: () => new Crc32Hasher(crc32c),
  CRC64NVME: () => new Crc64Hasher(),
  SHA1: () => createHash('sha1'),
  SHA256: () => createHash('sha256'),
  MD5: () => createHash('md5'),
};

export function createHasher(algorithm: ChecksumAlgorithm | 'MD5'): Hasher {
  return HASHERS[algorithm]();
}

/** The algorithm by S3's name in any case, as in 'x-amz-checksum-crc32c' and 'CRC32C'. */
export function parseChecksumAlgorithm(name: string): ChecksumAlgorithm | undefined {
  const upper = name.toUpperCase();
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === upper);
}

export function isCombinable(algorithm: ChecksumAlgorithm): algorithm is CombinableAlgorithm {
  return algorithm in CRC_POLYNOMIALS;
}

/** What an object made of parts may have; the first is what it gets when nobody asks. */
export function multipartChecksumTypes(algorithm: ChecksumAlgorithm): AlgorithmRow['multipartTypes'] {
  return ALGORITHMS[algorithm].multipartTypes;
}

/** The bytes of a digest written in base64; undefined unless it is exactly one digest of this algorithm. */
export function decodeDigest(algorithm: ChecksumAlgorithm | 'MD5', value: string): Buffer | undefined {
  const bytes = Buffer.from(value, 'base64');
  const expected = algorithm === 'MD5' ? 16 : ALGORITHMS[algorithm].digestBytes;
  // Node skips what is not base64; only the canonical spelling survives the way back.
  return bytes.length === expected && bytes.toString('base64') === value ? bytes : undefined;
}

/** A checksum's value as S3 writes it: one digest, or a composite one ('…-3'). Undefined when it is neither. */
export function parseChecksum(algorithm: ChecksumAlgorithm, value: string): Checksum | undefined {
  const [, digest, parts] = /^([^-]*)(?:-([1-9]\d{0,4}))?$/.exec(value) ?? [];
  if (digest === undefined || decodeDigest(algorithm, digest) === undefined) return undefined;
  return { algorithm, value, type: parts === undefined ? 'FULL_OBJECT' : 'COMPOSITE' };
}

export function fullObjectChecksum(algorithm: ChecksumAlgorithm, digest: Uint8Array): Checksum {
  return { algorithm, value: base64(digest), type: 'FULL_OBJECT' };
}

/** The checksum of the parts' checksums, in the order of the parts. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, partDigests: readonly Uint8Array[]): Checksum {
  const hasher = createHasher(algorithm);
  for (const digest of partDigests) hasher.update(digest);
  return { algorithm, value: `${base64(hasher.digest())}-${partDigests.length}`, type: 'COMPOSITE' };
}

/** The checksum of the whole object from those of its parts in order, without reading a byte of it again. */
export function combineChecksums(
  algorithm: CombinableAlgorithm,
  parts: readonly { readonly digest: Uint8Array; readonly sizeBytes: number }[],
): Checksum {
  const { digestBytes } = ALGORITHMS[algorithm];
  const combined = combineCrcs(
    { polynomial: CRC_POLYNOMIALS[algorithm], bits: digestBytes * 8 },
    parts.map(({ digest, sizeBytes }) => ({ crc: BigInt(`0x${Buffer.from(digest).toString('hex')}`), sizeBytes })),
  );
  return fullObjectChecksum(algorithm, Buffer.from(combined.toString(16).padStart(digestBytes * 2, '0'), 'hex'));
}

class Crc32Hasher implements Hasher {
  readonly #crc: typeof crc32;
  #state = 0;

  constructor(crc: typeof crc32) {
    this.#crc = crc;
  }

  update(chunk: Uint8Array): void {
    this.#state = this.#crc(chunk, this.#state);
  }

  digest(): Buffer {
    const digest = Buffer.alloc(4);
    digest.writeUInt32BE(this.#state);
    return digest;
  }
}

class Crc64Hasher implements Hasher {
  #state = CRC64_START;

  update(chunk: Uint8Array): void {
    this.#state = crc64.load(this.#state).update(chunk).save();
  }

  digest(): Buffer {
    return Buffer.from(crc64.load(this.#state).digest('binary'));
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
