// What an object made of parts is, from the parts' rows alone: which parts, which etag, which checksum.
import { createHash } from 'node:crypto';
import {
  BackendError,
  type Checksum,
  type ChecksumAlgorithm,
  type CompletedPart,
  type CompleteOptions,
} from '../backend.ts';
import { combineChecksums, compositeChecksum, decodeDigest, isCombinable } from '../checksums.ts';
import type { PartRow, UploadRow } from './records.ts';

/** Rejects with InvalidPartOrder, InvalidPart or EntityTooSmall, in S3's order. */
export function checkedParts(
  held: readonly PartRow[],
  named: readonly CompletedPart[],
  partMinBytes: number,
): PartRow[] {
  if (named.length === 0) throw new BackendError('InvalidArgument', 'A complete must name at least one part.');
  const byNumber = new Map(held.map((part) => [part.partNumber, part]));
  const parts = named.map((wanted, index) => {
    if (wanted.partNumber <= (named[index - 1]?.partNumber ?? 0)) {
      throw new BackendError('InvalidPartOrder', `Part ${wanted.partNumber} does not come after the one before it.`);
    }
    return matching(byNumber.get(wanted.partNumber), wanted);
  });
  const small = parts.slice(0, -1).find((part) => part.sizeBytes < partMinBytes);
  if (small === undefined) return parts;
  const message = `Part ${small.partNumber} has ${small.sizeBytes} bytes; all but the last need ${partMinBytes}.`;
  throw new BackendError('EntityTooSmall', message);
}

/** S3's etag of such an object: the MD5 of the parts' MD5s and how many they are. */
export function assembledEtag(parts: readonly PartRow[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part.etag, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

/** Rejects with BadDigest when the client declared another checksum or size. */
export function assembledChecksum(
  upload: UploadRow,
  parts: readonly PartRow[],
  declared: CompleteOptions,
): Checksum | undefined {
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (declared.sizeBytes !== undefined && declared.sizeBytes !== sizeBytes) {
    throw new BackendError('BadDigest', `The parts are ${sizeBytes} bytes, not the ${declared.sizeBytes} declared.`);
  }
  const algorithm = upload.checksumAlgorithm ?? declared.checksum?.algorithm;
  const checksum = algorithm && checksumOfParts(algorithm, upload, parts, declared.checksum);
  if (declared.checksum !== undefined && !same(declared.checksum, checksum)) {
    throw new BackendError('BadDigest', `The ${declared.checksum.algorithm} of the parts is not the one declared.`);
  }
  return checksum;
}

function checksumOfParts(
  algorithm: ChecksumAlgorithm,
  upload: UploadRow,
  parts: readonly PartRow[],
  declared: Checksum | undefined,
): Checksum | undefined {
  const digests = parts.flatMap(({ checksum, sizeBytes }) => {
    const digest = checksum?.algorithm === algorithm ? decodeDigest(algorithm, checksum.value) : undefined;
    return digest === undefined ? [] : [{ digest, sizeBytes }];
  });
  if (digests.length !== parts.length) return undefined;
  if ((upload.checksumType ?? declared?.type) === 'COMPOSITE') {
    return compositeChecksum(
      algorithm,
      digests.map(({ digest }) => digest),
    );
  }
  return isCombinable(algorithm) ? combineChecksums(algorithm, digests) : undefined;
}

function matching(held: PartRow | undefined, wanted: CompletedPart): PartRow {
  if (held === undefined || held.etag !== wanted.etag.toLowerCase()) {
    throw new BackendError('InvalidPart', `Part ${wanted.partNumber} is not there or has another ETag.`);
  }
  const { checksum } = wanted;
  const comparable = checksum !== undefined && checksum.algorithm === held.checksum?.algorithm;
  if (comparable && checksum.value !== held.checksum.value) {
    throw new BackendError('InvalidPart', `Part ${wanted.partNumber} has another ${checksum.algorithm}.`);
  }
  return held;
}

/** A client may leave out the number of parts that a composite value ends in. */
function same(declared: Checksum, found: Checksum | undefined): boolean {
  if (found === undefined || found.algorithm !== declared.algorithm) return false;
  return found.value === declared.value || found.value.replace(/-\d+$/, '') === declared.value;
}
