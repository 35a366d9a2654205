// What a read asks for, for origins whose objects have one version and one part.
import { BackendError, type ByteRange, type RangeRequest } from '../backend.ts';

/** The Range header; inclusive, as HTTP has it. */
export function rangeHeader(range: RangeRequest | undefined): Record<string, string> {
  if (range === undefined) return {};
  if ('suffixBytes' in range) return { range: `bytes=-${range.suffixBytes}` };
  return { range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` };
}

/** The first part of an object not made of parts is all of it. */
export function partRange(partNumber: number | undefined, sizeBytes: number): ByteRange | undefined {
  if (partNumber === undefined) return undefined;
  if (partNumber > 1) throw new BackendError('InvalidPartNumber', 'The object was not made of parts; there is only 1.');
  return { start: 0, end: sizeBytes };
}

/** 'null' is the version of what was never versioned. */
export function requireCurrentVersion(versionId: string | undefined): void {
  if (versionId === undefined || versionId === 'null') return;
  throw new BackendError('NoSuchVersion', 'This origin keeps no versions.');
}
