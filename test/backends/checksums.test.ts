// Checksums against published check values, and against themselves in pieces.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChecksumAlgorithm } from '../../backends/backend.ts';
import {
  CHECKSUM_ALGORITHMS,
  combineChecksums,
  compositeChecksum,
  createHasher,
  decodeDigest,
  fullObjectChecksum,
  isCombinable,
  multipartChecksumTypes,
  parseChecksum,
  parseChecksumAlgorithm,
} from '../../backends/checksums.ts';

/** Of the nine bytes "123456789": the CRC catalogue's check column, and RFC 1321's and FIPS 180's algorithms. */
const CHECK_VALUES: Record<ChecksumAlgorithm | 'MD5', string> = {
  CRC32: 'cbf43926',
  CRC32C: 'e3069283',
  CRC64NVME: 'ae8b14860a799888',
  SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  MD5: '25f9e794323b453885f5181f1b624d0b',
};

const combinable = fc.constantFrom(...CHECKSUM_ALGORITHMS.filter(isCombinable));
const anyParts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });

describe('each algorithm computes its published check value', () => {
  for (const [algorithm, expected] of Object.entries(CHECK_VALUES)) {
    test(algorithm, () => {
      expect(digest(algorithm as ChecksumAlgorithm, Buffer.from('123456789')).toString('hex')).toBe(expected);
    });
  }
});

test('a digest does not depend on how the bytes were cut, nor on other digests computed in between', () => {
  const algorithms = fc.constantFrom<ChecksumAlgorithm | 'MD5'>(...CHECKSUM_ALGORITHMS, 'MD5');
  fc.assert(
    fc.property(algorithms, anyParts, anyParts, (algorithm, one, other) => {
      const hashers = [createHasher(algorithm), createHasher(algorithm)] as const;
      for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
        hashers[0].update(one[index] ?? Buffer.alloc(0));
        hashers[1].update(other[index] ?? Buffer.alloc(0));
      }
      expect(hashers[0].digest()).toEqual(digest(algorithm, Buffer.concat(one)));
      expect(hashers[1].digest()).toEqual(digest(algorithm, Buffer.concat(other)));
    }),
  );
});

test('the checksums of parts combine to the checksum of the whole, without the bytes', () => {
  fc.assert(
    fc.property(combinable, anyParts, (algorithm, parts) => {
      const combined = combineChecksums(
        algorithm,
        parts.map((part) => ({ digest: digest(algorithm, part), sizeBytes: part.length })),
      );
      expect(combined).toEqual(fullObjectChecksum(algorithm, digest(algorithm, Buffer.concat(parts))));
    }),
  );
});

test('parts of more than 4 GiB combine: a shift by n zeros is n shifts by one', () => {
  const size = 5 * 2 ** 30;
  const zeros = { digest: digest('CRC32C', Buffer.alloc(1 << 20)), sizeBytes: 1 << 20 };
  const tail = { digest: digest('CRC32C', Buffer.from('tail')), sizeBytes: 4 };
  const stepwise = combineChecksums('CRC32C', [...Array.from({ length: size / (1 << 20) }, () => zeros), tail]);
  const whole = combineChecksums(
    'CRC32C',
    Array.from({ length: size / (1 << 20) }, () => zeros),
  );
  const wholePart = { digest: Buffer.from(whole.value, 'base64'), sizeBytes: size };
  expect(combineChecksums('CRC32C', [wholePart, tail])).toEqual(stepwise);
  expect(combineChecksums('CRC32C', [tail, wholePart]).value).not.toBe(stepwise.value);
});

test('10,000 parts, the most there can be, combine in far less than a second of CPU', () => {
  const part = { digest: digest('CRC64NVME', Buffer.from('part')), sizeBytes: 8 << 20 };
  const before = process.cpuUsage();
  combineChecksums(
    'CRC64NVME',
    Array.from({ length: 10_000 }, () => part),
  );
  expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
});

test("a composite checksum is the checksum of the parts' checksums and tells their number", () => {
  const parts = ['one', 'two', 'three'].map((text) => digest('SHA256', Buffer.from(text)));
  expect(compositeChecksum('SHA256', parts)).toEqual({
    algorithm: 'SHA256',
    value: `${digest('SHA256', Buffer.concat(parts)).toString('base64')}-3`,
    type: 'COMPOSITE',
  });
});

test('a digest written in base64 is taken only in its full length and its canonical spelling', () => {
  expect(decodeDigest('CRC32', 'y/Q5Jg==')).toEqual(Buffer.from('cbf43926', 'hex'));
  for (const value of ['', 'y/Q5Jg', 'y/Q5Jg=', 'y_Q5Jg==', 'y/Q5Jh==', ' y/Q5Jg==', 'y/Q5JgA=', 'y/Q5Jg==-1']) {
    expect(decodeDigest('CRC32', value), value).toBeUndefined();
  }
  expect(decodeDigest('MD5', 'JfnnlDI7RTiF9RgfG2JNCw==')).toHaveLength(16);
});

test("a checksum's value tells whether it is of the object or of its parts", () => {
  expect(parseChecksum('CRC32', 'y/Q5Jg==')).toMatchObject({ type: 'FULL_OBJECT' });
  expect(parseChecksum('CRC32', 'y/Q5Jg==-10000')).toMatchObject({ type: 'COMPOSITE', value: 'y/Q5Jg==-10000' });
  for (const value of ['y/Q5Jg==-0', 'y/Q5Jg==-', 'y/Q5Jg==-1x', 'y/Q5Jg==-1-1', '-1']) {
    expect(parseChecksum('CRC32', value), value).toBeUndefined();
  }
});

test('algorithms are known by name in any case; those S3 does not know are not', () => {
  expect(['crc32', 'Crc32C', 'CRC64NVME', 'sha1', 'SHA256'].map(parseChecksumAlgorithm)).toEqual(CHECKSUM_ALGORITHMS);
  expect(['md5', 'crc64', 'toString', ''].map(parseChecksumAlgorithm)).toEqual(Array(4).fill(undefined));
});

test('objects made of parts have the checksum types S3 offers for the algorithm', () => {
  expect(Object.fromEntries(CHECKSUM_ALGORITHMS.map((name) => [name, multipartChecksumTypes(name)]))).toEqual({
    CRC32: ['COMPOSITE', 'FULL_OBJECT'],
    CRC32C: ['COMPOSITE', 'FULL_OBJECT'],
    CRC64NVME: ['FULL_OBJECT'],
    SHA1: ['COMPOSITE'],
    SHA256: ['COMPOSITE'],
  });
});

function digest(algorithm: ChecksumAlgorithm | 'MD5', bytes: Uint8Array): Buffer {
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  return hasher.digest();
}
