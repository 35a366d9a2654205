// Checksums as S3's headers and elements name them.
import type { Checksum, ChecksumAlgorithm, ChecksumType } from '../../backends/backend.ts';
import {
  CHECKSUM_ALGORITHMS as ALGORITHMS,
  parseChecksumAlgorithm as algorithmOf,
  multipartChecksumTypes,
  parseChecksum,
} from '../../backends/checksums.ts';
import { S3Error } from './errors.ts';
import type { XmlElement, XmlObject } from './xml.ts';

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return {
    [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  };
}

export function checksumElements(checksum: Checksum | undefined): XmlObject {
  return checksum === undefined ? {} : { [`Checksum${checksum.algorithm}`]: checksum.value };
}

/** A part's checksum in a list of parts. */
export function checksumOfElement(element: XmlElement): Checksum | undefined {
  for (const algorithm of ALGORITHMS) {
    const value = element.first(`Checksum${algorithm}`)?.text.trim();
    if (value !== undefined && value !== '') return validChecksum(algorithm, value);
  }
  return undefined;
}

/** The whole object's checksum as a client declares it on completing an upload. */
export function declaredChecksum(headers: Readonly<Record<string, string | undefined>>): Checksum | undefined {
  const declared = ALGORITHMS.filter((algorithm) => headers[`x-amz-checksum-${algorithm.toLowerCase()}`] !== undefined);
  const [algorithm] = declared;
  if (algorithm === undefined) return undefined;
  if (declared.length > 1) throw new S3Error('InvalidRequest', 'Expecting a single x-amz-checksum- header.');
  const checksum = validChecksum(algorithm, headers[`x-amz-checksum-${algorithm.toLowerCase()}`] ?? '');
  const type = parseChecksumType(headers['x-amz-checksum-type']);
  return type === undefined ? checksum : { ...checksum, type };
}

function validChecksum(algorithm: ChecksumAlgorithm, value: string): Checksum {
  const checksum = parseChecksum(algorithm, value);
  if (checksum === undefined) {
    throw new S3Error('InvalidRequest', `Value for x-amz-checksum-${algorithm.toLowerCase()} is invalid.`);
  }
  return checksum;
}

export function parseChecksumAlgorithm(text: string | undefined): ChecksumAlgorithm | undefined {
  if (text === undefined) return undefined;
  const algorithm = algorithmOf(text);
  if (algorithm === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    );
  }
  return algorithm;
}

export function parseChecksumType(text: string | undefined): ChecksumType | undefined {
  if (text === undefined) return undefined;
  if (text === 'COMPOSITE' || text === 'FULL_OBJECT') return text;
  throw new S3Error('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.');
}

/** What S3 allows: a SHA cannot be combined from parts, a CRC64NVME always is. */
export function checkChecksumType(algorithm: ChecksumAlgorithm | undefined, type: ChecksumType | undefined): void {
  if (type === undefined) return;
  if (algorithm === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  if (!multipartChecksumTypes(algorithm).includes(type)) {
    throw new S3Error(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    );
  }
}
