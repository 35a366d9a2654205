// What a file server's answer says of the object, and which of its bytes it carries.
import { BackendError, type ByteRange, type ObjectHeaders, type ObjectInfo, type ToldInfo } from '../backend.ts';
import type { AnswerHeaders, HttpAnswer } from './http-client.ts';
import { identify, parseDate, strongEtag } from './validators.ts';

/** Undefined: the answer does not say how long the object is. */
export function objectSize(answer: HttpAnswer): number | undefined {
  if (answer.status === 206) return parseContentRange(answer.headers)?.sizeBytes;
  return parseLength(answer.headers['content-length']);
}

export function objectInfo(key: string, headers: AnswerHeaders, sizeBytes: number): ObjectInfo {
  const identity = identify(headers, sizeBytes);
  requireWholeEncoding(headers, identity.identity);
  return {
    key,
    sizeBytes,
    ...identity,
    // S3 has no word for "unknown"; the epoch is older than anything.
    lastModified: parseDate(headers['last-modified']) ?? new Date(0),
    headers: keptHeaders(headers),
    metadata: {},
  };
}

/** Of an answer that says 'not modified'. Only a strong ETag is told without the object's size. */
export function unchangedInfo(headers: AnswerHeaders): ToldInfo | undefined {
  const etag = strongEtag(headers);
  if (etag === undefined) return undefined;
  const lastModified = parseDate(headers['last-modified']);
  return { etag, ...(lastModified !== undefined && { lastModified }), headers: keptHeaders(headers) };
}

function keptHeaders(headers: AnswerHeaders): ObjectHeaders {
  return {
    contentType: headers['content-type'],
    cacheControl: headers['cache-control'],
    contentDisposition: headers['content-disposition'],
    contentEncoding: isIdentity(headers['content-encoding']) ? undefined : headers['content-encoding'],
    contentLanguage: headers['content-language'],
    expires: headers.expires,
  };
}

/** Rejects a 206 that is not exactly the bytes asked for. */
export function requireRange(answer: HttpAnswer, wanted: ByteRange): void {
  const told = parseContentRange(answer.headers);
  const length = parseLength(answer.headers['content-length']);
  const wrongLength = length !== undefined && length !== wanted.end - wanted.start;
  if (told === undefined || told.start !== wanted.start || told.end !== wanted.end || wrongLength) {
    const asked = `bytes ${wanted.start}-${wanted.end - 1}`;
    const got = `Content-Range '${answer.headers['content-range'] ?? ''}', Content-Length '${answer.headers['content-length'] ?? ''}'`;
    throw new BackendError('Internal', `The origin was asked for ${asked} and answered with others: ${got}.`);
  }
}

/**
 * 'identity' was asked for. A server that encodes nevertheless may do it anew for each answer; only where it names the
 * encoded bytes by a strong identity are they an object, told with their Content-Encoding.
 */
function requireWholeEncoding(headers: AnswerHeaders, identity: ObjectInfo['identity']): void {
  const encoding = headers['content-encoding'];
  if (isIdentity(encoding)) return;
  if (identity === 'strong' && headers.etag?.startsWith('"')) return;
  throw new BackendError(
    'NotSupported',
    `The origin compresses what it sends (${encoding}) without a strong ETag for it; switch that off for these files.`,
  );
}

function isIdentity(encoding: string | undefined): boolean {
  return encoding === undefined || /^\s*(identity)?\s*$/i.test(encoding);
}

function parseContentRange(headers: AnswerHeaders): (ByteRange & { sizeBytes: number }) | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/i.exec(headers['content-range']?.trim() ?? '');
  const [start, last, sizeBytes] = match?.slice(1).map(parseLength) ?? [];
  if (start === undefined || last === undefined || sizeBytes === undefined) return undefined;
  return start <= last && last < sizeBytes ? { start, end: last + 1, sizeBytes } : undefined;
}

function parseLength(value: string | undefined): number | undefined {
  const length = value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
  return Number.isSafeInteger(length) ? length : undefined;
}
