// The Range header and its kin. Inside the gateway ranges are half-open; the wire's are inclusive.
import type { ByteRange, RangeRequest } from '../../backends/backend.ts';
import { S3Error } from './errors.ts';

/** Undefined: no range, several, or one that is not valid; then S3 answers the whole object (RFC 9110 §14.2). */
export function parseRange(header: string | undefined): RangeRequest | undefined {
  if (header === undefined) return undefined;
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header);
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? undefined : { suffixBytes: toOffset(last) };
  const start = toOffset(first);
  if (last === '') return { start };
  const end = toOffset(last);
  return end < start ? undefined : { start, end: Math.min(end + 1, Number.MAX_SAFE_INTEGER) };
}

export function contentRange(range: ByteRange, sizeBytes: number): string {
  return `bytes ${range.start}-${range.end - 1}/${sizeBytes}`;
}

/** x-amz-copy-source-range: both ends, and nothing else. */
export function parseCopyRange(header: string | undefined): ByteRange | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  const range = match && { start: toOffset(match[1] ?? ''), end: toOffset(match[2] ?? '') + 1 };
  if (range === null || range.end <= range.start || range.end > Number.MAX_SAFE_INTEGER) {
    throw new S3Error(
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      { details: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: header } },
    );
  }
  return range;
}

/** Numbers past what any object can hold mean its end. */
function toOffset(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER - 1);
}
