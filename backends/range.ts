// From what a client asked for to the bytes of an object: the one place where a range meets a size.
import { BackendError, type ByteRange, type RangeRequest } from './backend.ts';

/** Clips the end to the size (RFC 9110 §14.1.2). Rejects with InvalidRange when no byte is meant. */
export function resolveRange(request: RangeRequest, sizeBytes: number): ByteRange {
  const range =
    'suffixBytes' in request
      ? { start: Math.max(0, sizeBytes - request.suffixBytes), end: sizeBytes }
      : { start: request.start, end: Math.min(request.end ?? sizeBytes, sizeBytes) };
  if (range.start >= range.end) {
    throw new BackendError('InvalidRange', `The range starts at or after the object's end (${sizeBytes} bytes).`);
  }
  return range;
}
